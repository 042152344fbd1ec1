import { type IpAddress, ipFromBytes, ipToBytes } from "../core/address.ts";

/** An IPv6 address as four unsigned 32-bit words, most significant first. */
export type Ipv6Words = readonly [number, number, number, number];

export const IPV6_ADDRESS_LENGTH = 16;

/** Whether the addresses at a[i, i + 16) and b[j, j + 16) are the same. */
export function sameIpv6(a: DataView, i: number, b: DataView, j: number): boolean {
  return (
    a.getInt32(i) === b.getInt32(j) &&
    a.getInt32(i + 4) === b.getInt32(j + 4) &&
    a.getInt32(i + 8) === b.getInt32(j + 8) &&
    a.getInt32(i + 12) === b.getInt32(j + 12)
  );
}

/** Whether dv[at, at + 16) is `address`. */
export function isIpv6At(dv: DataView, at: number, address: Ipv6Words): boolean {
  return (
    dv.getUint32(at) === address[0] &&
    dv.getUint32(at + 4) === address[1] &&
    dv.getUint32(at + 8) === address[2] &&
    dv.getUint32(at + 12) === address[3]
  );
}

/** Copies the address at from[i, i + 16) to to[j, j + 16). */
export function copyIpv6(from: DataView, i: number, to: DataView, j: number): void {
  for (let k = 0; k < IPV6_ADDRESS_LENGTH; k += 4) to.setInt32(j + k, from.getInt32(i + k));
}

/** The words of the address at dv[at, at + 16). */
export function readIpv6(dv: DataView, at: number): Ipv6Words {
  return [dv.getUint32(at), dv.getUint32(at + 4), dv.getUint32(at + 8), dv.getUint32(at + 12)];
}

/** Writes `address` to dv[at, at + 16); returns the position after it. */
export function writeIpv6(dv: DataView, at: number, address: Ipv6Words): number {
  dv.setUint32(at, address[0]);
  dv.setUint32(at + 4, address[1]);
  dv.setUint32(at + 8, address[2]);
  dv.setUint32(at + 12, address[3]);
  return at + IPV6_ADDRESS_LENGTH;
}

/** The text of the address (RFC 5952), with IPv4-mapped ones as such. */
export function ipv6Text(address: Ipv6Words): IpAddress {
  const bytes = new Uint8Array(IPV6_ADDRESS_LENGTH);
  writeIpv6(new DataView(bytes.buffer), 0, address);
  return ipFromBytes(bytes);
}

/** The words of an IPv6 address in text; of an IPv4 one, null. */
export function ipv6FromText(ip: IpAddress): Ipv6Words | null {
  const bytes = ipToBytes(ip);
  return bytes.length === IPV6_ADDRESS_LENGTH ? readIpv6(new DataView(bytes.buffer), 0) : null;
}

/** ff00::/8 (RFC 4291 §2.7). */
export const isMulticastIpv6 = (address: Ipv6Words): boolean => address[0] >>> 24 === 0xff;

/** fe80::/10 (RFC 4291 §2.5.6). */
export const isLinkLocalIpv6 = (address: Ipv6Words): boolean => address[0] >>> 22 === 0x3fa;

/** :: (RFC 4291 §2.5.2). */
export const isUnspecifiedIpv6 = (address: Ipv6Words): boolean =>
  (address[0] | address[1] | address[2] | address[3]) === 0;

/** ff02::1:ffXX:XXXX, where questions for the owner of `address` are sent (RFC 4291 §2.7.1). */
export const solicitedNode = (address: Ipv6Words): Ipv6Words => [
  0xff02_0000,
  0,
  1,
  (0xff00_0000 | (address[3] & 0xff_ffff)) >>> 0,
];
