import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NetError } from "../../core/errors.ts";
import { after, millis } from "../../core/time.ts";
import { MemoryNetwork } from "../../drivers/memory/network.ts";
import { CodingStage, type StageOptions, type StageOwner, type StageRole } from "./coding-stage.ts";
import { InstantCodec } from "./testing/instant-codec.ts";
import { ManualCodec } from "./testing/manual-codec.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 300 });

const KiB = 1024;

/** A stage on a codec in the test's hands, in virtual time; `told` is what its owner hears. */
class Bench implements StageOwner {
  readonly told: string[] = [];
  readonly network = new MemoryNetwork({ seed: 1 });
  readonly stage: CodingStage;
  codec!: ManualCodec;
  error: NetError | null = null;

  constructor(options: Partial<StageOptions> = {}) {
    const role: StageRole = options.role ?? "encode";
    this.stage = new CodingStage(
      { role, coding: "gzip", eager: false, limits: null, ...options },
      this,
      this.network.transport("10.0.0.1"),
      (handler) => (this.codec = new ManualCodec(handler)),
    );
  }

  write(length: number): void {
    this.stage.write(new Uint8Array(length), 0, length);
  }

  async pass(ms: number): Promise<void> {
    await this.network.settle(after(this.network.now, millis(ms)));
  }

  stageOutput(role: StageRole, bytes: Uint8Array): void {
    this.told.push(`${role} output:${bytes.length}`);
  }

  stageFull(): void {
    this.told.push("full");
  }

  stageDrained(): void {
    this.told.push("drained");
  }

  stageEnded(): void {
    this.told.push("ended");
  }

  stageFailed(_role: StageRole, error: NetError): void {
    this.error = error;
    this.told.push("failed");
  }
}

describe("what goes to the encoder when", () => {
  test("a small body that ends at once, goes in one piece", () => {
    const bench = new Bench();
    bench.write(100);
    bench.write(200);
    bench.stage.end();
    expect(bench.codec.news()).toEqual(["finish:300"]);
  });

  test("64 KiB, go at once and unflushed; the end brings the rest", () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.write(16 * KiB);
    expect(bench.codec.news()).toEqual([`write:${64 * KiB}`]);
    bench.stage.end();
    bench.codec.handler.onTaken();
    expect(bench.codec.news()).toEqual([`finish:${16 * KiB}`]);
  });

  test("a body that pauses, is flushed after 10 ms and not before, and not again", async () => {
    const bench = new Bench();
    bench.write(100);
    await bench.pass(9);
    expect(bench.codec.news()).toEqual([]);
    await bench.pass(2);
    expect(bench.codec.news()).toEqual(["write:100+flush"]);
    bench.codec.handler.onTaken();
    await bench.pass(100);
    expect(bench.codec.news()).toEqual([]);
  });

  test("what the encoder may still hold, is flushed when nothing follows", async () => {
    const bench = new Bench();
    bench.write(64 * KiB);
    bench.codec.handler.onTaken();
    expect(bench.codec.news()).toEqual([`write:${64 * KiB}`]);
    await bench.pass(11);
    expect(bench.codec.news()).toEqual(["write:0+flush"]);
  });

  test("a flush that is due while the encoder works, follows when it is free", async () => {
    const bench = new Bench();
    bench.write(64 * KiB);
    bench.write(5);
    bench.codec.news();
    await bench.pass(11);
    expect(bench.codec.news()).toEqual([]);
    bench.codec.handler.onTaken();
    expect(bench.codec.news()).toEqual(["write:5+flush"]);
  });

  test("events, go one by one at once, and together while the encoder works", () => {
    const bench = new Bench({ eager: true });
    bench.write(10);
    bench.write(20);
    bench.write(30);
    expect(bench.codec.news()).toEqual(["write:10"]);
    bench.codec.handler.onTaken();
    expect(bench.codec.news()).toEqual(["write:50"]);
  });
});

describe("backpressure", () => {
  test("64 KiB gathered behind a busy codec, full; taken, drained", () => {
    const bench = new Bench();
    bench.write(64 * KiB);
    bench.write(63 * KiB);
    expect(bench.told).toEqual([]);
    bench.write(KiB);
    bench.write(KiB);
    expect(bench.told).toEqual(["full"]);
    bench.codec.handler.onTaken();
    expect(bench.told).toEqual(["full", "drained"]);
  });

  test("paused at its end, tells it when resumed", () => {
    const bench = new Bench({ role: "decode", eager: true });
    bench.stage.pause();
    bench.stage.end();
    expect(bench.told).toEqual([]);
    bench.stage.resume();
    expect(bench.told).toEqual(["ended"]);
  });
});

describe("ends", () => {
  test("coded data that ends before its message, the rest is dropped and the end waits", () => {
    const bench = new Bench({ role: "decode", eager: true });
    bench.write(10);
    bench.write(10);
    bench.codec.handler.onEnd();
    bench.write(10);
    expect(bench.told).toEqual([]);
    bench.stage.end();
    expect(bench.told).toEqual(["ended"]);
    expect(bench.codec.news()).toEqual(["write:10"]);
  });

  test("no body at all where a coded one was announced, is an empty one", () => {
    const bench = new Bench({ role: "decode", eager: true });
    bench.stage.end();
    expect(bench.told).toEqual(["ended"]);
  });

  test("destroyed, says nothing more whatever comes", async () => {
    const bench = new Bench();
    bench.write(100);
    bench.stage.destroy();
    const { handler } = bench.codec;
    handler.onOutput(new Uint8Array(1));
    handler.onTaken();
    handler.onError(new Error("late"));
    handler.onEnd();
    bench.write(100);
    await bench.pass(50);
    expect(bench.told).toEqual([]);
    expect(bench.codec.destroyed).toBe(true);
    expect(bench.codec.news()).toEqual([]);
  });

  test("damaged input, fails as the upstream's fault; a fault of ours is ours", () => {
    const decode = new Bench({ role: "decode", eager: true });
    decode.codec.handler.onError(new Error("incorrect header check"));
    expect(decode.error).toMatchObject({ source: "upstream", status: 502 });
    expect(decode.codec.destroyed).toBe(true);
    const encode = new Bench();
    encode.codec.handler.onError(new Error("no memory"));
    expect(encode.error).toMatchObject({ source: "internal", code: "INTERNAL" });
  });
});

describe("bombs", () => {
  const limits = { decodedSize: 4 * KiB * KiB, ratio: 100 };
  const decoded = (input: number, pieces: readonly number[]): Bench => {
    const bench = new Bench({ role: "decode", eager: true, limits });
    bench.write(input);
    for (const length of pieces) bench.codec.handler.onOutput(new Uint8Array(length));
    return bench;
  };

  test("much out of little, up to 1 MiB, is no bomb", () => {
    expect(decoded(10, [KiB * KiB]).error).toBeNull();
  });

  test("more than 1 MiB and than the ratio, is one, and its output is not told", () => {
    const bench = decoded(10_000, [KiB * KiB, 1]);
    expect(bench.error).toMatchObject({ code: "BODY_TOO_LARGE", status: 502, source: "upstream" });
    expect(bench.told).toEqual([`decode output:${KiB * KiB}`, "failed"]);
    expect(decoded(11_000, [KiB * KiB, 1]).error).toBeNull();
  });

  test("more than the size, is one, whatever the ratio", () => {
    expect(decoded(KiB * KiB, [4 * KiB * KiB]).error).toBeNull();
    expect(decoded(KiB * KiB, [4 * KiB * KiB, 1]).error).not.toBeNull();
  });
});

type Step = number | "pause" | "resume" | "wait";

test("any pieces, pauses and waits, what comes out is what went in, and the end comes once", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
    fc.constantFrom<Step>("pause", "resume", "wait"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, eager) => {
      const network = new MemoryNetwork({ seed: 1 });
      const out: Uint8Array[] = [];
      let ends = 0;
      const owner: StageOwner = {
        stageOutput: (_role, bytes) => void out.push(bytes),
        stageFull: () => undefined,
        stageDrained: () => undefined,
        stageEnded: () => void ends++,
        stageFailed: (_role, error) => {
          throw error;
        },
      };
      const stage = new CodingStage(
        { role: "encode", coding: "gzip", eager, limits: null },
        owner,
        network.transport("10.0.0.1"),
        (handler) => new InstantCodec(handler),
      );
      const sent: Uint8Array[] = [];
      let length = 0;
      for (const one of steps) {
        if (one === "pause") stage.pause();
        else if (one === "resume") stage.resume();
        else if (one === "wait") await network.settle(after(network.now, millis(15)));
        else {
          const piece = Uint8Array.from({ length: one as number }, (_, i) => (i + length) % 251);
          sent.push(Uint8Array.from(piece));
          length += piece.length;
          stage.write(piece, 0, piece.length);
          piece.fill(0);
        }
      }
      stage.end();
      stage.resume();
      expect(ends).toBe(1);
      expect(Buffer.concat(out).equals(Buffer.concat(sent))).toBe(true);
    }),
    { numRuns: 60 },
  );
});
