/** Writes `value` with a prefix of `prefix` bits below the pattern `first` (RFC 7541 §5.1). */
export function writeInteger(
  out: Uint8Array,
  at: number,
  first: number,
  prefix: number,
  value: number,
): number {
  const max = (1 << prefix) - 1;
  if (value < max) {
    out[at] = first | value;
    return at + 1;
  }
  out[at++] = first | max;
  let rest = value - max;
  while (rest >= 0x80) {
    out[at++] = 0x80 | (rest & 0x7f);
    rest >>= 7;
  }
  out[at] = rest;
  return at + 1;
}
