import { ICMPV4_HEADER_LENGTH, Icmpv4Type, Icmpv4View, UnreachableV4 } from "../../wire/icmpv4.ts";
import { Icmpv6Type, Icmpv6View, UnreachableV6 } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Inbound } from "../inbound.ts";
import type { IcmpCounters } from "../ip/counters.ts";
import type { IpLayer, Path, PathConstraint } from "../ip/ip-layer.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import { isAnswerableIpv4, isAnswerableIpv6 } from "./answerable.ts";
import { pseudoSumOf } from "./pseudo-sum.ts";
import { writeQuote } from "./quote.ts";
import type { RateLimit } from "./rate-limit.ts";

/** RFC 1812 §4.3.2.3: as much as fits in 576 octets. */
const MAX_IPV4 = 576 - 20;
/** RFC 4443 §2.4 (c): as much as fits in the minimum MTU. */
const MAX_IPV6 = 1280 - 40;
/** RFC 1812 §4.3.2.5: precedence "internetwork control". */
const TRAFFIC_CLASS_IPV4 = 0xc0;

/** Tells senders what became of their packets, as often as `limits.icmpErrorsPerSecond` allows. */
export class IcmpErrors {
  readonly #ip: IpLayer;
  readonly #limit: RateLimit;
  readonly #counters4: IcmpCounters;
  readonly #counters6: IcmpCounters;
  /** Of its own: an error may be due while a transport builds in the stack's. */
  readonly #packet = Packet.allocate(PACKET_HEADROOM + MAX_IPV6);
  readonly #view4 = new Icmpv4View();
  readonly #view6 = new Icmpv6View();

  constructor(ip: IpLayer, limit: RateLimit, counters4: IcmpCounters, counters6: IcmpCounters) {
    this.#ip = ip;
    this.#limit = limit;
    this.#counters4 = counters4;
    this.#counters6 = counters6;
  }

  portUnreachable(about: Inbound): void {
    if (about.version === 4) this.#unreachable4(about, UnreachableV4.port);
    else this.#unreachable6(about, UnreachableV6.port);
  }

  /** `pointer`: where IPv6's next header field is, from the start of the packet. */
  protocolUnreachable(about: Inbound, pointer: number): void {
    if (about.version === 4) this.#unreachable4(about, UnreachableV4.protocol);
    // RFC 4443 §3.4, code 1: unrecognized next header.
    else this.parameterProblem(about, 1, pointer);
  }

  noRoute(about: Inbound): void {
    if (about.version === 4) this.#unreachable4(about, UnreachableV4.network);
    else this.#unreachable6(about, UnreachableV6.noRoute);
  }

  hostUnreachable(about: Inbound): void {
    if (about.version === 4) this.#unreachable4(about, UnreachableV4.host);
    else this.#unreachable6(about, UnreachableV6.address);
  }

  prohibited(about: Inbound): void {
    if (about.version === 4) this.#unreachable4(about, UnreachableV4.administrativelyProhibited);
    else this.#unreachable6(about, UnreachableV6.administrativelyProhibited);
  }

  /** RFC 4443 §3.1: the source's scope does not reach the destination. */
  beyondScope(about: Inbound): void {
    this.#unreachable6(about, UnreachableV6.beyondScope);
  }

  /** `mtu`: of the next hop. */
  tooBig(about: Inbound, mtu: number): void {
    if (about.version === 6) this.#send6(about, Icmpv6Type.packetTooBig, 0, mtu, true);
    // RFC 1191 §4.
    else this.#unreachable4(about, UnreachableV4.fragmentationNeeded, mtu & 0xffff);
  }

  timeExceeded(about: Inbound): void {
    this.#timeExceeded(about, 0);
  }

  /** The rest of a fragmented packet did not come. */
  reassemblyTimeExceeded(about: Inbound): void {
    this.#timeExceeded(about, 1);
  }

  /** `pointer`: of the octet at fault, from the start of the packet. */
  parameterProblem(about: Inbound, code: number, pointer: number, toGroups = false): void {
    if (about.version === 6) {
      this.#send6(about, Icmpv6Type.parameterProblem, code, pointer, toGroups);
    } else this.#send4(about, Icmpv4Type.parameterProblem, code, pointer << 24);
  }

  #timeExceeded(about: Inbound, code: number): void {
    if (about.version === 4) this.#send4(about, Icmpv4Type.timeExceeded, code, 0);
    else this.#send6(about, Icmpv6Type.timeExceeded, code, 0, false);
  }

  #unreachable4(about: Inbound, code: number, rest = 0): void {
    this.#send4(about, Icmpv4Type.unreachable, code, rest);
  }

  #unreachable6(about: Inbound, code: number): void {
    this.#send6(about, Icmpv6Type.unreachable, code, 0, false);
  }

  #send4(about: Inbound, type: number, code: number, rest: number): void {
    if (!isAnswerableIpv4(about) || !this.#limit.take()) {
      this.#counters4.outSuppressed++;
      return;
    }
    const path = this.#pathBack(about);
    if (path === null) return;
    const packet = this.#compose(about, type, code, rest, MAX_IPV4);
    const view = this.#view4;
    if (view.wrap(packet.view, packet.start, packet.end) !== "ok") return;
    view.fillChecksum();
    this.#counters4.outMessages++;
    this.#ip.send(path, packet, IpProtocol.icmp, 0, TRAFFIC_CLASS_IPV4, "allowed");
  }

  #send6(about: Inbound, type: number, code: number, rest: number, toGroups: boolean): void {
    if (!isAnswerableIpv6(about, toGroups) || !this.#limit.take()) {
      this.#counters6.outSuppressed++;
      return;
    }
    const path = this.#pathBack(about);
    if (path === null) return;
    const packet = this.#compose(about, type, code, rest, MAX_IPV6);
    const view = this.#view6;
    if (view.wrap(packet.view, packet.start, packet.end) !== "ok") return;
    view.fillChecksum(pseudoSumOf(path.source, path.destination, IpProtocol.icmpv6, packet.length));
    this.#counters6.outMessages++;
    this.#ip.send(path, packet, IpProtocol.icmpv6, 0, 0, "allowed");
  }

  /** From the address that was meant where it is ours (RFC 4443 §2.2), else as routes say. */
  #pathBack(about: Inbound): Path | null {
    const to = about.source();
    const meant = about.destination();
    const zone = to.version === 6 && to.isLinkLocal ? { interface: about.interface } : {};
    const ours = about.cast === "unicast" && this.#ip.isLocal(meant) ? { source: meant } : {};
    const constraint: PathConstraint = { ...zone, ...ours };
    const path = this.#ip.resolve(to, constraint);
    return typeof path === "string" ? null : path;
  }

  /** Header and quote; the checksum is still zero. */
  #compose(about: Inbound, type: number, code: number, rest: number, room: number): Packet {
    const packet = this.#packet;
    packet.reset();
    const { view, start } = packet;
    view.setInt32(start, (type << 24) | (code << 16));
    view.setInt32(start + 4, rest | 0);
    const at = start + ICMPV4_HEADER_LENGTH;
    packet.end = writeQuote(about, packet, at, room - ICMPV4_HEADER_LENGTH);
    return packet;
  }
}
