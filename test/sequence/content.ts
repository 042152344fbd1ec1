import { allocBytes } from "../../src/core/bytes.ts";

const known = new Map<string, Uint8Array>();

/** The `size` bytes that belong to `tag` and to nothing else: what is lost, doubled or swapped shows. */
export function contentOf(tag: string, size: number): Uint8Array {
  const key = `${tag} ${size}`;
  let bytes = known.get(key);
  if (bytes === undefined) {
    bytes = allocBytes(size);
    let state = hashOf(tag) | 1;
    for (let i = 0; i < size; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes[i] = state & 0xff;
    }
    known.set(key, bytes);
  }
  return bytes;
}

/** Between two runs: the bytes of the last one are of no use any more. */
export function forgetContents(): void {
  known.clear();
}

/** Each byte xor `mask`, as a new array; what filters and echoes here do to what passes. */
export function masked(bytes: Uint8Array, mask: number): Uint8Array {
  const out = allocBytes(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i]! ^ mask;
  return out;
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}
