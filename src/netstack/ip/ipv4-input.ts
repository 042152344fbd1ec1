import { IpProtocol } from "../../wire/ip-protocol.ts";
import { IPV4_HEADER_LENGTH, Ipv4View } from "../../wire/ipv4.ts";
import { Ipv4Options, Ipv4OptionType } from "../../wire/ipv4-options.ts";
import type { Reassembler } from "../fragments/reassembler.ts";
import type { IcmpErrors } from "../icmp/error-sender.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { MAPPED } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { IpCounters } from "./counters.ts";
import type { LocalDelivery } from "./delivery.ts";
import type { Forwarding } from "./forwarding.ts";
import { isDirectedBroadcast, type LocalAddresses } from "./local-addresses.ts";

/** What both inputs use. */
export interface InputParts {
  readonly inbound: Inbound;
  readonly local: LocalAddresses;
  readonly delivery: LocalDelivery;
  readonly forwarding: Forwarding;
  readonly reassembler: Reassembler;
  readonly errors: IcmpErrors;
}

/** IPv4 packets as they come from links (RFC 791, RFC 1122 §3.2, RFC 1812 §5.2). */
export class Ipv4Input {
  readonly #parts: InputParts;
  readonly #counters: IpCounters;
  readonly #view = new Ipv4View();
  readonly #options = new Ipv4Options();

  constructor(parts: InputParts, counters: IpCounters) {
    this.#parts = parts;
    this.#counters = counters;
  }

  /** `looped`: from this host, back from a group. */
  receive(from: Interface, packet: Packet, linkGroup: boolean, looped: boolean): void {
    const counters = this.#counters;
    counters.inReceives++;
    counters.inBytes += packet.end - packet.start;
    const view = this.#view;
    if (view.wrap(packet.view, packet.start, packet.end) !== "ok" || !view.checksumVerifies) {
      counters.inHeaderErrors++;
      from.counters.inErrors++;
      return;
    }
    // What a short frame was padded with is no part of the packet (RFC 894).
    packet.end = view.payloadEnd;
    const inbound = this.#parts.inbound;
    this.#describe(inbound, from, packet, linkGroup);
    if (!(looped || this.#isFromSomewhere(from, inbound)) || !this.#isToSomewhere(from, inbound)) {
      counters.inAddressErrors++;
      return;
    }
    const cast = this.#parts.local.castIpv4(from, inbound.d3);
    inbound.cast = cast ?? (inbound.d3 >>> 28 === 0xe ? "multicast" : "unicast");
    if (view.headerLength > IPV4_HEADER_LENGTH && !this.#acceptOptions(inbound)) {
      counters.inHeaderErrors++;
      return;
    }
    if (cast !== null) this.#take(inbound);
    else if (!this.#isTakenAnyway(inbound)) this.#passOn(from, inbound);
  }

  #describe(inbound: Inbound, from: Interface, packet: Packet, linkGroup: boolean): void {
    const view = this.#view;
    inbound.readIpv4(packet.view, view.start);
    inbound.packet = packet;
    inbound.interface = from;
    inbound.payloadStart = view.payloadStart;
    inbound.payloadEnd = view.payloadEnd;
    inbound.cast = "unicast";
    inbound.linkGroup = linkGroup;
    inbound.reassembled = false;
  }

  /** RFC 1122 §3.2.1.3, RFC 1812 §5.3.7: sources that no packet on a link has. */
  #isFromSomewhere(from: Interface, { s3, d3 }: Inbound): boolean {
    if (from.device.medium === "loopback") return true;
    const net = s3 >>> 24;
    if (net === 127 || net >= 224) return false;
    // Who has no address yet speaks to all (RFC 2131 §4.1) or to routers (RFC 3376 §4.2.13).
    if (net === 0) return s3 === 0 && (d3 === -1 || d3 >>> 28 === 0xe);
    if (isDirectedBroadcast(from, s3)) return false;
    // Ours: looped by the link, or forged.
    return !this.#parts.local.has(0, 0, MAPPED, s3);
  }

  /** Neither 0/8 nor, on a link, 127/8, nor class E but the broadcast. */
  #isToSomewhere(from: Interface, { d3 }: Inbound): boolean {
    const net = d3 >>> 24;
    if (net === 127) return from.device.medium === "loopback";
    return net !== 0 && (net < 240 || d3 === -1);
  }

  /** RFC 7126 §4.3, §4.4: packets that bring their route are dropped, without a word. */
  #acceptOptions(inbound: Inbound): boolean {
    const options = this.#options;
    const { headerStart, payloadStart, packet } = inbound;
    options.reset(packet.view, headerStart + IPV4_HEADER_LENGTH, payloadStart);
    let status = options.step();
    for (; status === "ok"; status = options.step()) {
      const { type } = options;
      if (type === Ipv4OptionType.looseSourceRoute) return false;
      if (type === Ipv4OptionType.strictSourceRoute) return false;
    }
    if (status === "end") return true;
    // RFC 1122 §3.2.2.5.
    this.#parts.errors.parameterProblem(inbound, 0, options.next - headerStart);
    return false;
  }

  /** RFC 2131 §4.1: offers may be sent to the address that the client is to get, before it has one. */
  #isTakenAnyway(inbound: Inbound): boolean {
    if (inbound.protocol !== IpProtocol.udp || inbound.d3 >>> 28 === 0xe || this.#view.isFragment) {
      return false;
    }
    if (!this.#parts.delivery.offerUnassigned(inbound)) return false;
    this.#counters.inDelivers++;
    return true;
  }

  #take(inbound: Inbound): void {
    const counters = this.#counters;
    if (inbound.cast === "unicast") {
      // RFC 1122 §3.3.6: a frame to all with a packet to one is a mistake or worse.
      if (inbound.linkGroup) {
        counters.inDiscards++;
        return;
      }
    } else if (inbound.cast === "multicast") counters.inMulticast++;
    else counters.inBroadcast++;
    if (!this.#parts.forwarding.isReversePath(inbound)) counters.inDiscards++;
    else if (this.#view.isFragment) this.#reassemble(inbound);
    else this.#parts.delivery.deliver(inbound, counters);
  }

  #reassemble(inbound: Inbound): void {
    const counters = this.#counters;
    counters.reassemblyRequired++;
    const { interface: from, linkGroup, cast } = inbound;
    const whole = this.#parts.reassembler.addIpv4(inbound);
    if (whole === null) return;
    const view = this.#view;
    if (view.wrap(whole.view, whole.start, whole.end) !== "ok" || view.isFragment) {
      counters.reassemblyFailures++;
      return;
    }
    counters.reassembled++;
    this.#describe(inbound, from, whole, linkGroup);
    inbound.cast = cast;
    inbound.reassembled = true;
    this.#parts.delivery.deliver(inbound, counters);
  }

  #passOn(from: Interface, inbound: Inbound): void {
    if (!from.settings.forwarding) {
      this.#counters.inNotForUs++;
      from.counters.inDiscards++;
    } else if (inbound.linkGroup || inbound.cast === "multicast") this.#counters.inDiscards++;
    else this.#parts.forwarding.forwardIpv4(inbound);
  }
}
