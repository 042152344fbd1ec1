/** A TCP sequence number: an unsigned 32-bit integer on a circle (RFC 9293 §3.4). */
export type Seq = number & { readonly __seq: unique symbol };

/** The low 32 bits of any integer as a sequence number. */
export const seq = (n: number): Seq => (n >>> 0) as Seq;

/** `a` moved by `n` bytes, forward or (n < 0) back; |n| below 2⁵². */
export const seqAdd = (a: Seq, n: number): Seq => ((a + n) >>> 0) as Seq;

/**
 * How far `a` lies ahead of `b`, −2³¹ to 2³¹ − 1. Two numbers exactly 2³¹ apart are each behind the
 * other: comparisons mean something only for numbers of one window, which RFC 7323 §2.2 keeps below 2³⁰.
 */
export const seqDiff = (a: Seq, b: Seq): number => (a - b) | 0;

export const seqLt = (a: Seq, b: Seq): boolean => ((a - b) | 0) < 0;
export const seqLe = (a: Seq, b: Seq): boolean => ((a - b) | 0) <= 0;
export const seqGt = (a: Seq, b: Seq): boolean => ((a - b) | 0) > 0;
export const seqGe = (a: Seq, b: Seq): boolean => ((a - b) | 0) >= 0;

export const seqMax = (a: Seq, b: Seq): Seq => (((a - b) | 0) >= 0 ? a : b);
export const seqMin = (a: Seq, b: Seq): Seq => (((a - b) | 0) <= 0 ? a : b);

/** start ≤ a < start + length, for a length of up to 2³². */
export const seqInWindow = (a: Seq, start: Seq, length: number): boolean =>
  (a - start) >>> 0 < length;

/** start ≤ a ≤ end going round from `start` to `end`: "SND.UNA =< SEG.ACK =< SND.NXT". */
export const seqBetween = (a: Seq, start: Seq, end: Seq): boolean =>
  (a - start) >>> 0 <= (end - start) >>> 0;

/**
 * The four cases of RFC 9293 §3.4 (and table 6 of §3.10.7.4): does a segment of `length` (SYN and FIN
 * counted) at `sequence` touch the receive window [next, next + window)?
 */
export function seqAcceptable(sequence: Seq, length: number, next: Seq, window: number): boolean {
  if (length === 0) return window === 0 ? sequence === next : seqInWindow(sequence, next, window);
  if (window === 0) return false;
  return (
    seqInWindow(sequence, next, window) || seqInWindow(seqAdd(sequence, length - 1), next, window)
  );
}
