/** Classes of octets, one bit each, so that a scanner decides with one load. */

/** `tchar` of RFC 9110 §5.6.2: what names and methods are made of. */
export const TOKEN = 1;
/** What a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). */
export const VALUE = 2;
/** What we take in a request target: visible ASCII without "#" (RFC 9112 §3.2). */
export const TARGET = 4;
/** `unreserved` and `sub-delims` of a reg-name (RFC 3986 §3.2.2); "%" is checked apart. */
export const NAME = 8;
export const DIGIT = 16;
export const HEX = 32;

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COMMA = 0x2c;
export const COLON = 0x3a;

export const CLASS: Uint8Array = classify();

function classify(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (octets: string, bit: number): void => {
    for (let i = 0; i < octets.length; i++) table[octets.charCodeAt(i)]! |= bit;
  };
  const digits = "0123456789";
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(`${digits}${letters}!#$%&'*+-.^_\`|~`, TOKEN);
  mark(`${digits}${letters}-._~!$&'()*+,;=`, NAME);
  mark(digits, DIGIT | HEX);
  mark("abcdefABCDEF", HEX);
  for (let octet = 0x21; octet < 0x7f; octet++) table[octet]! |= VALUE | TARGET;
  for (let octet = 0x80; octet < 0x100; octet++) table[octet]! |= VALUE;
  mark("\t ", VALUE);
  table[0x23]! &= ~TARGET;
  return table;
}

/** Whether buf[start, end) equals `lower`, an ASCII lower-case text, letters in either case. */
export function equalsIgnoreCase(
  buf: Uint8Array,
  start: number,
  end: number,
  lower: string,
): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) {
    const octet = buf[start + i]!;
    const wanted = lower.charCodeAt(i);
    if (octet !== wanted && !(octet >= 0x41 && octet <= 0x5a && (octet | 0x20) === wanted)) {
      return false;
    }
  }
  return true;
}

/** Whether buf[start, end) equals `text` exactly, one character an octet. */
export function equalsText(buf: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (buf[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Whether all of buf[start, end) is of a class in `mask`. */
export function allOf(buf: Uint8Array, start: number, end: number, mask: number): boolean {
  for (let i = start; i < end; i++) if ((CLASS[buf[i]!]! & mask) === 0) return false;
  return true;
}
