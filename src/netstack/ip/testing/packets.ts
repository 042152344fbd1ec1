import { emitIcmpv4, type Icmpv4Repr, icmpv4Length } from "../../../wire/icmpv4.ts";
import { emitIcmpv6, type Icmpv6Repr, icmpv6Length } from "../../../wire/icmpv6.ts";
import { IpProtocol } from "../../../wire/ip-protocol.ts";
import { emitIpv4, Ipv4View } from "../../../wire/ipv4.ts";
import type { Ipv4Option } from "../../../wire/ipv4-options.ts";
import { emitIpv6, Ipv6View } from "../../../wire/ipv6.ts";
import type { Ipv6Words } from "../../../wire/ipv6-address.ts";
import { Ip } from "../../ip-address.ts";
import type { Packet } from "../../packet.ts";

export interface PacketSpec {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: number;
  readonly ttl?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  readonly fragmentOffset?: number;
  readonly options?: readonly Ipv4Option[];
  readonly payload?: Uint8Array;
}

/** A UDP header to port 9 and zeros. */
export function datagram(length = 16, port = 9): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4000);
  view.setUint16(2, port);
  view.setUint16(4, length);
  return bytes;
}

const words = (text: string): Ipv6Words => {
  const { w0, w1, w2, w3 } = Ip.parse(text)!;
  return [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
};

/** An IP packet of the version of its addresses. */
export function packetBytes(spec: PacketSpec): Uint8Array {
  const payload = spec.payload ?? datagram();
  const bytes = new Uint8Array(60 + payload.length);
  const view = new DataView(bytes.buffer);
  const protocol = spec.protocol ?? IpProtocol.udp;
  const at = spec.source.includes(":")
    ? emitIpv6(
        {
          dscp: 0,
          ecn: 0,
          flowLabel: 0,
          payloadLength: payload.length,
          nextHeader: protocol,
          hopLimit: spec.ttl ?? 64,
          source: words(spec.source),
          destination: words(spec.destination),
        },
        view,
        0,
      )
    : emitIpv4(
        {
          dscp: 0,
          ecn: 0,
          identification: 7,
          dontFragment: spec.dontFragment ?? false,
          moreFragments: spec.moreFragments ?? false,
          fragmentOffset: spec.fragmentOffset ?? 0,
          ttl: spec.ttl ?? 64,
          protocol,
          source: Ip.parse(spec.source)!.w3 >>> 0,
          destination: Ip.parse(spec.destination)!.w3 >>> 0,
          options: spec.options ?? [],
          payloadLength: payload.length,
        },
        view,
        0,
      );
  bytes.set(payload, at);
  return bytes.slice(0, at + payload.length);
}

export function icmpv4(repr: Icmpv4Repr): Uint8Array {
  const bytes = new Uint8Array(icmpv4Length(repr));
  emitIcmpv4(repr, new DataView(bytes.buffer), 0);
  return bytes;
}

export function icmpv6(repr: Icmpv6Repr, source: string, destination: string): Uint8Array {
  const bytes = new Uint8Array(icmpv6Length(repr));
  emitIcmpv6(repr, new DataView(bytes.buffer), 0, words(source), words(destination));
  return bytes;
}

/** What tests compare of an IPv4 packet whose checksum holds. */
export function readIpv4(packet: Packet) {
  const view = new Ipv4View();
  const status = view.wrap(packet.view, packet.start, packet.end);
  if (status !== "ok" || !view.checksumVerifies) throw new Error(`bad packet: ${status}`);
  const { ttl, protocol, dontFragment, identification, moreFragments, fragmentOffset } = view;
  return {
    source: Ip.v4(view.source).toString(),
    destination: Ip.v4(view.destination).toString(),
    ttl,
    protocol,
    dontFragment,
    identification,
    moreFragments,
    fragmentOffset,
    payload: packet.bytes.slice(view.payloadStart, view.payloadEnd),
  };
}

export function readIpv6(packet: Packet) {
  const view = new Ipv6View();
  const status = view.wrap(packet.view, packet.start, packet.end);
  if (status !== "ok") throw new Error(`bad packet: ${status}`);
  return {
    source: Ip.read6(packet.view, view.sourceAt).toString(),
    destination: Ip.read6(packet.view, view.destinationAt).toString(),
    hopLimit: view.hopLimit,
    nextHeader: view.nextHeader,
    payload: packet.bytes.slice(view.payloadStart, view.payloadEnd),
  };
}
