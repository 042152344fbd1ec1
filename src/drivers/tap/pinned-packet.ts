import { PinnedMemory } from "../../native/memory.ts";
import { MAX_FRAME, PACKET_HEADROOM, Packet } from "../../netstack/packet.ts";

/** A packet for the longest frame, in memory that native code may use as long as the packet is reachable. */
export function pinnedPacket(): Packet {
  const { bytes, address } = new PinnedMemory(PACKET_HEADROOM + MAX_FRAME);
  // Not as a Buffer: all packets are to look the same to the optimiser.
  return new Packet(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), address);
}
