/** RFC 6928 §2, in bytes: ten segments, yet not above 14,600 bytes unless two segments are more. */
export const initialWindow = (mss: number): number => Math.min(10 * mss, Math.max(2 * mss, 14_600));
