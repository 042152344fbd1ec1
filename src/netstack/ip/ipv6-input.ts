import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv6View } from "../../wire/ipv6.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { MAPPED } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { IpCounters } from "./counters.ts";
import { ExtensionHeaders } from "./extension-headers.ts";
import type { InputParts } from "./ipv4-input.ts";

const NEXT_HEADER = 6;
/** What a packet has whose headers could not be walked: a reserved protocol number. */
const UNKNOWN = 255;

/** IPv6 packets as they come from links (RFC 8200, RFC 4291). */
export class Ipv6Input {
  readonly #parts: InputParts;
  readonly #counters: IpCounters;
  readonly #view = new Ipv6View();
  readonly #walker = new Ipv6Walker();
  readonly #extensions: ExtensionHeaders;

  constructor(parts: InputParts, counters: IpCounters) {
    this.#parts = parts;
    this.#counters = counters;
    this.#extensions = new ExtensionHeaders(parts.errors);
  }

  /** `looped`: from this host, back from a group. */
  receive(from: Interface, packet: Packet, linkGroup: boolean, looped: boolean): void {
    const counters = this.#counters;
    counters.inReceives++;
    counters.inBytes += packet.end - packet.start;
    const view = this.#view;
    if (view.wrap(packet.view, packet.start, packet.end) !== "ok") {
      counters.inHeaderErrors++;
      from.counters.inErrors++;
      return;
    }
    packet.end = view.payloadEnd;
    const inbound = this.#parts.inbound;
    this.#describe(inbound, from, packet, linkGroup);
    if (!(looped || this.#isFromSomewhere(from, inbound)) || !this.#isToSomewhere(from, inbound)) {
      counters.inAddressErrors++;
      return;
    }
    const { d0, d1, d2, d3 } = inbound;
    const cast = this.#parts.local.castIpv6(from, d0, d1, d2, d3);
    inbound.cast = cast ?? (d0 >>> 24 === 0xff ? "multicast" : "unicast");
    const walked = this.#walk(inbound);
    if (cast === null) this.#passOn(from, inbound);
    else if (walked) this.#take(inbound);
    else {
      counters.inHeaderErrors++;
      const { problemAt } = this.#walker;
      // RFC 8200 §4.1: hop-by-hop options elsewhere than first are an unrecognized next header.
      if (problemAt >= 0) this.#parts.errors.parameterProblem(inbound, 1, problemAt - view.start);
    }
  }

  #describe(inbound: Inbound, from: Interface, packet: Packet, linkGroup: boolean): void {
    const { start, payloadEnd } = this.#view;
    inbound.readIpv6(packet.view, start);
    inbound.packet = packet;
    inbound.interface = from;
    inbound.payloadStart = start + 40;
    inbound.payloadEnd = payloadEnd;
    inbound.cast = "unicast";
    inbound.linkGroup = linkGroup;
    inbound.reassembled = false;
  }

  /** RFC 4291 §2.5.3, §2.7; RFC 4038 §4.2 for mapped addresses. */
  #isFromSomewhere(from: Interface, { s0, s1, s2, s3, d0 }: Inbound): boolean {
    if (s0 >>> 24 === 0xff || isMapped(s0, s1, s2)) return false;
    if (from.device.medium === "loopback") return true;
    // Unspecified: duplicate address detection and MLD, which speak to groups; ::1 never.
    if ((s0 | s1 | s2) === 0 && s3 >>> 0 <= 1) return s3 === 0 && d0 >>> 24 === 0xff;
    // RFC 4862 §5.4.3 needs to see solicitations that come from our tentative addresses: those are
    // not `has`.
    return !this.#parts.local.has(s0, s1, s2, s3);
  }

  /** RFC 4291 §2.7: groups of scope 0 and, on a link, of scope 1 are not to arrive. */
  #isToSomewhere(from: Interface, { d0, d1, d2, d3 }: Inbound): boolean {
    if (isMapped(d0, d1, d2)) return false;
    const inside = from.device.medium === "loopback";
    if (d0 >>> 24 === 0xff) return ((d0 >>> 16) & 0xf) > (inside ? 0 : 1);
    if ((d0 | d1 | d2) === 0 && d3 >>> 0 <= 1) return d3 === 1 && inside;
    return true;
  }

  /** Finds the payload behind extension headers. False: there is none to be found. */
  #walk(inbound: Inbound): boolean {
    const { protocol, packet, payloadStart, payloadEnd } = inbound;
    const walker = this.#walker;
    if (protocol === IpProtocol.tcp || protocol === IpProtocol.udp) {
      walker.fragmentAt = -1;
      return true;
    }
    const at = inbound.headerStart + NEXT_HEADER;
    const status = walker.wrap(packet.view, payloadStart, payloadEnd, protocol, at);
    if (status === "ok") {
      inbound.protocol = walker.protocol;
      inbound.payloadStart = walker.payloadStart;
      return true;
    }
    inbound.protocol = UNKNOWN;
    return false;
  }

  #take(inbound: Inbound): void {
    const counters = this.#counters;
    if (inbound.cast === "multicast") counters.inMulticast++;
    else if (inbound.linkGroup) {
      counters.inDiscards++;
      return;
    }
    const fast = inbound.payloadStart === inbound.headerStart + 40;
    if (!this.#parts.forwarding.isReversePath(inbound)) counters.inDiscards++;
    else if (!fast && !this.#extensions.accept(inbound, this.#walker)) counters.inHeaderErrors++;
    else if (this.#walker.fragmentAt >= 0) this.#reassemble(inbound);
    else this.#parts.delivery.deliver(inbound, counters);
  }

  #reassemble(inbound: Inbound): void {
    const counters = this.#counters;
    const { reassembler, errors } = this.#parts;
    counters.reassemblyRequired++;
    const { interface: from, linkGroup, cast } = inbound;
    const whole = reassembler.addIpv6(inbound, this.#walker.fragmentAt);
    if (whole === null) {
      const { fault } = reassembler;
      if (fault !== null) errors.parameterProblem(inbound, fault.code, fault.pointer);
      return;
    }
    if (this.#view.wrap(whole.view, whole.start, whole.end) !== "ok") {
      counters.reassemblyFailures++;
      return;
    }
    this.#describe(inbound, from, whole, linkGroup);
    inbound.cast = cast;
    inbound.reassembled = true;
    if (!this.#walk(inbound) || this.#walker.fragmentAt >= 0) {
      counters.reassemblyFailures++;
      return;
    }
    counters.reassembled++;
    const fast = inbound.payloadStart === inbound.headerStart + 40;
    if (fast || this.#extensions.accept(inbound, this.#walker)) {
      this.#parts.delivery.deliver(inbound, counters);
    }
  }

  #passOn(from: Interface, inbound: Inbound): void {
    if (!from.settings.forwarding) {
      this.#counters.inNotForUs++;
      from.counters.inDiscards++;
    } else if (inbound.linkGroup || inbound.cast === "multicast") this.#counters.inDiscards++;
    else this.#parts.forwarding.forwardIpv6(inbound);
  }
}

/** ::ffff:0:0/96: a way to write IPv4 addresses, not for packets. */
const isMapped = (w0: number, w1: number, w2: number): boolean => (w0 | w1) === 0 && w2 === MAPPED;
