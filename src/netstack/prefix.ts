import { Ip, MAPPED } from "./ip-address.ts";

/** An address with the length of its network part: `10.7.0.2/24`. Bits behind the prefix are kept. */
export class Prefix {
  readonly ip: Ip;
  /** 0 to 32 or 0 to 128. */
  readonly length: number;

  constructor(ip: Ip, length: number) {
    if (!Number.isInteger(length) || length < 0 || length > (ip.version === 4 ? 32 : 128)) {
      throw new RangeError(`no prefix length of IPv${ip.version}: ${length}`);
    }
    this.ip = ip;
    this.length = length;
  }

  /** `ADDRESS/LENGTH`, or an address alone (then all of its bits); null when it is neither. */
  static parse(text: string): Prefix | null {
    const slash = text.indexOf("/");
    const ip = Ip.parse(slash < 0 ? text : text.slice(0, slash));
    if (ip === null) return null;
    const bits = ip.version === 4 ? 32 : 128;
    if (slash < 0) return new Prefix(ip, bits);
    const digits = text.slice(slash + 1);
    if (!/^(0|[1-9]\d{0,2})$/.test(digits) || Number(digits) > bits) return null;
    return new Prefix(ip, Number(digits));
  }

  contains(ip: Ip): boolean {
    if (ip.version !== this.ip.version) return false;
    return matchingBits(this.ip, ip) >= this.length;
  }

  /** The same prefix with the bits behind it zero. */
  network(): Prefix {
    return new Prefix(masked(this.ip, this.length), this.length);
  }

  equals(other: Prefix): boolean {
    return this.length === other.length && this.ip.equals(other.ip);
  }

  /** The directed broadcast address of an IPv4 prefix shorter than 31 bits (RFC 3021), else null. */
  broadcast(): Ip | null {
    if (this.ip.version !== 4 || this.length > 30) return null;
    return Ip.v4(this.ip.w3 | (this.length === 0 ? -1 : (1 << (32 - this.length)) - 1));
  }

  toString(): string {
    return `${this.ip}/${this.length}`;
  }
}

/** `contains` for an address in words, as `Inbound` has them. */
export function prefixHasWords(
  { ip, length }: Prefix,
  version: 4 | 6,
  w0: number,
  w1: number,
  w2: number,
  w3: number,
): boolean {
  if (ip.version !== version) return false;
  if (version === 4) return ((ip.w3 ^ w3) & mask(length)) === 0;
  return (
    ((ip.w0 ^ w0) & mask(length)) === 0 &&
    ((ip.w1 ^ w1) & mask(length - 32)) === 0 &&
    ((ip.w2 ^ w2) & mask(length - 64)) === 0 &&
    ((ip.w3 ^ w3) & mask(length - 96)) === 0
  );
}

/** How many leading bits two addresses of one version share, counted as that version does. */
export function matchingBits(a: Ip, b: Ip): number {
  if (a.version === 4) return Math.clz32(a.w3 ^ b.w3);
  if (a.w0 !== b.w0) return Math.clz32(a.w0 ^ b.w0);
  if (a.w1 !== b.w1) return 32 + Math.clz32(a.w1 ^ b.w1);
  if (a.w2 !== b.w2) return 64 + Math.clz32(a.w2 ^ b.w2);
  return 96 + Math.clz32(a.w3 ^ b.w3);
}

/** The first `length` bits of the address, the others zero. */
export function masked(ip: Ip, length: number): Ip {
  if (ip.version === 4) return Ip.fromWords(4, 0, 0, MAPPED, ip.w3 & mask(length));
  return Ip.v6(
    ip.w0 & mask(length),
    ip.w1 & mask(length - 32),
    ip.w2 & mask(length - 64),
    ip.w3 & mask(length - 96),
  );
}

/** The `bits` highest of 32 bits. */
const mask = (bits: number): number => (bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits));

/** Why no interface may have the address, or none but the loopback, to be read behind it; else null. */
export function whyUnfit(prefix: Prefix, loopback = false): string | null {
  const { ip, length } = prefix;
  if (ip.isMulticast || ip.isUnspecified || ip.isLimitedBroadcast) {
    return "cannot be the address of an interface";
  }
  // RFC 1122 §3.2.1.3 (g), RFC 4291 §2.5.3: they never leave the host.
  if (ip.isLoopback && !loopback) return "is a loopback address: no link may see it";
  // RFC 1122 §3.2.1.3: they mean all hosts of the network, or none; not so on links of two (RFC 3021).
  if (ip.version === 6 || length >= 31) return null;
  if (isFirst(prefix)) return "is the network address of its network";
  return isLast(prefix) ? "is the broadcast address of its network" : null;
}

const isFirst = ({ ip, length }: Prefix): boolean => length > 0 && ip.w3 << length === 0;
const isLast = ({ ip, length }: Prefix): boolean => ~ip.w3 << length === 0;
