import { IpProtocol } from "../../../wire/ip-protocol.ts";
import { emitUdp, fillUdpChecksum } from "../../../wire/udp.ts";
import { pseudoSumOf } from "../../icmp/pseudo-sum.ts";
import { type Cast, Inbound } from "../../inbound.ts";
import type { Interface } from "../../interface.ts";
import type { IcmpError, IcmpErrorKind } from "../../ip/ip-layer.ts";
import type { Ip } from "../../ip-address.ts";
import { Packet } from "../../packet.ts";

export interface DatagramFields {
  readonly source: Ip;
  readonly sourcePort: number;
  readonly destination: Ip;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
  readonly from: Interface;
  readonly cast?: Cast;
}

/** A datagram as IP hands it up. */
export function inboundDatagram(fields: DatagramFields): Inbound {
  const { source, destination, payload } = fields;
  const packet = Packet.allocate();
  const { view, start } = packet;
  const at = emitUdp({ ...fields, payloadLength: payload.length }, view, start);
  packet.bytes.set(payload, at);
  packet.end = at + payload.length;
  const pseudo = pseudoSumOf(source, destination, IpProtocol.udp, packet.length);
  fillUdpChecksum(view, start, packet.end, pseudo);
  const inbound = new Inbound();
  inbound.version = source.version;
  inbound.packet = packet;
  inbound.interface = fields.from;
  inbound.headerStart = start;
  inbound.payloadStart = start;
  inbound.payloadEnd = packet.end;
  inbound.protocol = IpProtocol.udp;
  inbound.hopLimit = 61;
  inbound.cast = fields.cast ?? (destination.isMulticast ? "multicast" : "unicast");
  const { w0, w1, w2, w3 } = source;
  [inbound.s0, inbound.s1, inbound.s2, inbound.s3] = [w0, w1, w2, w3];
  inbound.d0 = destination.w0;
  inbound.d1 = destination.w1;
  inbound.d2 = destination.w2;
  inbound.d3 = destination.w3;
  return inbound;
}

/** An ICMP error that quotes our transport header. */
export function icmpError(
  kind: IcmpErrorKind,
  source: Ip,
  destination: Ip,
  quoted: Uint8Array,
  protocol: number = IpProtocol.udp,
): IcmpError {
  return {
    version: source.version,
    kind,
    type: 3,
    code: 3,
    from: destination,
    source,
    destination,
    protocol,
    view: new DataView(quoted.buffer, quoted.byteOffset, quoted.length),
    transportStart: 0,
    transportEnd: quoted.length,
    mtu: 0,
  };
}
