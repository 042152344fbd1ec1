import type { H2Stream } from "./stream.ts";

/**
 * Reads the parameters of a Priority field or PRIORITY_UPDATE (RFC 9218 §4) in buf[start, end): as
 * urgency << 1 | incremental. What is not there, or not understood, has its default (urgency 3).
 *
 * The value is a dictionary of RFC 8941; only members that are exactly `u=<0-7>`, `i`, `i=?0`,
 * `i=?1` count, with parameters dropped.
 */
export function readPriority(buf: Uint8Array, start: number, end: number): number {
  let urgency = 3;
  let incremental = 0;
  let pos = start;
  while (pos < end) {
    while (pos < end && (buf[pos] === 0x20 || buf[pos] === 0x09 || buf[pos] === 0x2c)) pos++;
    const from = pos;
    while (pos < end && buf[pos] !== 0x2c) pos++;
    let to = from;
    while (to < pos && buf[to] !== 0x3b && buf[to] !== 0x20 && buf[to] !== 0x09) to++;
    const key = buf[from];
    const assigned = buf[from + 1] === 0x3d;
    if (key === 0x75 && to - from === 3 && assigned) {
      const digit = buf[from + 2]! - 0x30;
      if (digit >= 0 && digit <= 7) urgency = digit;
    } else if (key === 0x69 && to - from === 1) {
      incremental = 1;
    } else if (key === 0x69 && to - from === 4 && assigned && buf[from + 2] === 0x3f) {
      if (buf[from + 3] === 0x31) incremental = 1;
      else if (buf[from + 3] === 0x30) incremental = 0;
    }
  }
  return (urgency << 1) | incremental;
}

export const DEFAULT_PRIORITY = 3 << 1;

/** Whether the stream has that priority already. */
export const hasPriority = (stream: H2Stream, priority: number): boolean =>
  stream.urgency === priority >> 1 && stream.incremental === ((priority & 1) !== 0);
