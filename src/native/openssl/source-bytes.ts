import { copyBytes } from "../../core/bytes.ts";
import { addressOf } from "../libc.ts";
import { PinnedMemory } from "../memory.ts";

/** Up to this length a copy is cheaper than to ask for an address (180 ns), whoever the bytes are. */
const COPIED = 4 * 1024;

let small: PinnedMemory | null = null;
let last: Uint8Array | null = null;
let lastAddress = 0;

/**
 * The address at which native code finds bytes[start, end) until the next call of this function. Throws
 * a RangeError where there are no such bytes. The caller keeps `bytes` reachable.
 */
export function addressOfRange(bytes: Uint8Array, start: number, end: number): number {
  // Once an array's memory was given away its length is 0, so a remembered address is not used.
  if (!(start >= 0 && start <= end && end <= bytes.length)) {
    throw new RangeError(`bytes [${start}, ${end}) of a buffer of ${bytes.length}`);
  }
  if (bytes === last) return lastAddress + start;
  if (end - start <= COPIED) {
    small ??= new PinnedMemory(COPIED);
    copyBytes(bytes, start, end, small.bytes, 0);
    return small.address;
  }
  last = bytes;
  lastAddress = addressOf(bytes);
  return lastAddress + start;
}
