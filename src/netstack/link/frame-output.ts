import type { Mac } from "../../wire/mac.ts";
import type { Packet } from "../packet.ts";

/** What ARP and neighbour discovery need of Ethernet. */
export interface FrameOutput {
  readonly mac: Mac;
  /** Puts a header before packet[start, end) and sends the frame; lost when the device has no room. */
  sendFrame(destination: Mac, etherType: number, packet: Packet): void;
}
