import { functionsAvailable } from "./functions.ts";
import { checkRecordBuffers } from "./record-buffers.ts";

let verdict: string | null | undefined;

/**
 * Why OpenSSL cannot be used here, as words for a user; null when it can. Never throws. It is tried
 * out once a thread: what we rely on beyond documented functions is seen to hold, or it is refused.
 */
export function opensslAvailable(): string | null {
  if (verdict === undefined) verdict = functionsAvailable() ?? checkRecordBuffers();
  return verdict;
}
