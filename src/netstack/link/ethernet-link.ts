import { EtherType } from "../../wire/ethernet.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import type { Mac } from "../../wire/mac.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface, LinkLayer, NetworkInput } from "../interface.ts";
import type { IpLayer, SendVerdict } from "../ip/ip-layer.ts";
import { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import { AddressConflicts } from "./address-conflict.ts";
import { Arp } from "./arp.ts";
import { ArpOutput } from "./arp-output.ts";
import { DuplicateDetection } from "./duplicate-detection.ts";
import type { FrameOutput } from "./frame-output.ts";
import { NdpNeighbors } from "./ndp-neighbors.ts";
import { NdpOutput } from "./ndp-output.ts";
import { macHighOf, type Neighbor } from "./neighbor.ts";
import { type NeighborOutput, NeighborTable } from "./neighbor-table.ts";

/** Offsets in an Ethernet II header (RFC 894, RFC 2464), and its length without and with a VLAN tag. */
const SOURCE = 6;
const TYPE = 12;
const HEADER = 14;
const TAGGED_HEADER = 18;
/** Below this the field is the length of an IEEE 802.3 frame. */
const FIRST_TYPE = 0x0600;

/**
 * Ethernet II. Neighbours are found by ARP and neighbour discovery. Frames for other stations, with an
 * IEEE 802.3 length, or of another VLAN than the interface's are dropped and counted (`inDiscards`);
 * groups are for IP to filter, which knows who joined.
 */
export class EthernetLink implements LinkLayer, FrameOutput, NeighborOutput {
  readonly mac: Mac;
  readonly neighbors: NeighborTable;
  readonly conflicts: AddressConflicts;
  readonly detection: DuplicateDetection;
  readonly #iface: Interface;
  readonly #input: NetworkInput;
  readonly #arp: Arp;
  readonly #ndp: NdpNeighbors;
  readonly #macHigh: number;
  readonly #macLow: number;

  constructor(
    context: StackContext,
    iface: Interface,
    input: NetworkInput,
    ip: Pick<IpLayer, "onIcmpv6">,
  ) {
    this.#iface = iface;
    this.#input = input;
    this.mac = iface.device.mac;
    this.#macHigh = macHighOf(this.mac);
    this.#macLow = this.mac | 0;
    this.neighbors = new NeighborTable(context, iface.name, this);
    const arpOutput = new ArpOutput(this);
    this.conflicts = new AddressConflicts(context, iface, arpOutput);
    this.#arp = new Arp(iface, this, arpOutput, this.neighbors, this.conflicts);
    const ndpOutput = new NdpOutput(this);
    this.detection = new DuplicateDetection(context, iface, ndpOutput, this.neighbors);
    this.#ndp = new NdpNeighbors(context, iface, ndpOutput, this.neighbors, this.detection);
    ip.onIcmpv6(Icmpv6Type.neighborSolicitation, takeNeighborMessage);
    ip.onIcmpv6(Icmpv6Type.neighborAdvertisement, takeNeighborMessage);
    this.neighbors.watch({ onUnreachable: (packet) => input.undeliverable(iface, packet) });
    iface.watch({ onDown: () => this.reset() });
  }

  send(nextHop: Ip, packet: Packet): SendVerdict {
    const neighbor = this.neighbors.find(nextHop);
    if (neighbor === null || !neighbor.ready) return this.#sendElse(neighbor, nextHop, packet);
    neighbor.used = true;
    const type = nextHop.version === 4 ? EtherType.ipv4 : EtherType.ipv6;
    return this.#transmit(neighbor.macHigh, neighbor.macLow, type, packet) ? "sent" : "full";
  }

  receive(packet: Packet): void {
    const { view, start, end } = packet;
    if (end - start < HEADER) {
      this.#iface.counters.inErrors++;
      return;
    }
    const high = view.getUint16(start);
    const group = (high & 0x0100) !== 0;
    const ours = high === this.#macHigh && view.getInt32(start + 2) === this.#macLow;
    // Not for us; or sent as a group, which no station is (IEEE 802.3 §3.2.4).
    if ((!ours && !group) || (view.getUint8(start + SOURCE) & 0x01) !== 0) {
      this.#iface.counters.inDiscards++;
      return;
    }
    const type = view.getUint16(start + TYPE);
    packet.start = start + HEADER;
    if (type === EtherType.vlan || this.#iface.settings.vlan !== 0) {
      this.#receiveTagged(packet, type, group);
    } else this.#receiveType(packet, type, group);
  }

  confirm(nextHop: Ip): void {
    this.neighbors.confirm(nextHop);
  }

  reset(): void {
    this.neighbors.reset();
  }

  /** A neighbour solicitation or advertisement. */
  receiveNdp(inbound: Inbound): void {
    this.#ndp.receive(inbound);
  }

  solicit(neighbor: Neighbor, cast: "multicast" | "unicast"): void {
    if (neighbor.ip.version === 4) this.#arp.solicit(neighbor, cast);
    else this.#ndp.solicit(neighbor, cast);
  }

  deliver(neighbor: Neighbor, packet: Packet): void {
    const type = neighbor.ip.version === 4 ? EtherType.ipv4 : EtherType.ipv6;
    if (!this.#transmit(neighbor.macHigh, neighbor.macLow, type, packet)) {
      this.#iface.counters.outDiscards++;
    }
  }

  sendFrame(destination: Mac, etherType: number, packet: Packet): void {
    if (!this.#transmit(macHighOf(destination), destination | 0, etherType, packet)) {
      this.#iface.counters.outDiscards++;
    }
  }

  #receiveTagged(packet: Packet, type: number, group: boolean): void {
    const { view, start, end } = packet;
    let id = 0;
    let inner = type;
    if (type === EtherType.vlan) {
      if (end - start < TAGGED_HEADER - HEADER) {
        this.#iface.counters.inErrors++;
        return;
      }
      id = view.getUint16(start) & 0x0fff;
      inner = view.getUint16(start + 2);
      packet.start = start + (TAGGED_HEADER - HEADER);
    }
    // IEEE 802.1Q §9.6: identifier 0 is a priority alone; such a frame counts as untagged.
    if (id === this.#iface.settings.vlan) this.#receiveType(packet, inner, group);
    else this.#iface.counters.inDiscards++;
  }

  #receiveType(packet: Packet, type: number, group: boolean): void {
    switch (type) {
      case EtherType.ipv4:
        this.#input.receiveIpv4(this.#iface, packet, group);
        return;
      case EtherType.ipv6:
        this.#input.receiveIpv6(this.#iface, packet, group);
        return;
      case EtherType.arp:
        this.#arp.receive(packet.view, packet.start, packet.end);
        return;
      default:
        if (type < FIRST_TYPE && packet.end - packet.start < type) this.#iface.counters.inErrors++;
        else this.#iface.counters.inDiscards++;
    }
  }

  /** To a group, to all, or to a neighbour that is not known or not fresh. */
  #sendElse(known: Neighbor | null, nextHop: Ip, packet: Packet): SendVerdict {
    if (!this.#iface.up) return "unreachable";
    const { w3 } = nextHop;
    if (nextHop.version === 6) {
      // RFC 2464 §7: 33:33 and the low 32 bits.
      if (nextHop.isMulticast) return this.#sendGroup(0x3333, w3, EtherType.ipv6, packet);
    } else if (nextHop.isMulticast) {
      // RFC 1112 §6.4: 01:00:5e and the low 23 bits.
      return this.#sendGroup(0x0100, 0x5e00_0000 | (w3 & 0x7f_ffff), EtherType.ipv4, packet);
    } else if (this.#isBroadcast(w3)) {
      return this.#sendGroup(0xffff, -1, EtherType.ipv4, packet);
    }
    const source = known === null || known.state === "failed" ? this.#sourceOf(packet) : null;
    const admission = this.neighbors.admit(known, nextHop, packet, source);
    if (admission === "waiting") return "sent";
    return admission === "ready" && known !== null ? this.send(nextHop, packet) : "unreachable";
  }

  #sendGroup(macHigh: number, macLow: number, type: number, packet: Packet): SendVerdict {
    return this.#transmit(macHigh, macLow, type, packet) ? "sent" : "full";
  }

  /** 255.255.255.255, or all hosts of a network of ours (RFC 919; not of one of 31 bits, RFC 3021). */
  #isBroadcast(address: number): boolean {
    if (address === -1) return true;
    const { all } = this.#iface.addresses;
    for (let i = 0; i < all.length; i++) {
      const { ip, length } = all[i]!.prefix;
      if (ip.version !== 4 || length > 30) continue;
      if (address === (ip.w3 | (length === 0 ? -1 : (1 << (32 - length)) - 1))) return true;
    }
    return false;
  }

  /** The packet's source, when it is an address of this interface. */
  #sourceOf(packet: Packet): Ip | null {
    const { view, start, end } = packet;
    if (end - start < 20) return null;
    if (view.getUint8(start) >>> 4 === 4) return Ip.read4(view, start + 12);
    return end - start < 40 ? null : Ip.read6(view, start + 8);
  }

  /** The header goes in front of packet[start, end); afterwards the packet is as it was. */
  #transmit(macHigh: number, macLow: number, type: number, packet: Packet): boolean {
    const { vlan } = this.#iface.settings;
    if (vlan !== 0) return this.#transmitTagged(macHigh, macLow, type, vlan, packet);
    const { start, view } = packet;
    const at = start - HEADER;
    view.setUint16(at, macHigh);
    view.setInt32(at + 2, macLow);
    view.setUint16(at + SOURCE, this.#macHigh);
    view.setInt32(at + SOURCE + 2, this.#macLow);
    view.setUint16(at + TYPE, type);
    packet.start = at;
    const taken = this.#iface.transmit(packet);
    packet.start = start;
    return taken;
  }

  #transmitTagged(
    macHigh: number,
    macLow: number,
    type: number,
    vlan: number,
    packet: Packet,
  ): boolean {
    const { start, view } = packet;
    const at = start - TAGGED_HEADER;
    view.setUint16(at, macHigh);
    view.setInt32(at + 2, macLow);
    view.setUint16(at + SOURCE, this.#macHigh);
    view.setInt32(at + SOURCE + 2, this.#macLow);
    view.setUint16(at + TYPE, EtherType.vlan);
    view.setUint16(at + HEADER, vlan & 0x0fff);
    view.setUint16(at + HEADER + 2, type);
    packet.start = at;
    const taken = this.#iface.transmit(packet);
    packet.start = start;
    return taken;
  }
}

/** One function for all interfaces: whoever registers it last, each message goes to where it came in. */
function takeNeighborMessage(inbound: Inbound): void {
  const { link } = inbound.interface;
  if (link instanceof EthernetLink) link.receiveNdp(inbound);
}
