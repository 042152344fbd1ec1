import { PinnedMemory } from "../memory.ts";

/** Room for what 64 KiB of ciphertext and the rest of a record before them decrypt to. */
const BYTES = 96 * 1024;
/** Buffers that are kept; more than one is in use only where a connection runs inside of another. */
const KEPT = 4;

const free: PinnedMemory[] = [];

/** Memory to decrypt into, for the length of a call. */
export const takePlaintext = (): PinnedMemory => free.pop() ?? new PinnedMemory(BYTES);

export function givePlaintext(memory: PinnedMemory): void {
  if (free.length < KEPT) free.push(memory);
}
