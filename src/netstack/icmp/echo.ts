import { Icmpv4Type, Icmpv4View } from "../../wire/icmpv4.ts";
import { Icmpv6Type, Icmpv6View } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Inbound } from "../inbound.ts";
import type { IcmpCounters } from "../ip/counters.ts";
import type { IpLayer, Path, PathConstraint } from "../ip/ip-layer.ts";
import type { Packet } from "../packet.ts";
import { isHostIpv4, isHostIpv6 } from "./answerable.ts";
import { pseudoSumOf } from "./pseudo-sum.ts";
import type { RateLimit } from "./rate-limit.ts";

/** Answers echo requests of any size (RFC 1122 §3.2.2.6, RFC 4443 §4.2), at a limited rate. */
export class EchoReplies {
  readonly #ip: IpLayer;
  readonly #limit: RateLimit;
  readonly #counters4: IcmpCounters;
  readonly #counters6: IcmpCounters;
  readonly #view4 = new Icmpv4View();
  readonly #view6 = new Icmpv6View();

  constructor(ip: IpLayer, limit: RateLimit, counters4: IcmpCounters, counters6: IcmpCounters) {
    this.#ip = ip;
    this.#limit = limit;
    this.#counters4 = counters4;
    this.#counters6 = counters6;
  }

  /** The request's checksum is good. */
  reply(request: Inbound): void {
    const counters = request.version === 4 ? this.#counters4 : this.#counters6;
    if (!isFromHost(request) || !this.#limit.take()) {
      counters.outSuppressed++;
      return;
    }
    const path = this.#pathBack(request);
    if (path === null) return;
    const packet = this.#ip.scratch();
    const length = request.payloadEnd - request.payloadStart;
    if (packet.start + length > packet.bytes.length) return;
    const { bytes } = request.packet;
    packet.bytes.set(bytes.subarray(request.payloadStart, request.payloadEnd), packet.start);
    packet.end = packet.start + length;
    const protocol =
      request.version === 4 ? this.#answerIpv4(packet) : this.#answerIpv6(packet, path);
    counters.outMessages++;
    // RFC 1122 §3.2.2.6: the reply may be as long as the request was. Its TOS is the request's.
    const trafficClass = request.trafficClass & 0xfc;
    this.#ip.send(path, packet, protocol, 0, trafficClass, "allowed");
  }

  #answerIpv4(packet: Packet): number {
    const view = this.#view4;
    view.wrap(packet.view, packet.start, packet.end);
    view.type = Icmpv4Type.echoReply;
    packet.view.setUint8(packet.start + 1, 0);
    view.fillChecksum();
    return IpProtocol.icmp;
  }

  #answerIpv6(packet: Packet, path: Path): number {
    const view = this.#view6;
    view.wrap(packet.view, packet.start, packet.end);
    view.type = Icmpv6Type.echoReply;
    packet.view.setUint8(packet.start + 1, 0);
    const { source, destination } = path;
    view.fillChecksum(pseudoSumOf(source, destination, IpProtocol.icmpv6, packet.length));
    return IpProtocol.icmpv6;
  }

  #pathBack(request: Inbound): Path | null {
    const to = request.source();
    const constraint: PathConstraint = {
      ...(request.cast === "unicast" ? { source: request.destination() } : {}),
      ...(to.version === 6 && to.isLinkLocal ? { interface: request.interface } : {}),
    };
    const path = this.#ip.resolve(to, constraint);
    return typeof path === "string" ? null : path;
  }
}

/** From one host; on loopback from itself. */
function isFromHost(request: Inbound): boolean {
  if (request.interface.device.medium === "loopback") return true;
  return request.version === 4
    ? isHostIpv4(request.s3)
    : isHostIpv6(request.s0, request.s1, request.s2, request.s3);
}
