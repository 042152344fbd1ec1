import { writeOctets } from "./octets.ts";
import { TCP_MAX_OPTIONS, TcpOption, type TcpOptions } from "./tcp-options.ts";

/** The bytes that `emitTcpOptions` writes: a multiple of 4, at most 40. */
export const tcpOptionsLength = (options: TcpOptions): number => place(options, null, 0);

/**
 * Writes the options and returns the position after them. Their order is that of Linux, so that
 * timestamps and SACK edges lie on words. A user timeout that does not fit any more is left out, and
 * so are the SACK blocks that do not (RFC 2018 §3). Room for `tcpOptionsLength` is the caller's duty.
 */
export const emitTcpOptions = (options: TcpOptions, dv: DataView, at: number): number =>
  at + place(options, dv, at);

/** Where `dv` is null nothing is written, only measured. */
function place(options: TcpOptions, dv: DataView | null, start: number): number {
  let used = 0;
  if (options.maximumSegmentSize !== null) {
    dv?.setUint32(start, (TcpOption.maximumSegmentSize << 24) | 0x04_0000);
    dv?.setUint16(start + 2, options.maximumSegmentSize);
    used = 4;
  }
  if (options.sackPermitted) used = head(dv, start, used, TcpOption.sackPermitted, 2);
  if (options.timestamps !== null) {
    used = head(dv, start, align(dv, start, used), TcpOption.timestamps, 10);
    dv?.setUint32(start + used - 8, options.timestamps.value);
    dv?.setUint32(start + used - 4, options.timestamps.echo);
  }
  if (options.windowScale !== null) {
    used = head(dv, start, used, TcpOption.windowScale, 3);
    dv?.setUint8(start + used - 1, options.windowScale);
  }
  if (options.fastOpen !== null) used = placeCookie(options.fastOpen, dv, start, used);
  const timeout = options.userTimeout;
  if (timeout !== null && used + 4 <= TCP_MAX_OPTIONS) {
    used = head(dv, start, used, TcpOption.userTimeout, 4);
    dv?.setUint16(start + used - 2, timeout.value | (timeout.unit === "minutes" ? 0x8000 : 0));
  }
  if (options.sack.length > 0) used = placeSack(options, dv, start, used);
  // RFC 9293 §3.1: after the options comes padding of zeros, which reads as the end of the list.
  for (; used % 4 !== 0; used++) dv?.setUint8(start + used, TcpOption.end);
  return used;
}

function placeCookie(cookie: Uint8Array, dv: DataView | null, start: number, used: number): number {
  const after = head(dv, start, used, TcpOption.fastOpen, 2);
  if (dv !== null) {
    dv.setUint8(start + used + 1, 2 + cookie.length);
    writeOctets(dv, start + after, cookie);
  }
  return after + cookie.length;
}

function placeSack(options: TcpOptions, dv: DataView | null, start: number, used: number): number {
  const aligned = used + ((6 - (used % 4)) % 4);
  const count = Math.min(options.sack.length, Math.floor((TCP_MAX_OPTIONS - aligned - 2) / 8));
  if (count <= 0) return used;
  let at = head(dv, start, align(dv, start, used), TcpOption.sack, 2);
  if (dv === null) return at + 8 * count;
  dv.setUint8(start + at - 1, 2 + 8 * count);
  for (let i = 0; i < count; i++, at += 8) {
    dv.setUint32(start + at, options.sack[i]!.start);
    dv.setUint32(start + at + 4, options.sack[i]!.end);
  }
  return at;
}

/** Writes kind and length; returns where an option of that length ends. */
function head(
  dv: DataView | null,
  start: number,
  used: number,
  kind: number,
  length: number,
): number {
  dv?.setUint8(start + used, kind);
  dv?.setUint8(start + used + 1, length);
  return used + length;
}

/** No-operations until two bytes of kind and length end on a word. */
function align(dv: DataView | null, start: number, used: number): number {
  let at = used;
  for (; at % 4 !== 2; at++) dv?.setUint8(start + at, TcpOption.noOperation);
  return at;
}
