import { allocBytes, copyBytes } from "../../core/bytes.ts";
import type { ByteSink } from "../../core/transport.ts";
import { FRAME_HEADER } from "./frame-header.ts";
import { maskInto } from "./mask.ts";
import { CONTROL_PAYLOAD, Opcode } from "./opcode.ts";

/** A server's frames are not masked. */
export const UNMASKED = -1;

/** Masked payloads are written in pieces of this; a multiple of four, so that the key starts anew. */
const PIECE = 16 * 1024;

/** Up to this a copy is cheaper than a second write, which may be a frame or record of its own below. */
const SHORT = 2048;

const header = allocBytes(FRAME_HEADER);
const key = allocBytes(4);
let scratch: Uint8Array | null = null;

/**
 * Writes `payload` as one frame, the last of its message. `compressed`: as permessage-deflate marks it.
 * `mask`: 32 random bits that nobody can foresee (RFC 6455 §10.3), or `UNMASKED`. Returns what the last
 * write said.
 */
export function writeFrame(
  sink: ByteSink,
  opcode: Opcode,
  compressed: boolean,
  payload: Uint8Array,
  mask: number,
): boolean {
  const { length } = payload;
  header[0] = 0x80 | (compressed ? 0x40 : 0) | opcode;
  let at = writeLength(length, mask === UNMASKED ? 0 : 0x80);
  scratch ??= allocBytes(FRAME_HEADER + PIECE);
  if (mask === UNMASKED) return writePlain(sink, at, payload, scratch);
  for (let i = 0; i < 4; i++) header[at++] = key[i] = (mask >>> (24 - 8 * i)) & 0xff;
  // The header and what fits behind it in one write.
  copyBytes(header, 0, at, scratch, 0);
  let from = 0;
  let full = false;
  do {
    const to = Math.min(from + PIECE, length);
    maskInto(payload, from, to, scratch, at, key, from);
    full = sink.write(scratch, 0, at + to - from);
    from = to;
    at = 0;
  } while (from < length);
  return full;
}

function writePlain(sink: ByteSink, at: number, payload: Uint8Array, joined: Uint8Array): boolean {
  const { length } = payload;
  if (length > SHORT) {
    sink.write(header, 0, at);
    return sink.write(payload, 0, length);
  }
  copyBytes(header, 0, at, joined, 0);
  copyBytes(payload, 0, length, joined, at);
  return sink.write(joined, 0, at + length);
}

/** The second octet and the length behind it; returns the position behind. */
function writeLength(length: number, masked: number): number {
  if (length < 126) {
    header[1] = masked | length;
    return 2;
  }
  if (length < 0x1_0000) {
    header[1] = masked | 126;
    header[2] = length >> 8;
    header[3] = length & 0xff;
    return 4;
  }
  header[1] = masked | 127;
  let left = length;
  for (let i = 9; i >= 2; i--) {
    header[i] = left % 256;
    left = Math.floor(left / 256);
  }
  return 10;
}

/** Writes a Close frame; `reason` is cut to what fits, one octet a character: ASCII. */
export function writeClose(sink: ByteSink, code: number, reason: string, mask: number): boolean {
  const length = Math.min(reason.length, CONTROL_PAYLOAD - 2);
  const payload = allocBytes(2 + length);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  for (let i = 0; i < length; i++) payload[2 + i] = reason.charCodeAt(i) & 0x7f;
  return writeFrame(sink, Opcode.close, false, payload, mask);
}
