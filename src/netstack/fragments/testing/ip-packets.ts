import { IpProtocol } from "../../../wire/ip-protocol.ts";
import { emitIpv4, Ipv4View, parseIpv4 } from "../../../wire/ipv4.ts";
import type { Ipv4Option } from "../../../wire/ipv4-options.ts";
import { emitIpv6, Ipv6View } from "../../../wire/ipv6.ts";
import { Ipv6Walker } from "../../../wire/ipv6-walker.ts";
import { Inbound } from "../../inbound.ts";
import type { Interface } from "../../interface.ts";
import { MAPPED } from "../../ip-address.ts";
import { PACKET_HEADROOM, Packet } from "../../packet.ts";

/** Stands for an interface where only its index is looked at. */
export const someInterface = (index = 1): Interface =>
  ({ index, name: `eth${index}` }) as unknown as Interface;

export interface Ipv4Fields {
  readonly payload: Uint8Array;
  readonly options?: readonly Ipv4Option[];
  readonly identification?: number;
  readonly protocol?: number;
  readonly ecn?: number;
  readonly source?: number;
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
}

export function ipv4Packet(fields: Ipv4Fields): Packet {
  const packet = Packet.allocate();
  const end = emitIpv4(
    {
      dscp: 10,
      ecn: fields.ecn ?? 0,
      identification: fields.identification ?? 0x1234,
      dontFragment: false,
      moreFragments: fields.moreFragments ?? false,
      fragmentOffset: fields.fragmentOffset ?? 0,
      ttl: 61,
      protocol: fields.protocol ?? IpProtocol.udp,
      source: fields.source ?? 0x0a070001,
      destination: 0x0a070002,
      options: fields.options ?? [],
      payloadLength: fields.payload.length,
    },
    packet.view,
    packet.start,
  );
  packet.bytes.set(fields.payload, end);
  packet.end = end + fields.payload.length;
  return packet;
}

export interface Ipv6Fields {
  /** Extension headers and all. */
  readonly payload: Uint8Array;
  readonly nextHeader?: number;
  readonly ecn?: number;
}

export function ipv6Packet(fields: Ipv6Fields): Packet {
  const packet = Packet.allocate();
  const end = emitIpv6(
    {
      dscp: 10,
      ecn: fields.ecn ?? 0,
      flowLabel: 0x12345,
      payloadLength: fields.payload.length,
      nextHeader: fields.nextHeader ?? IpProtocol.udp,
      hopLimit: 61,
      source: [0xfd070000, 0, 0, 1],
      destination: [0xfd070000, 0, 0, 2],
    },
    packet.view,
    packet.start,
  );
  packet.bytes.set(fields.payload, end);
  packet.end = end + fields.payload.length;
  return packet;
}

/** What IP knows of a packet that comes in, as far as reassembly asks; throws when it is no IP packet. */
export function inboundOf(packet: Packet, from = someInterface()): Inbound {
  const inbound = new Inbound();
  inbound.packet = packet;
  inbound.interface = from;
  inbound.headerStart = packet.start;
  const { view, start, end } = packet;
  if (view.getUint8(start) >>> 4 === 4) {
    const ip = new Ipv4View();
    if (ip.wrap(view, start, end) !== "ok" || parseIpv4(ip) === null) throw new Error("bad IPv4");
    inbound.version = 4;
    inbound.payloadStart = ip.payloadStart;
    inbound.payloadEnd = ip.payloadEnd;
    inbound.protocol = ip.protocol;
    inbound.s2 = inbound.d2 = MAPPED;
    inbound.s3 = ip.source | 0;
    inbound.d3 = ip.destination | 0;
    return inbound;
  }
  const ip = new Ipv6View();
  if (ip.wrap(view, start, end) !== "ok") throw new Error("bad IPv6");
  inbound.version = 6;
  inbound.payloadStart = ip.payloadStart;
  inbound.payloadEnd = ip.payloadEnd;
  inbound.protocol = ip.nextHeader;
  inbound.s0 = ip.sourceWord(0) | 0;
  inbound.s3 = ip.sourceWord(3) | 0;
  inbound.d0 = ip.destinationWord(0) | 0;
  inbound.d3 = ip.destinationWord(3) | 0;
  return inbound;
}

/** The absolute offset of the fragment header, or −1. */
export function fragmentHeaderAt(packet: Packet): number {
  const walker = new Ipv6Walker();
  const { view, start, end } = packet;
  walker.wrap(view, start + 40, end, view.getUint8(start + 6));
  return walker.fragmentAt;
}

export const bytesIn = (packet: Packet): Uint8Array => packet.bytes.slice(packet.start, packet.end);

/** A packet of its own with these bytes. */
export function packetOf(bytes: Uint8Array): Packet {
  const packet = Packet.allocate(PACKET_HEADROOM + bytes.length);
  packet.bytes.set(bytes, PACKET_HEADROOM);
  packet.end = PACKET_HEADROOM + bytes.length;
  return packet;
}

/** Bytes that say where they stand. */
export const pattern = (length: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8) + salt) & 0xff);
