import { allocBytes, copyBytes } from "../../core/bytes.ts";

/**
 * Base64 of a stream of bytes: what does not fill a group of three waits for the next piece, so the whole
 * is one text with padding at its end alone, which every client reads.
 */
export class Base64Writer {
  private readonly rest = allocBytes(3);
  private restLength = 0;

  /** The text of all whole groups, as bytes. */
  write(buf: Uint8Array, start: number, end: number): Uint8Array {
    const joined = allocBytes(this.restLength + end - start);
    copyBytes(this.rest, 0, this.restLength, joined, 0);
    copyBytes(buf, start, end, joined, this.restLength);
    const whole = joined.length - (joined.length % 3);
    this.restLength = joined.length - whole;
    copyBytes(joined, whole, joined.length, this.rest, 0);
    return base64(joined.subarray(0, whole));
  }

  /** What was left, padded. */
  end(): Uint8Array {
    const last = base64(this.rest.subarray(0, this.restLength));
    this.restLength = 0;
    return last;
  }
}

const LETTERS = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const PAD = 0x3d;

/** Base64 (RFC 4648 §4) of all of `bytes`, as ASCII. */
export function base64(bytes: Uint8Array): Uint8Array {
  const out = allocBytes(Math.ceil(bytes.length / 3) * 4);
  for (let i = 0, at = 0; i < bytes.length; i += 3, at += 4) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out[at] = LETTERS[group >>> 18]!;
    out[at + 1] = LETTERS[(group >>> 12) & 63]!;
    out[at + 2] = left > 1 ? LETTERS[(group >>> 6) & 63]! : PAD;
    out[at + 3] = left > 2 ? LETTERS[group & 63]! : PAD;
  }
  return out;
}
