import type { Ipv6Words } from "./ipv6-address.ts";

/** A 48-bit MAC address as a number: the first octet sent is the most significant. */
export type Mac = number;

export const MAC_LENGTH = 6;
export const BROADCAST_MAC: Mac = 0xffff_ffff_ffff;

export const readMac = (dv: DataView, at: number): Mac =>
  dv.getUint16(at) * 0x1_0000_0000 + dv.getUint32(at + 2);

/** Writes `mac` at `at`; returns the position after it. */
export function writeMac(dv: DataView, at: number, mac: Mac): number {
  dv.setUint16(at, Math.floor(mac / 0x1_0000_0000));
  dv.setUint32(at + 2, mac % 0x1_0000_0000);
  return at + MAC_LENGTH;
}

/** The group bit (IEEE 802 §8.2.2): set for multicast and broadcast. */
export const isGroupMac = (mac: Mac): boolean =>
  (Math.floor(mac / 0x100_0000_0000) & 0x01) === 0x01;

/** Where IPv4 multicast goes on Ethernet: 01:00:5e and the low 23 bits (RFC 1112 §6.4). */
export const multicastMacV4 = (group: number): Mac => 0x0100_5e00_0000 + (group & 0x7f_ffff);

/** Where IPv6 multicast goes on Ethernet: 33:33 and the low 32 bits (RFC 2464 §7). */
export const multicastMacV6 = (group: Ipv6Words): Mac => 0x3333_0000_0000 + group[3];

/** `02:00:5e:10:00:01`. */
export function macText(mac: Mac): string {
  const digits = mac.toString(16).padStart(12, "0");
  return digits.replace(/..(?!$)/g, "$&:");
}

/** Six pairs of hexadecimal digits between colons or dashes, or null. */
export function parseMac(text: string): Mac | null {
  if (!/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text)) return null;
  return Number.parseInt(text.replaceAll(/[:-]/g, ""), 16);
}
