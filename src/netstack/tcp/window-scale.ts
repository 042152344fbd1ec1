/** RFC 7323 §2.3. */
const MAX_SHIFT = 14;

/** The least shift with which a window of `bytes` can be told. */
export function shiftFor(bytes: number): number {
  let shift = 0;
  while (shift < MAX_SHIFT && 0xffff << shift < bytes) shift++;
  return shift;
}
