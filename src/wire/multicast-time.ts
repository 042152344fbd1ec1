/**
 * Times in group queries as a mantissa and an exponent: codes below the first bit are the value,
 * others `(mant | implied bit) << (exp + 3)`. In 8 bits (RFC 3376 §4.1.1 and §4.1.7) the mantissa has
 * 4 bits, in the 16 bits of MLDv2 (RFC 3810 §5.1.3) it has 12; the exponent has 3 in both.
 */
export const decodeTime8 = (code: number): number => decode(code, 4);
export const decodeTime16 = (code: number): number => decode(code, 12);

/** The code for the largest time that is not above `value`. */
export const encodeTime8 = (value: number): number => encode(value, 4);
export const encodeTime16 = (value: number): number => encode(value, 12);

function decode(code: number, mantissaBits: number): number {
  if (code < 1 << (mantissaBits + 3)) return code;
  const mantissa = code & ((1 << mantissaBits) - 1);
  const exponent = (code >>> mantissaBits) & 7;
  return (mantissa | (1 << mantissaBits)) << (exponent + 3);
}

function encode(value: number, mantissaBits: number): number {
  const first = 1 << (mantissaBits + 3);
  if (value < first) return value;
  let exponent = 0;
  while (exponent < 7 && value >= first << (exponent + 1)) exponent++;
  const limit = (1 << (mantissaBits + 1)) - 1;
  const mantissa = Math.min(value >>> (exponent + 3), limit) & ((1 << mantissaBits) - 1);
  return first | (exponent << mantissaBits) | mantissa;
}
