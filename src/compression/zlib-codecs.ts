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
type ZlibStream = Transform & { flush(kind: number, done: () => void): void };

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
      const codec = new StreamCodec(handler, flushKind(coding));
      codec.use(createEncoder(coding, options));
      return codec;
    },
    decoder(coding, handler) {
      const codec = new StreamCodec(handler, zlib().constants.Z_NO_FLUSH);
      if (coding === "deflate") codec.useLater(deflateDecoder);
      else codec.use(createDecoder(coding));
      return codec;
    },
  };
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

/** A stream of `node:zlib` as a codec. */
class StreamCodec implements Codec {
  private readonly handler: CodecHandler;
  private readonly flushing: number;
  private stream: ZlibStream | null = null;
  private create: ((first: Uint8Array) => ZlibStream) | null = null;
  private paused = false;
  private over = false;

  constructor(handler: CodecHandler, flushing: number) {
    this.handler = handler;
    this.flushing = flushing;
  }

  /** The stream is made when its first bytes are there. */
  useLater(create: (first: Uint8Array) => ZlibStream): void {
    this.create = create;
  }

  use(stream: ZlibStream): void {
    this.stream = stream;
    stream.on("data", (bytes: Uint8Array) => {
      if (!this.over) this.handler.onOutput(bytes);
    });
    stream.on("end", () => {
      if (this.over) return;
      this.over = true;
      this.handler.onEnd();
    });
    stream.on("error", (error) => {
      if (this.over) return;
      this.over = true;
      this.handler.onError(error);
    });
    if (this.paused) stream.pause();
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
    if (piece.length === 0) stream.end();
    else stream.end(piece);
  }

  pause(): void {
    this.paused = true;
    this.stream?.pause();
  }

  resume(): void {
    this.paused = false;
    this.stream?.resume();
  }

  destroy(): void {
    this.over = true;
    this.stream?.destroy();
  }

  private opened(first: Uint8Array): ZlibStream {
    if (this.stream === null && this.create !== null) this.use(this.create(first));
    return this.stream as ZlibStream;
  }

  private readonly taken = (error?: Error | null): void => {
    if (!this.over && !error) this.handler.onTaken();
  };
}
