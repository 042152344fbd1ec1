import * as zlib from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Codec, CodecHandler, DecodedCoding, EncodedCoding } from "./codec.ts";
import { zlibCodecs } from "./zlib-codecs.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 40 });

const codecs = zlibCodecs();
const level = { gzip: 4, br: 4, zstd: 3 };

const encodeSync: Record<DecodedCoding | "raw", (data: Uint8Array) => Uint8Array> = {
  gzip: (data) => zlib.gzipSync(data),
  br: (data) =>
    zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
  zstd: (data) => zlib.zstdCompressSync(data),
  deflate: (data) => zlib.deflateSync(data),
  raw: (data) => zlib.deflateRawSync(data),
};

const decodeSync: Record<EncodedCoding, (data: Uint8Array) => Uint8Array> = {
  gzip: (data) => zlib.gunzipSync(data),
  br: (data) => zlib.brotliDecompressSync(data),
  zstd: (data) => zlib.zstdDecompressSync(data),
};

/** Drives a codec piece by piece, and keeps what it tells. */
class Run implements CodecHandler {
  readonly out: Uint8Array[] = [];
  ended = false;
  readonly codec: Codec;
  #wake: (() => void) | null = null;
  #error: Error | null = null;

  constructor(open: (handler: CodecHandler) => Codec) {
    this.codec = open(this);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.out);
  }

  onOutput(bytes: Uint8Array): void {
    this.out.push(bytes);
  }

  onTaken(): void {
    this.#tell();
  }

  onEnd(): void {
    this.ended = true;
    this.#tell();
  }

  onError(error: Error): void {
    this.#error = error;
    this.#tell();
  }

  async write(piece: Uint8Array, flush = false): Promise<void> {
    this.codec.write(piece, flush);
    await this.#told();
  }

  async finish(piece: Uint8Array = new Uint8Array(0)): Promise<Buffer> {
    this.codec.finish(piece);
    while (!this.ended) await this.#told();
    return this.bytes;
  }

  #tell(): void {
    this.#wake?.();
  }

  async #told(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#error !== null) throw this.#error;
  }
}

const encoder = (coding: EncodedCoding, flushEach = false): Run =>
  new Run((handler) => codecs.encoder(coding, { level: level[coding], flushEach }, handler));
const decoder = (coding: DecodedCoding): Run =>
  new Run((handler) => codecs.decoder(coding, handler));

const text = fc
  .array(fc.constantFrom("lorem ", "ipsum ", "dolor ", "<li>", "\u0000\u0001", "é"), {
    maxLength: 400,
  })
  .map((words) => Buffer.from(words.join("")));

function cut(data: Uint8Array, at: readonly number[]): Uint8Array[] {
  const ends = at.map((n) => n % (data.length + 1)).toSorted((a, b) => a - b);
  return [...ends, data.length].map((end, i) => data.subarray(i === 0 ? 0 : ends[i - 1], end));
}

const cuts = fc.array(fc.nat(5_000), { maxLength: 6 });

describe.each(["gzip", "br", "zstd"] as const)("%s", (coding) => {
  test("any body in any pieces, flushed anywhere, comes back the same", async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.boolean(), fc.boolean(), async (data, at, flush, each) => {
        const run = encoder(coding, each);
        for (const piece of cut(data, at)) await run.write(piece, flush);
        const coded = await run.finish();
        expect(Buffer.compare(decodeSync[coding](coded), data)).toBe(0);
      }),
    );
  });

  test("any coded body in any pieces, is decoded", async () => {
    await fc.assert(
      fc.asyncProperty(text, cuts, async (data, at) => {
        const run = decoder(coding);
        for (const piece of cut(encodeSync[coding](data), at)) {
          if (!run.ended && piece.length > 0) await run.write(piece);
        }
        if (!run.ended) await run.finish();
        expect(Buffer.compare(run.bytes, data)).toBe(0);
      }),
    );
  });

  test.each([true, false])(
    "a flush (of each piece: %j), tells all there is of the body",
    async (each) => {
      const run = encoder(coding, each);
      const back = decoder(coding);
      let seen = "";
      for (const piece of ["first", " second", " third"]) {
        const before = run.out.length;
        await run.write(Buffer.from(piece), !each);
        for (const part of run.out.slice(before)) await back.write(part);
        seen += piece;
        expect(back.bytes.toString()).toBe(seen);
      }
      run.codec.destroy();
      back.codec.destroy();
    },
  );

  test("a coded body that ends too early, or is damaged, is an error", async () => {
    const coded = Buffer.from(encodeSync[coding](Buffer.from("some text ".repeat(50))));
    await expect(decoder(coding).finish(coded.subarray(0, -2))).rejects.toThrow();
    await expect(decoder(coding).finish(Buffer.from("<html>no such thing"))).rejects.toThrow();
  });

  test("a paused decoder, tells nothing until it is resumed, and then all", async () => {
    const data = Buffer.alloc(3_000_000, "0123456789 ");
    const run = decoder(coding);
    run.codec.pause();
    run.codec.write(Buffer.from(encodeSync[coding](data)), false);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run.out).toEqual([]);
    run.codec.resume();
    await run.finish();
    expect(run.bytes.equals(data)).toBe(true);
  });

  test("destroyed with work under way, tells nothing more", async () => {
    const run = encoder(coding);
    run.codec.write(Buffer.alloc(200_000, "x"), true);
    run.codec.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run.out).toEqual([]);
  });
});

test("an encoder that served before, serves another body as if it were new, paused at its end or not", async () => {
  const data = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `${i * 7919} `).join(""));
  for (const coding of ["gzip", "zstd"] as const) {
    const first = await encoder(coding).finish(data);
    for (let i = 0; i < 10; i++) {
      const run = encoder(coding);
      run.codec.pause();
      const coded = run.finish(data);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(run.out).toEqual([]);
      expect(run.ended).toBe(false);
      run.codec.resume();
      expect(Buffer.compare(await coded, first)).toBe(0);
      const broken = encoder(coding);
      broken.codec.write(data, false);
      broken.codec.destroy();
    }
  }
});

test.each(["deflate", "raw"] as const)("deflate, as %s, is decoded in any pieces", async (form) => {
  await fc.assert(
    fc.asyncProperty(text, cuts, async (data, at) => {
      const run = decoder("deflate");
      for (const piece of cut(encodeSync[form](data), at)) {
        if (!run.ended && piece.length > 0) await run.write(piece);
      }
      if (!run.ended) await run.finish();
      expect(Buffer.compare(run.bytes, data)).toBe(0);
    }),
  );
});

test("two gzip members one after another, are one body", async () => {
  const run = decoder("gzip");
  await run.write(encodeSync.gzip(Buffer.from("one ")));
  expect((await run.finish(encodeSync.gzip(Buffer.from("two")))).toString()).toBe("one two");
});
