import { CLASS, CR, DIGIT, equalsText, LF, SP, TARGET, TOKEN, VALUE } from "../octets.ts";
import type { RequestHead } from "../request-head.ts";
import { splitTarget } from "../request-target.ts";
import type { ResponseHead } from "../response-head.ts";
import { Fault } from "./fault.ts";
import { faultInValue } from "./field-lines.ts";

/**
 * Scans the request line at buf[start] (RFC 9112 §3) and sets the head's version and target spans,
 * relative to `start`. Returns the position after its CRLF, or a Fault.
 */
export function scanRequestLine(
  buf: Uint8Array,
  start: number,
  end: number,
  head: RequestHead,
): number {
  let pos = start;
  while (pos < end && (CLASS[buf[pos]!]! & TOKEN) !== 0) pos++;
  if (pos === end) return Fault.incomplete;
  if (buf[pos] !== SP || pos === start) {
    return buf[pos] === LF ? Fault.bareLf : pos === start ? Fault.method : Fault.requestLine;
  }
  const targetStart = ++pos;
  while (pos < end && (CLASS[buf[pos]!]! & TARGET) !== 0) pos++;
  if (pos === end) return Fault.incomplete;
  if (buf[pos] !== SP || pos === targetStart) return faultInTarget(buf[pos]!, pos === targetStart);
  const targetEnd = pos++;
  if (end - pos < 10) {
    return versionMayFollow(buf, pos, end) ? Fault.incomplete : Fault.version;
  }
  const minor = versionAt(buf, pos);
  if (minor < 0) return minor;
  if (buf[pos + 8] !== CR || buf[pos + 9] !== LF) {
    if (buf[pos + 8] === CR) return Fault.bareCr;
    return buf[pos + 8] === LF ? Fault.bareLf : Fault.requestLine;
  }
  head.minor = minor === 0 ? 0 : 1;
  if (!splitTarget(buf, start, targetStart, targetEnd, head)) return Fault.target;
  head.targetStart -= start;
  head.targetEnd -= start;
  head.pathStart -= start;
  head.authorityStart -= start;
  head.authorityEnd -= start;
  head.hostStop -= start;
  return pos + 10;
}

/**
 * Scans the status line at buf[start] (RFC 9112 §4) and sets the head's version, status and reason. The
 * space before an empty reason may be missing. Returns the position after its CRLF, or a Fault.
 */
export function scanStatusLine(
  buf: Uint8Array,
  start: number,
  end: number,
  head: ResponseHead,
): number {
  if (end - start < 12) {
    return versionMayFollow(buf, start, end) ? Fault.incomplete : Fault.statusLine;
  }
  const minor = versionAt(buf, start);
  if (minor < 0) return minor;
  const a = buf[start + 9]!;
  const b = buf[start + 10]!;
  const c = buf[start + 11]!;
  const digits = CLASS[a]! & CLASS[b]! & CLASS[c]! & DIGIT;
  if (buf[start + 8] !== SP || digits === 0 || a === 0x30) return Fault.statusLine;
  let pos = start + 12;
  if (pos < end && buf[pos] === SP) {
    pos++;
    while (pos < end && (CLASS[buf[pos]!]! & VALUE) !== 0) pos++;
  } else if (pos < end && buf[pos] !== CR) {
    return buf[pos] === LF ? Fault.bareLf : Fault.statusLine;
  }
  if (pos + 1 >= end) {
    return pos === end || buf[pos] === CR ? Fault.incomplete : faultInValue(buf[pos]!);
  }
  if (buf[pos] !== CR || buf[pos + 1] !== LF) return faultInValue(buf[pos]!);
  head.minor = minor === 0 ? 0 : 1;
  head.startLineReceived((a - 0x30) * 100 + (b - 0x30) * 10 + c - 0x30, pos - start);
  return pos + 2;
}

/** The minor version of "HTTP/1.x" at buf[at], of which 8 octets are there; or a Fault. */
function versionAt(buf: Uint8Array, at: number): number {
  if (
    buf[at] !== 0x48 ||
    buf[at + 1] !== 0x54 ||
    buf[at + 2] !== 0x54 ||
    buf[at + 3] !== 0x50 ||
    buf[at + 4] !== 0x2f ||
    buf[at + 6] !== 0x2e ||
    (CLASS[buf[at + 5]!]! & CLASS[buf[at + 7]!]! & DIGIT) === 0
  ) {
    return Fault.version;
  }
  if (buf[at + 5] !== 0x31) return Fault.versionUnsupported;
  return buf[at + 7]! - 0x30;
}

/** Whether the few octets buf[at, end) can still become "HTTP/d.d" and what follows it. */
function versionMayFollow(buf: Uint8Array, at: number, end: number): boolean {
  const literal = Math.min(end - at, 5);
  return equalsText(buf, at, at + literal, "HTTP/".slice(0, literal));
}

function faultInTarget(octet: number, empty: boolean): number {
  if (octet === CR || octet === LF || (empty && octet === SP)) return Fault.requestLine;
  return Fault.target;
}
