import type { Mac } from "../../wire/mac.ts";
import type { SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";

/** What ARP and neighbour discovery need of Ethernet. */
export interface FrameOutput {
  readonly mac: Mac;
  /** Puts a header before packet[start, end) and sends the frame; lost when the device has no room. */
  sendFrame(destination: Mac, etherType: number, packet: Packet): void;
  /** Sends an IP packet, as `LinkLayer` says: the neighbour may have to be found first. */
  send(nextHop: Ip, packet: Packet): SendVerdict;
}
