import { IpProtocol } from "../../../wire/ip-protocol.ts";
import { seq } from "../../../wire/seq.ts";
import { emitTcp, TcpFlag } from "../../../wire/tcp.ts";
import { NO_TCP_OPTIONS } from "../../../wire/tcp-options.ts";
import { emitUdp } from "../../../wire/udp.ts";
import { GsoType } from "../../../wire/virtio-net.ts";
import { ipv4Packet, ipv6Packet, pattern } from "../../fragments/testing/ip-packets.ts";
import type { Packet } from "../../packet.ts";

/** An Ethernet header of IPv4. */
export const LINK = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0);

export interface Fields {
  readonly version: 4 | 6;
  readonly length: number;
  readonly size: number;
  readonly sequence?: number;
  readonly flags?: number;
  readonly timestamps?: boolean;
  readonly link?: boolean;
}

/** An IP packet around `transport`, its checksum left to the device, perhaps with a link header. */
function packetAround(
  transport: Uint8Array,
  fields: Fields,
  protocol: number,
  field: number,
): Packet {
  const { version, link } = fields;
  const packet =
    version === 4
      ? ipv4Packet({ payload: transport, protocol, identification: 0xfffe })
      : ipv6Packet({ payload: transport, nextHeader: protocol });
  packet.checksum = "partial";
  packet.checksumStart = packet.start + (version === 4 ? 20 : 40);
  packet.checksumOffset = field;
  if (link === true) {
    packet.start -= LINK.length;
    packet.bytes.set(LINK, packet.start);
  }
  packet.gsoSize = fields.size;
  return packet;
}

export function tcpPacket(fields: Fields): Packet {
  const transport = new Uint8Array(60 + fields.length);
  const repr = {
    sourcePort: 80,
    destinationPort: 40_000,
    sequence: seq(fields.sequence ?? 1),
    acknowledgment: seq(77),
    flags: fields.flags ?? TcpFlag.ack | TcpFlag.psh,
    window: 500,
    urgentPointer: 0,
    options: fields.timestamps
      ? { ...NO_TCP_OPTIONS, timestamps: { value: 5, echo: 6 } }
      : NO_TCP_OPTIONS,
    payloadLength: fields.length,
  };
  const at = emitTcp(repr, new DataView(transport.buffer), 0);
  transport.set(pattern(fields.length), at);
  const packet = packetAround(
    transport.subarray(0, at + fields.length),
    fields,
    IpProtocol.tcp,
    16,
  );
  packet.gsoType = fields.version === 4 ? GsoType.tcpV4 : GsoType.tcpV6;
  return packet;
}

export function udpPacket(fields: Fields): Packet {
  const transport = new Uint8Array(8 + fields.length);
  const repr = { sourcePort: 53, destinationPort: 4_000, payloadLength: fields.length };
  emitUdp(repr, new DataView(transport.buffer), 0);
  transport.set(pattern(fields.length), 8);
  const packet = packetAround(transport, fields, IpProtocol.udp, 6);
  packet.gsoType = GsoType.udpSegments;
  return packet;
}
