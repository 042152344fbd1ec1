import type { Transform } from "node:stream";
import type {
  Codec,
  CodecHandler,
  Codecs,
  DecodedCoding,
  EncodedCoding,
  EncoderOptions,
} from "./codec.ts";

type Zlib = typeof import("node:zlib");
type ZlibStream = Transform & { flush(kind: number, done: () => void): void; reset?(): void };

let loaded: Zlib | null = null;

/** Loaded late: most workers never compress. */
function zlib(): Zlib {
  loaded ??= process.getBuiltinModule("node:zlib");
  return loaded;
}

/** Windows of 256 KiB in br and zstd: a page seldom gains by more, and each stream has its own. */
const windowBits = 18;
/** RFC 9659: a decoder of "zstd" takes windows of up to 8 MiB, and no sender may use a larger one. */
const largestZstdWindow = 23;
const outputPiece = 32 * 1024;

/** The codings of `node:zlib`, done by libuv's threads. */
export function zlibCodecs(): Codecs {
  return {
    encoder(coding, options, handler) {
      const kept = kinds.get(kindOf(coding, options)) ?? addKind(coding, options);
      const codec = new StreamCodec(handler, kept.flushing, kept);
      codec.use(kept.take() ?? new ZlibWork(createEncoder(coding, options)));
      return codec;
    },
    decoder(coding, handler) {
      const codec = new StreamCodec(handler, zlib().constants.Z_NO_FLUSH, null);
      if (coding === "deflate") codec.useLater(deflateDecoder);
      else codec.use(new ZlibWork(createDecoder(coding)));
      return codec;
    },
  };
}

/** Encoders of one kind kept for the next body: to make one costs as much as 30 KB of compression. */
const keptOfAKind = 8;

const kinds = new Map<string, KeptEncoders>();

function addKind(coding: EncodedCoding, options: EncoderOptions): KeptEncoders {
  const kept = new KeptEncoders(coding);
  kinds.set(kindOf(coding, options), kept);
  return kept;
}

const kindOf = (coding: EncodedCoding, { level, flushEach }: EncoderOptions): string =>
  `${coding} ${level} ${flushEach}`;

class KeptEncoders {
  readonly flushing: number;
  /** The flush that ends a body and leaves the stream usable; null where it is not: a reset of br's
   *  forgets its parameters. */
  readonly finishing: number | null;
  private readonly free: ZlibWork[] = [];

  constructor(coding: EncodedCoding) {
    const { constants } = zlib();
    this.flushing = flushKind(coding);
    this.finishing =
      coding === "gzip" ? constants.Z_FINISH : coding === "zstd" ? constants.ZSTD_e_end : null;
  }

  take(): ZlibWork | null {
    return this.free.pop() ?? null;
  }

  /** Its body is over; it is made fresh, or closed where enough are kept. */
  put(work: ZlibWork): void {
    work.codec = null;
    if (this.free.length >= keptOfAKind) {
      work.stream.destroy();
      return;
    }
    work.stream.reset?.();
    work.stream.resume();
    this.free.push(work);
  }
}

/** A stream of `node:zlib`, with the codec that it works for at the moment. */
class ZlibWork {
  readonly stream: ZlibStream;
  codec: StreamCodec | null = null;

  constructor(stream: ZlibStream) {
    this.stream = stream;
    stream.on("data", (bytes: Uint8Array) => this.codec?.output(bytes));
    stream.on("end", () => this.codec?.ended());
    stream.on("error", (error) => this.codec?.failed(error));
  }
}

function flushKind(coding: EncodedCoding): number {
  const { constants } = zlib();
  if (coding === "gzip") return constants.Z_SYNC_FLUSH;
  return coding === "br" ? constants.BROTLI_OPERATION_FLUSH : constants.ZSTD_e_flush;
}

function createEncoder(coding: EncodedCoding, { level, flushEach }: EncoderOptions): ZlibStream {
  const { constants, createBrotliCompress, createGzip, createZstdCompress } = zlib();
  const common = { chunkSize: outputPiece, ...(flushEach && { flush: flushKind(coding) }) };
  switch (coding) {
    case "gzip":
      return createGzip({ ...common, level });
    case "br":
      return createBrotliCompress({
        ...common,
        params: {
          [constants.BROTLI_PARAM_QUALITY]: level,
          [constants.BROTLI_PARAM_LGWIN]: windowBits,
        },
      });
    case "zstd":
      return createZstdCompress({
        ...common,
        params: {
          [constants.ZSTD_c_compressionLevel]: level,
          [constants.ZSTD_c_windowLog]: windowBits,
        },
      });
  }
}

function createDecoder(coding: Exclude<DecodedCoding, "deflate">): ZlibStream {
  const { constants, createBrotliDecompress, createGunzip, createZstdDecompress } = zlib();
  const common = { chunkSize: outputPiece };
  switch (coding) {
    case "gzip":
      return createGunzip(common);
    case "br":
      return createBrotliDecompress(common);
    case "zstd":
      return createZstdDecompress({
        ...common,
        params: { [constants.ZSTD_d_windowLogMax]: largestZstdWindow },
      });
  }
}

/**
 * RFC 9110 §8.4.1.2: "deflate" is the zlib format, but some send the bare one. The first byte tells: of
 * zlib its low half is 8 and the high one at most 7; a bare stream that begins so has a stored block first,
 * in whose padding a bit is set, which writers leave at zero.
 */
function deflateDecoder(first: Uint8Array): ZlibStream {
  const { createInflate, createInflateRaw } = zlib();
  const byte = first[0] ?? 0;
  const wrapped = (byte & 0x0f) === 8 && byte >> 4 <= 7;
  return (wrapped ? createInflate : createInflateRaw)({ chunkSize: outputPiece });
}

/** A stream of `node:zlib` as a codec for one body. */
class StreamCodec implements Codec {
  private readonly handler: CodecHandler;
  private readonly flushing: number;
  private readonly kept: KeptEncoders | null;
  private work: ZlibWork | null = null;
  private create: ((first: Uint8Array) => ZlibStream) | null = null;
  private paused = false;
  /** All is worked off; some of the output may wait in the stream. */
  private finished = false;
  private over = false;

  constructor(handler: CodecHandler, flushing: number, kept: KeptEncoders | null) {
    this.handler = handler;
    this.flushing = flushing;
    this.kept = kept;
  }

  /** The stream is made when its first bytes are there. */
  useLater(create: (first: Uint8Array) => ZlibStream): void {
    this.create = create;
  }

  use(work: ZlibWork): void {
    this.work = work;
    work.codec = this;
    if (this.paused) work.stream.pause();
  }

  write(piece: Uint8Array, flush: boolean): void {
    const stream = this.opened(piece);
    if (!flush) {
      stream.write(piece, this.taken);
      return;
    }
    if (piece.length > 0) stream.write(piece);
    stream.flush(this.flushing, this.taken);
  }

  finish(piece: Uint8Array): void {
    const stream = this.opened(piece);
    const finishing = this.kept?.finishing ?? null;
    if (finishing === null) {
      if (piece.length === 0) stream.end();
      else stream.end(piece);
      return;
    }
    if (piece.length > 0) stream.write(piece);
    stream.flush(finishing, () => {
      this.finished = true;
      this.endIfDrained();
    });
  }

  pause(): void {
    this.paused = true;
    this.work?.stream.pause();
  }

  resume(): void {
    this.paused = false;
    this.work?.stream.resume();
  }

  destroy(): void {
    this.over = true;
    this.work?.stream.destroy();
    this.work = null;
  }

  // ---- what the stream tells ---------------------------------------------------------------------

  output(bytes: Uint8Array): void {
    if (this.over) return;
    this.handler.onOutput(bytes);
    if (this.finished) this.endIfDrained();
  }

  ended(): void {
    if (this.over) return;
    this.over = true;
    this.handler.onEnd();
  }

  failed(error: Error): void {
    if (this.over) return;
    this.over = true;
    this.handler.onError(error);
  }

  /** The end of an encoder that is kept: nothing of it is left in the stream. */
  private endIfDrained(): void {
    const { kept, work } = this;
    if (this.over || kept === null || work === null || work.stream.readableLength > 0) return;
    this.work = null;
    kept.put(work);
    this.ended();
  }

  private opened(first: Uint8Array): ZlibStream {
    if (this.work === null && this.create !== null) this.use(new ZlibWork(this.create(first)));
    return this.work!.stream;
  }

  private readonly taken = (error?: Error | null): void => {
    if (!this.over && !error) this.handler.onTaken();
  };
}
