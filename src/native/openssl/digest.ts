import { PinnedMemory } from "../memory.ts";
import { withBytes } from "./borrowed.ts";
import { openssl } from "./functions.ts";

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new PinnedMemory(32);
  withBytes(bytes, (address) => openssl().SHA256(address, bytes.length, digest.address));
  return Uint8Array.from(digest.bytes);
}
