import { checksum16, pseudoSumV4, pseudoSumWords } from "../../../src/wire/checksum.ts";
import { IpProtocol } from "../../../src/wire/ip-protocol.ts";
import type { Ipv6Words } from "../../../src/wire/ipv6-address.ts";
import { writeIpv6 } from "../../../src/wire/ipv6-address.ts";
import { type Mac, writeMac } from "../../../src/wire/mac.ts";

/** An address of either family, as the views have them. */
export type Address = number | Ipv6Words;

export interface IpFields {
  readonly source: Address;
  readonly destination: Address;
  readonly protocol: number;
  readonly hops?: number;
  readonly trafficClass?: number;
  /** IPv4: flags and offset, as in the header. */
  readonly fragment?: number;
  readonly identification?: number;
  /** IPv4 options, a multiple of four bytes. */
  readonly options?: Uint8Array;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Calls `write` with a view of so many zeros, and cuts them where it says that it ended. */
export function written(length: number, write: (dv: DataView) => number): Uint8Array {
  const bytes = new Uint8Array(length);
  const end = write(new DataView(bytes.buffer));
  return end < 0 ? new Uint8Array(0) : bytes.subarray(0, end);
}

export function ethernet(to: Mac, from: Mac, type: number, payload: Uint8Array): Uint8Array {
  return written(14 + payload.length, (dv) => {
    writeMac(dv, 0, to);
    writeMac(dv, 6, from);
    dv.setUint16(12, type);
    new Uint8Array(dv.buffer).set(payload, 14);
    return dv.byteLength;
  });
}

/** An IP packet of the version of its source. */
export function ip(fields: IpFields, payload: Uint8Array): Uint8Array {
  const { source, destination, protocol } = fields;
  if (typeof source === "number" && typeof destination === "number") {
    const options = fields.options ?? new Uint8Array(0);
    const header = 20 + options.length;
    return written(header + payload.length, (dv) => {
      const bytes = new Uint8Array(dv.buffer);
      dv.setUint8(0, 0x40 | (header >>> 2));
      dv.setUint8(1, fields.trafficClass ?? 0);
      dv.setUint16(2, header + payload.length);
      dv.setUint16(4, fields.identification ?? 0);
      dv.setUint16(6, fields.fragment ?? 0);
      dv.setUint8(8, fields.hops ?? 64);
      dv.setUint8(9, protocol);
      dv.setUint32(12, source);
      dv.setUint32(16, destination);
      bytes.set(options, 20);
      dv.setUint16(10, checksum16(dv, 0, header));
      bytes.set(payload, header);
      return dv.byteLength;
    });
  }
  return written(40 + payload.length, (dv) => {
    dv.setUint32(0, ((6 << 28) | ((fields.trafficClass ?? 0) << 20)) >>> 0);
    dv.setUint16(4, payload.length);
    dv.setUint8(6, protocol);
    dv.setUint8(7, fields.hops ?? 64);
    writeIpv6(dv, 8, source as Ipv6Words);
    writeIpv6(dv, 24, destination as Ipv6Words);
    new Uint8Array(dv.buffer).set(payload, 40);
    return dv.byteLength;
  });
}

export const pseudo = (from: Address, to: Address, protocol: number, length: number): number =>
  typeof from === "number"
    ? pseudoSumV4(from, to as number, protocol, length)
    : pseudoSumWords(from, to as Ipv6Words, protocol, length);

/** Writes the sum of `bytes` and the pseudo header at `at`. */
export function sum(
  bytes: Uint8Array,
  at: number,
  from: Address,
  to: Address,
  protocol: number,
): Uint8Array {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  dv.setUint16(at, 0);
  const initial = protocol === IpProtocol.icmp ? 0 : pseudo(from, to, protocol, bytes.length);
  dv.setUint16(at, checksum16(dv, 0, bytes.length, initial));
  return bytes;
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  /** A multiple of four bytes. */
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
}

export function tcp(from: Address, to: Address, fields: TcpFields): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const payload = fields.payload ?? new Uint8Array(0);
  const header = new Uint8Array(20);
  const dv = new DataView(header.buffer);
  dv.setUint16(0, fields.sourcePort);
  dv.setUint16(2, fields.destinationPort);
  dv.setUint32(4, fields.sequence);
  dv.setUint32(8, fields.acknowledgment);
  dv.setUint16(12, ((20 + options.length) << 10) | fields.flags);
  dv.setUint16(14, fields.window);
  return sum(join(header, options, payload), 16, from, to, IpProtocol.tcp);
}

export function udp(
  from: Address,
  to: Address,
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array,
): Uint8Array {
  const header = new Uint8Array(8);
  const dv = new DataView(header.buffer);
  dv.setUint16(0, sourcePort);
  dv.setUint16(2, destinationPort);
  dv.setUint16(4, 8 + payload.length);
  return sum(join(header, payload), 6, from, to, IpProtocol.udp);
}

/** ICMP of the family of the addresses; `rest`: the second word. */
export function icmp(
  from: Address,
  to: Address,
  type: number,
  code: number,
  rest: number,
  data: Uint8Array,
): Uint8Array {
  const header = new Uint8Array(8);
  const dv = new DataView(header.buffer);
  dv.setUint8(0, type);
  dv.setUint8(1, code);
  dv.setUint32(4, rest);
  const protocol = typeof from === "number" ? IpProtocol.icmp : IpProtocol.icmpv6;
  return sum(join(header, data), 2, from, to, protocol);
}
