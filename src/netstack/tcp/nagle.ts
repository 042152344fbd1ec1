import { seqGt } from "../../wire/seq.ts";
import type { SendSpace } from "./send-space.ts";

/**
 * Whether what is left, less than a full segment, has to wait for more: RFC 9293 §3.7.4 (Nagle) in Minshall's
 * variant (draft-minshall-nagle), where only another small segment in flight holds it back.
 */
export const holdsBack = (snd: SendSpace, noDelay: boolean, corked: boolean): boolean => {
  if (snd.finQueued) return false;
  if (corked) return true;
  return !noDelay && seqGt(snd.smallEnd, snd.una);
};

/** RFC 9293 §3.8.6.2.1: into a window that admits neither a segment nor all data, half of it at least. */
export const isSilly = (snd: SendSpace, length: number): boolean => length < snd.maxWindow >>> 1;
