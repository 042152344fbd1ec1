/**
 * Copies src[start, end) to dst at `at`, masked or unmasked by `key` (RFC 6455 §5.3); `phase` octets of
 * the payload went before. The ranges may be the same.
 */
export function maskInto(
  src: Uint8Array,
  start: number,
  end: number,
  dst: Uint8Array,
  at: number,
  key: Uint8Array,
  phase: number,
): void {
  const a = key[phase & 3]!;
  const b = key[(phase + 1) & 3]!;
  const c = key[(phase + 2) & 3]!;
  const d = key[(phase + 3) & 3]!;
  let from = start;
  let to = at;
  for (const whole = end - 3; from < whole; from += 4, to += 4) {
    dst[to] = src[from]! ^ a;
    dst[to + 1] = src[from + 1]! ^ b;
    dst[to + 2] = src[from + 2]! ^ c;
    dst[to + 3] = src[from + 3]! ^ d;
  }
  if (from < end) dst[to] = src[from]! ^ a;
  if (from + 1 < end) dst[to + 1] = src[from + 1]! ^ b;
  if (from + 2 < end) dst[to + 2] = src[from + 2]! ^ c;
}
