import type { ZlibOptions } from "node:zlib";

type Zlib = typeof import("node:zlib");

let loaded: Zlib | null = null;

/** Loaded late: most workers never inflate a message. */
function zlib(): Zlib {
  loaded ??= process.getBuiltinModule("node:zlib");
  return loaded;
}

/** The empty block that ends a flush: RFC 7692 §7.2.1 leaves it out on the wire. */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/**
 * Compression of WebSocket messages, each by itself, on this thread: a MiB of text takes some
 * milliseconds either way, tens of them to deflate where it compresses badly.
 */
export const messageDeflate = {
  /** A raw deflate stream, flushed, without the four octets at its end. */
  deflate(bytes: Uint8Array, windowBits: number): Uint8Array {
    const { constants, deflateRawSync } = zlib();
    const options: ZlibOptions = { windowBits, finishFlush: constants.Z_SYNC_FLUSH };
    const deflated = deflateRawSync(bytes, options);
    return deflated.subarray(0, deflated.length - TAIL.length);
  },

  /** The message in `bytes`, of at most `limit` octets. */
  inflate(bytes: Uint8Array, limit: number): Uint8Array | "too-large" | "malformed" {
    const { constants, inflateRawSync } = zlib();
    const stream = new Uint8Array(bytes.length + TAIL.length);
    stream.set(bytes);
    stream.set(TAIL, bytes.length);
    try {
      return inflateRawSync(stream, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: Math.max(limit, 1),
      });
    } catch (error) {
      const { code } = error as { code?: string };
      return code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "malformed";
    }
  },
};
