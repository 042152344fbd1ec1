import { allocBytes, copyBytes } from "../core/bytes.ts";

/** A flag octet and the length, big-endian (PROTOCOL-HTTP2.md, Length-Prefixed-Message). */
export const FRAME_HEADER = 5;

/** Bits of a frame's flag octet. */
export const FrameFlag = {
  compressed: 0x01,
  /** gRPC-Web: the frame holds trailers. */
  trailers: 0x80,
} as const;

/** `message` behind its frame header. */
export function frameMessage(message: Uint8Array, flags = 0): Uint8Array {
  const frame = allocBytes(FRAME_HEADER + message.length);
  frame[0] = flags;
  frame[1] = message.length >>> 24;
  frame[2] = message.length >>> 16;
  frame[3] = message.length >>> 8;
  frame[4] = message.length;
  copyBytes(message, 0, message.length, frame, FRAME_HEADER);
  return frame;
}
