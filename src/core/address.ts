/** An IP address in canonical text: dotted quad, or RFC 5952 for IPv6 (no brackets, no zone). */
export type IpAddress = string & { readonly __ip: unique symbol };

export type SocketAddress =
  | { readonly kind: "ip"; readonly ip: IpAddress; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/**
 * Reads an address and returns its canonical text, or null. IPv4 is four decimal numbers without
 * leading zeros (RFC 6943 §3.1.1 on why nothing looser); IPv6 is RFC 4291 §2.2, where `::` stands for
 * at least one group. Zones (`fe80::1%eth0`), brackets and white space are refused.
 */
export function parseIp(text: string): IpAddress | null {
  if (text.includes(":")) return parseIpv6(text);
  const v4 = parseIpv4(text);
  return v4 < 0 ? null : (text as IpAddress);
}

export const isIpv6 = (ip: IpAddress): boolean => ip.includes(":");

/** The 4 or 16 bytes of an address, in network order. */
export function ipToBytes(ip: IpAddress): Uint8Array {
  if (!isIpv6(ip)) {
    const v4 = parseIpv4(ip);
    return Uint8Array.of(v4 >>> 24, (v4 >>> 16) & 0xff, (v4 >>> 8) & 0xff, v4 & 0xff);
  }
  const groups = readGroups(ip)!;
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    bytes[2 * i] = groups[i]! >>> 8;
    bytes[2 * i + 1] = groups[i]! & 0xff;
  }
  return bytes;
}

/** The address in bytes[at, at + length); length is 4 or 16, anything else throws RangeError. */
export function ipFromBytes(bytes: Uint8Array, at = 0, length = bytes.length - at): IpAddress {
  if ((length !== 4 && length !== 16) || at < 0 || at + length > bytes.length) {
    throw new RangeError(`an IP address has 4 or 16 bytes, got ${length} at ${at}`);
  }
  if (length === 4) return quad(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!);
  const groups: number[] = [];
  for (let i = 0; i < 8; i++) groups.push((bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!);
  return formatGroups(groups);
}

/** An IPv4-mapped address (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) as IPv4; others as they are. */
export function unmapIp(ip: IpAddress): IpAddress {
  return ip.startsWith(MAPPED) && ip.includes(".") ? (ip.slice(MAPPED.length) as IpAddress) : ip;
}

/** 127.0.0.0/8 (RFC 1122 §3.2.1.3), also IPv4-mapped, and ::1 (RFC 4291 §2.5.3). */
export function isLoopback(ip: IpAddress): boolean {
  return ip === "::1" || unmapIp(ip).startsWith("127.");
}

/**
 * Reads `127.0.0.1:80`, `[::1]:80`, `*:80` (every IPv4 address of the host: 0.0.0.0; the one for IPv6
 * is `[::]:80`) or `unix:/run/app.sock`. Null for all else: a host must be given, so `:80` is refused,
 * and names are for the resolver. Ports are decimal, 0 to 65535, without leading zeros.
 */
export function parseSocketAddress(text: string): SocketAddress | null {
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    return path === "" || path.includes("\0") ? null : { kind: "unix", path };
  }
  const colon = text.lastIndexOf(":");
  if (colon <= 0) return null;
  const port = parseDecimal(text, colon + 1, text.length, 65_535);
  const ip = port < 0 ? null : parseHost(text.slice(0, colon));
  return ip === null ? null : { kind: "ip", ip, port };
}

/** What `parseSocketAddress` reads back. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return isIpv6(address.ip) ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

/** Same kind, same text, same port. A mapped IPv4 address is not the plain one: see `unmapIp`. */
export function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  if (a.kind === "unix") return b.kind === "unix" && a.path === b.path;
  return b.kind === "ip" && a.ip === b.ip && a.port === b.port;
}

const MAPPED = "::ffff:";
const DOT = 0x2e;

function parseHost(host: string): IpAddress | null {
  if (host === "*") return "0.0.0.0" as IpAddress;
  if (host.startsWith("[") && host.endsWith("]")) return parseIpv6(host.slice(1, -1));
  return host.includes(":") ? null : parseIp(host);
}

/** The number in decimal text[start, end), or -1 when it is not one, has leading zeros or is above max. */
function parseDecimal(text: string, start: number, end: number, max: number): number {
  if (start >= end || end - start > 5) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    if (i > start && value === 0) return -1;
    value = value * 10 + digit;
  }
  return value > max ? -1 : value;
}

/** The 32 bits of a dotted quad as an unsigned number, or -1. */
function parseIpv4(text: string): number {
  let value = 0;
  let start = 0;
  for (let octet = 0; octet < 4; octet++) {
    let end = start;
    while (end < text.length && text.charCodeAt(end) !== DOT) end++;
    const part = parseDecimal(text, start, end, 255);
    if (part < 0 || (octet < 3 && end === text.length)) return -1;
    value = value * 256 + part;
    start = end + 1;
  }
  return start === text.length + 1 ? value : -1;
}

function parseIpv6(text: string): IpAddress | null {
  const groups = readGroups(text);
  return groups === null ? null : formatGroups(groups);
}

/** The eight groups of an IPv6 address (RFC 4291 §2.2), or null. */
function readGroups(text: string): number[] | null {
  if (text.length > 45) return null;
  const gap = text.indexOf("::");
  if (gap < 0) {
    const all = readRun(text, true);
    return all !== null && all.length === 8 ? all : null;
  }
  const head = readRun(text.slice(0, gap), false);
  const tail = readRun(text.slice(gap + 2), true);
  if (head === null || tail === null || head.length + tail.length > 7) return null;
  const zeros = 8 - head.length - tail.length;
  return [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

/** Groups between colons; the last may be a dotted quad (two groups) where `quadAllowed`. */
function readRun(text: string, quadAllowed: boolean): number[] | null {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const v4 = quadAllowed && i === parts.length - 1 ? parseIpv4(part) : -1;
    if (v4 < 0) return null;
    groups.push(Math.floor(v4 / 0x1_0000), v4 % 0x1_0000);
  }
  return groups;
}

const quad = (a: number, b: number, c: number, d: number): IpAddress =>
  `${a}.${b}.${c}.${d}` as IpAddress;

/** RFC 5952 §4: lower case, no leading zeros, the first longest run of two or more zeros as `::`. */
function formatGroups(groups: readonly number[]): IpAddress {
  if (isMapped(groups)) {
    // RFC 5952 §5: a known prefix for embedded IPv4 is written with the dotted quad.
    const [high, low] = [groups[6]!, groups[7]!];
    return `${MAPPED}${quad(high >>> 8, high & 0xff, low >>> 8, low & 0xff)}` as IpAddress;
  }
  let best = 0;
  let bestLength = 1;
  for (let start = 0, i = 0; i < 8; i++) {
    if (groups[i] !== 0) start = i + 1;
    else if (i + 1 - start > bestLength) {
      best = start;
      bestLength = i + 1 - start;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestLength < 2) return hex.join(":") as IpAddress;
  const tail = hex.slice(best + bestLength).join(":");
  return `${hex.slice(0, best).join(":")}::${tail}` as IpAddress;
}

function isMapped(groups: readonly number[]): boolean {
  for (let i = 0; i < 5; i++) if (groups[i] !== 0) return false;
  return groups[5] === 0xffff;
}
