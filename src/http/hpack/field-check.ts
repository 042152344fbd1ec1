import { allOf, CLASS, COLON, HTAB, SP, TOKEN, VALUE } from "../octets.ts";

/**
 * What a field's name is: a regular one, a pseudo-header that we know, or another with a colon in
 * front.
 */
export const Pseudo = {
  none: 0,
  authority: 1,
  method: 2,
  path: 3,
  scheme: 4,
  status: 5,
  protocol: 6,
  unknown: 7,
} as const;

const NAMES = ["", ":authority", ":method", ":path", ":scheme", ":status", ":protocol"] as const;

/** Which pseudo-header buf[start, end) names, where it starts with a colon. */
export function pseudoAt(buf: Uint8Array, start: number, end: number): number {
  for (let kind = 1; kind < Pseudo.unknown; kind++) {
    const name = NAMES[kind]!;
    if (name.length !== end - start) continue;
    let i = 1;
    while (i < name.length && buf[start + i] === name.charCodeAt(i)) i++;
    if (i === name.length) return kind;
  }
  return Pseudo.unknown;
}

/** Whether buf[start, end) is a field name as RFC 9113 §8.2.1 wants it: a token in lower case. */
export function nameIsValid(buf: Uint8Array, start: number, end: number): boolean {
  if (start === end) return false;
  for (let i = start; i < end; i++) {
    const octet = buf[i]!;
    if ((CLASS[octet]! & TOKEN) === 0 || (octet >= 0x41 && octet <= 0x5a)) return false;
  }
  return true;
}

/**
 * Whether buf[start, end) is a field value: no control but HTAB, no white space around. RFC 9113
 * §8.2.1 lets other controls than CR, LF and NUL pass; HTTP/1.1 does not, and the next hop may
 * speak it.
 */
export function valueIsValid(buf: Uint8Array, start: number, end: number): boolean {
  if (start === end) return true;
  const first = buf[start]!;
  const last = buf[end - 1]!;
  if (first === SP || first === HTAB || last === SP || last === HTAB) return false;
  return allOf(buf, start, end, VALUE);
}

export const startsPseudo = (octet: number): boolean => octet === COLON;
