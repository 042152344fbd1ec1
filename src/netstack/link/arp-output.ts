import { ArpOperation, emitArp } from "../../wire/arp.ts";
import { EtherType } from "../../wire/ethernet.ts";
import { BROADCAST_MAC, type Mac } from "../../wire/mac.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import type { FrameOutput } from "./frame-output.ts";

/** Nobody's: what a request asks for, and a probe is sent from. */
const NONE = 0;

/**
 * Sends ARP packets (RFC 826, RFC 5227 §3). Addresses are words of `Ip`. It has memory of its own: a
 * request goes out while the packet that prompts it lies in the stack's.
 */
export class ArpOutput {
  readonly #link: FrameOutput;
  readonly #packet = Packet.allocate(PACKET_HEADROOM + 64);

  constructor(link: FrameOutput) {
    this.#link = link;
  }

  /** Asks all for `target`, or the neighbour itself whether it is still there (RFC 1122 §2.3.2.1). */
  request(target: number, sender: number, destination: Mac = BROADCAST_MAC): void {
    this.#send(ArpOperation.request, sender, NONE, target, destination);
  }

  reply(sender: number, targetMac: Mac, target: number): void {
    this.#send(ArpOperation.reply, sender, targetMac, target, targetMac);
  }

  /** Asks for `address` without claiming one (RFC 5227 §2.1.1). */
  probe(address: number): void {
    this.#send(ArpOperation.request, NONE, NONE, address, BROADCAST_MAC);
  }

  /** Tells all that `address` is ours (RFC 5227 §2.3): a request for itself. */
  announce(address: number): void {
    this.#send(ArpOperation.request, address, NONE, address, BROADCAST_MAC);
  }

  #send(operation: number, sender: number, targetMac: Mac, target: number, destination: Mac): void {
    const packet = this.#packet;
    packet.reset();
    const repr = {
      operation,
      senderMac: this.#link.mac,
      senderIp: sender >>> 0,
      targetMac,
      targetIp: target >>> 0,
    };
    packet.end = emitArp(repr, packet.view, packet.start);
    this.#link.sendFrame(destination, EtherType.arp, packet);
  }
}
