import { PinnedMemory, putPointer } from "../memory.ts";

/** What is in use by a call: reachable from here, so that the collector leaves it alone meanwhile. */
const inUse: PinnedMemory[] = [];

/**
 * Calls with the address of a copy of `bytes`, which lives for the length of the call and is then filled
 * with zeros.
 */
export function withBytes<T>(bytes: Uint8Array, call: (address: number) => T): T {
  const memory = new PinnedMemory(bytes.length);
  memory.bytes.set(bytes);
  inUse.push(memory);
  try {
    return call(memory.address);
  } finally {
    inUse.pop();
    memory.bytes.fill(0);
  }
}

/** The same with the address of a pointer to the copy, as d2i functions want it: they move it on. */
export const withPointer = <T>(bytes: Uint8Array, call: (pointer: number) => T): T =>
  withBytes(bytes, (address) => {
    const pointer = new PinnedMemory(8);
    putPointer(pointer.words, 0, address);
    inUse.push(pointer);
    try {
      return call(pointer.address);
    } finally {
      inUse.pop();
    }
  });
