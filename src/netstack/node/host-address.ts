import { parseIp, unmapIp } from "../../core/address.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { Stack } from "../stack.ts";

/** An address to send to, and by which interface where its text said so. */
export interface HostAddress {
  readonly ip: Ip;
  readonly interface: Interface | null;
}

/** What `address()` of servers and sockets says. */
export interface AddressInfo {
  readonly address: string;
  readonly family: Family;
  readonly port: number;
}

export type Family = "IPv4" | "IPv6";

/**
 * Reads `10.0.0.1`, `fd00::1` or `fe80::1%eth0` (RFC 4007 §11; the zone is an interface's name or
 * index). IPv4-mapped addresses are taken for IPv4. Null when it is no address or there is no such
 * interface.
 */
export function readHost(stack: Stack, text: string): HostAddress | null {
  const percent = text.indexOf("%");
  const parsed = parseIp(percent < 0 ? text : text.slice(0, percent));
  if (parsed === null) return null;
  const ip = Ip.of(unmapIp(parsed));
  if (percent < 0) return { ip, interface: null };
  const found = interfaceOf(stack, text.slice(percent + 1));
  return found === null ? null : { ip, interface: found };
}

/** By its name or index. */
export function interfaceOf(stack: Stack, zone: string): Interface | null {
  const named = stack.interface(zone);
  if (named !== undefined) return named;
  return stack.interfaces.find(({ index }) => String(index) === zone) ?? null;
}

/** As Node writes it: with its zone where it means nothing without. */
export const hostText = (ip: Ip, on: Interface): string =>
  ip.version === 6 && ip.isLinkLocal ? `${ip}%${on.name}` : ip.toString();

export const familyOf = (ip: Ip): Family => (ip.version === 4 ? "IPv4" : "IPv6");

export const familyOfText = (address: string): Family => (address.includes(":") ? "IPv6" : "IPv4");

/** The version that an option asks for: 4, `IPv4`, `"4"`; 0: either. */
export function versionOf(family: unknown): 0 | 4 | 6 {
  if (family === 4 || family === "IPv4" || family === "4") return 4;
  if (family === 6 || family === "IPv6" || family === "6") return 6;
  return 0;
}
