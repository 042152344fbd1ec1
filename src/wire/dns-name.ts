/**
 * A domain name as text (RFC 1035 §5.1): labels joined by dots without one at the end, the root as
 * `.`. A dot or backslash in a label is escaped with a backslash, an octet outside of printable ASCII
 * is `\DDD`. So one name has one text, but for the case of its letters, which is kept.
 */
export type DnsName = string & { readonly __dnsName: unique symbol };

export const DNS_ROOT = "." as DnsName;

/** RFC 1035 §2.3.4: octets of a label, and of a name with its length octets and the root's. */
const MAX_LABEL = 63;
const MAX_NAME = 255;

/** RFC 1035 §4.1.4: the two high bits of a length octet tell a label from a pointer. */
const POINTER = 0xc0;

/** A name has at most 127 labels, so no honest one follows more pointers. */
const MAX_POINTERS = 127;

/** Reads a name that a person wrote, with or without the last dot; null when it is none. */
export function dnsName(text: string): DnsName | null {
  if (text === ".") return DNS_ROOT;
  const octets: number[] = [];
  let name = "";
  let length = 1;
  for (let at = 0; at <= text.length; at++) {
    const char = text.charCodeAt(at);
    if (at < text.length && char !== DOT) {
      const octet = char === BACKSLASH ? escapedOctet(text, at) : char;
      // What is not ASCII wants IDNA first; as an octet it is to be escaped.
      if (octet < 0 || char > 0x7f) return null;
      if (char === BACKSLASH) at += isDigit(text.charCodeAt(at + 1)) ? 3 : 1;
      octets.push(octet);
      continue;
    }
    if (at === text.length && octets.length === 0 && at > 0) break;
    length += octets.length + 1;
    if (octets.length === 0 || octets.length > MAX_LABEL || length > MAX_NAME) return null;
    name += (name === "" ? "" : ".") + octets.map(octetText).join("");
    octets.length = 0;
  }
  return name as DnsName;
}

/** Names are the same whatever the case of their ASCII letters (RFC 4343). */
export const sameName = (a: DnsName, b: DnsName): boolean =>
  a === b || (a.length === b.length && a.toLowerCase() === b.toLowerCase());

/** The labels of a name, escaped as in its text; none for the root. */
export function labelsOf(name: DnsName): string[] {
  if (name === DNS_ROOT) return [];
  const labels: string[] = [];
  for (let start = 0; start <= name.length; ) {
    const end = labelEnd(name, start);
    labels.push(name.slice(start, end));
    start = end + 1;
  }
  return labels;
}

/** Where the label that starts at `start` ends: at a dot or at the end of the text. */
export function labelEnd(name: string, start: number): number {
  let at = start;
  while (at < name.length && name.charCodeAt(at) !== DOT) {
    at += name.charCodeAt(at) === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** The octets of the label name[start, end), 1 to 63 of them. */
export function labelOctets(name: string, start: number, end: number): number[] {
  const octets: number[] = [];
  for (let at = start; at < end; at++) {
    const char = name.charCodeAt(at);
    octets.push(char === BACKSLASH ? escapedOctet(name, at) : char);
    if (char === BACKSLASH) at += isDigit(name.charCodeAt(at + 1)) ? 3 : 1;
  }
  return octets;
}

/**
 * The position after the name at dv[at, end) as it lies there, pointers not followed; -1 when it does
 * not end before `end`, -2 when it is none.
 */
export function skipName(dv: DataView, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const length = dv.getUint8(at);
    if (length >= POINTER) return at + 2 <= end ? at + 2 : -1;
    if (length > MAX_LABEL) return -2;
    at += 1 + length;
    if (at - start > MAX_NAME) return -2;
    if (length === 0) return at;
  }
  return -1;
}

/**
 * The name at dv[at, end), or null when it is none. `base` is the start of the message, from which
 * pointers count; `base` = -1 refuses pointers. Every pointer must lead further back than everything
 * read so far ("a prior occurrence", RFC 1035 §4.1.4), so that no message makes this loop.
 */
export function readName(dv: DataView, base: number, start: number, end: number): DnsName | null {
  let text = "";
  let total = 1;
  let pointers = 0;
  let floor = start;
  let at = start;
  while (at < end) {
    const length = dv.getUint8(at);
    if (length === 0) return text === "" ? DNS_ROOT : (text as DnsName);
    if (length >= POINTER) {
      if (at + 2 > end || base < 0 || ++pointers > MAX_POINTERS) return null;
      at = base + (dv.getUint16(at) & 0x3fff);
      if (at >= floor) return null;
      floor = at;
      continue;
    }
    total += 1 + length;
    if (length > MAX_LABEL || total > MAX_NAME || at + 1 + length > end) return null;
    if (text !== "") text += ".";
    for (let i = 1; i <= length; i++) text += octetText(dv.getUint8(at + i));
    at += 1 + length;
  }
  return null;
}

const DOT = 0x2e;
const BACKSLASH = 0x5c;

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39;

/** The octet that the escape at text[at] stands for, or -1. */
function escapedOctet(text: string, at: number): number {
  const next = text.charCodeAt(at + 1);
  if (!isDigit(next)) return at + 1 < text.length && next < 0x80 ? next : -1;
  const digits = text.slice(at + 1, at + 4);
  return /^\d{3}$/.test(digits) && Number(digits) <= 0xff ? Number(digits) : -1;
}

function octetText(octet: number): string {
  if (octet === DOT || octet === BACKSLASH) return `\\${String.fromCharCode(octet)}`;
  if (octet > 0x20 && octet < 0x7f) return String.fromCharCode(octet);
  return `\\${String(octet).padStart(3, "0")}`;
}
