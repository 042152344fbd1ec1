import { allOf, CLASS, COLON, DIGIT, HEX, NAME } from "./octets.ts";

/**
 * The end of the host in the authority buf[start, end), or -1 when it is not `uri-host [":" port]`
 * (RFC 3986 §3.2, RFC 9110 §7.2) with a host that is not empty. User information is no part of it and
 * is refused (RFC 9110 §4.2.4), and so are IPvFuture and zone ids.
 */
export function hostEnd(buf: Uint8Array, start: number, end: number): number {
  const stop = buf[start] === 0x5b ? bracketEnd(buf, start, end) : nameEnd(buf, start, end);
  if (stop <= start) return -1;
  if (stop === end) return stop;
  return buf[stop] === COLON && portIsValid(buf, stop + 1, end) ? stop : -1;
}

function nameEnd(buf: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const octet = buf[at]!;
    if ((CLASS[octet]! & NAME) !== 0) at++;
    else if (octet === 0x25 && at + 2 < end && allOf(buf, at + 1, at + 3, HEX)) at += 3;
    else break;
  }
  return at;
}

/** IPv6 in brackets: only its alphabet and two colons are checked; what it means is the resolver's. */
function bracketEnd(buf: Uint8Array, start: number, end: number): number {
  let colons = 0;
  for (let at = start + 1; at < end; at++) {
    const octet = buf[at]!;
    if (octet === 0x5d) return colons >= 2 && at - start <= 46 ? at + 1 : -1;
    if (octet === COLON) colons++;
    else if ((CLASS[octet]! & HEX) === 0 && octet !== 0x2e) return -1;
  }
  return -1;
}

/** An empty port is valid (RFC 3986 §3.2.3); one past 65535 is not. */
function portIsValid(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start > 5 || !allOf(buf, start, end, DIGIT)) return false;
  let port = 0;
  for (let at = start; at < end; at++) port = port * 10 + buf[at]! - 0x30;
  return port <= 65_535;
}
