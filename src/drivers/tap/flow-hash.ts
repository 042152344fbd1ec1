import { IpProtocol } from "../../wire/ip-protocol.ts";

/**
 * A number that is the same for all packets of a flow: of addresses, protocol and, of TCP and UDP that
 * is not fragmented, ports. The IP header is at `at`. Not keyed: it spreads, it does not protect.
 */
export function flowHash(view: DataView, at: number, end: number): number {
  if (at + 20 > end) return 0;
  const version = view.getUint8(at) >>> 4;
  if (version === 4) {
    const h = mix(view.getInt32(at + 12) ^ Math.imul(view.getInt32(at + 16), 0x9e37_79b1));
    const fragmented = (view.getUint16(at + 6) & 0x3fff) !== 0;
    const ports = fragmented ? -1 : at + (view.getUint8(at) & 0xf) * 4;
    return withPorts(h, view, view.getUint8(at + 9), ports, end);
  }
  if (version !== 6 || at + 40 > end) return 0;
  let h = 0;
  for (let i = 8; i < 40; i += 4) h = mix(h ^ view.getInt32(at + i));
  return withPorts(h, view, view.getUint8(at + 6), at + 40, end);
}

function withPorts(h: number, view: DataView, protocol: number, at: number, end: number): number {
  const has = protocol === IpProtocol.tcp || protocol === IpProtocol.udp;
  const mixed = mix(h ^ protocol);
  return (has && at > 0 && at + 4 <= end ? mix(mixed ^ view.getInt32(at)) : mixed) >>> 0;
}

function mix(value: number): number {
  const h = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  return h ^ (h >>> 13);
}
