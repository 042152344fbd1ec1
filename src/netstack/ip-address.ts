import { type IpAddress, ipFromBytes, ipToBytes, parseIp } from "../core/address.ts";

/**
 * An IP address of either version as four signed 32-bit words, most significant first; IPv4 is held
 * IPv4-mapped (RFC 4291 §2.5.5.2), so code that compares and hashes need not ask for the version.
 * Signed, because V8 keeps such numbers unboxed. Immutable.
 */
export class Ip {
  readonly version: 4 | 6;
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;

  private constructor(version: 4 | 6, w0: number, w1: number, w2: number, w3: number) {
    this.version = version;
    this.w0 = w0 | 0;
    this.w1 = w1 | 0;
    this.w2 = w2 | 0;
    this.w3 = w3 | 0;
  }

  /** `address`: its 32 bits, signed or not. */
  static v4(address: number): Ip {
    return new Ip(4, 0, 0, MAPPED, address);
  }

  static v6(w0: number, w1: number, w2: number, w3: number): Ip {
    return new Ip(6, w0, w1, w2, w3);
  }

  /** From the words that `Inbound` holds. */
  static fromWords(version: 4 | 6, w0: number, w1: number, w2: number, w3: number): Ip {
    return new Ip(version, w0, w1, w2, w3);
  }

  static read4(dv: DataView, at: number): Ip {
    return new Ip(4, 0, 0, MAPPED, dv.getInt32(at));
  }

  static read6(dv: DataView, at: number): Ip {
    return new Ip(
      6,
      dv.getInt32(at),
      dv.getInt32(at + 4),
      dv.getInt32(at + 8),
      dv.getInt32(at + 12),
    );
  }

  /** The address in text (no zone, no prefix length), or null. */
  static parse(text: string): Ip | null {
    const ip = parseIp(text);
    return ip === null ? null : Ip.of(ip);
  }

  static of(ip: IpAddress): Ip {
    const bytes = ipToBytes(ip);
    const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return bytes.length === 4 ? Ip.read4(dv, 0) : Ip.read6(dv, 0);
  }

  equals(other: Ip): boolean {
    return (
      this.w3 === other.w3 &&
      this.w2 === other.w2 &&
      this.w1 === other.w1 &&
      this.w0 === other.w0 &&
      this.version === other.version
    );
  }

  /** 0.0.0.0 or ::. */
  get isUnspecified(): boolean {
    if (this.version === 4) return this.w3 === 0;
    return (this.w0 | this.w1 | this.w2 | this.w3) === 0;
  }

  /** 127.0.0.0/8 (RFC 1122 §3.2.1.3) or ::1. */
  get isLoopback(): boolean {
    if (this.version === 4) return this.w3 >>> 24 === 127;
    return (this.w0 | this.w1 | this.w2) === 0 && this.w3 === 1;
  }

  /** 224.0.0.0/4 (RFC 1112 §4) or ff00::/8 (RFC 4291 §2.7). */
  get isMulticast(): boolean {
    return this.version === 4 ? this.w3 >>> 28 === 0xe : this.w0 >>> 24 === 0xff;
  }

  /** 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291 §2.5.6). */
  get isLinkLocal(): boolean {
    return this.version === 4 ? this.w3 >>> 16 === 0xa9fe : this.w0 >>> 22 === 0x3fa;
  }

  /** 255.255.255.255: the limited broadcast (RFC 919). Directed ones depend on an interface. */
  get isLimitedBroadcast(): boolean {
    return this.version === 4 && this.w3 === -1;
  }

  /** Writes 4 or 16 bytes at `at`; returns the position after them. */
  write(dv: DataView, at: number): number {
    if (this.version === 4) {
      dv.setInt32(at, this.w3);
      return at + 4;
    }
    dv.setInt32(at, this.w0);
    dv.setInt32(at + 4, this.w1);
    dv.setInt32(at + 8, this.w2);
    dv.setInt32(at + 12, this.w3);
    return at + 16;
  }

  /** Canonical text. */
  toString(): IpAddress {
    const bytes = new Uint8Array(16);
    const end = this.write(new DataView(bytes.buffer), 0);
    return ipFromBytes(bytes, 0, end);
  }
}

/** ::ffff:0:0/96, the third word. */
export const MAPPED = 0xffff;

export const IPV4_ANY = Ip.v4(0);
export const IPV6_ANY = Ip.v6(0, 0, 0, 0);
export const IPV4_BROADCAST = Ip.v4(-1);
export const IPV4_LOOPBACK = Ip.v4(0x7f00_0001);
export const IPV6_LOOPBACK = Ip.v6(0, 0, 0, 1);
/** ff02::1 and ff02::2 (RFC 4291 §2.7.1). */
export const IPV6_ALL_NODES = Ip.v6(0xff02_0000, 0, 0, 1);
export const IPV6_ALL_ROUTERS = Ip.v6(0xff02_0000, 0, 0, 2);

export const anyOf = (version: 4 | 6): Ip => (version === 4 ? IPV4_ANY : IPV6_ANY);

/** A mixed 32-bit hash of four words; `seed` is drawn once per table so that peers cannot aim. */
export function hashWords(seed: number, w0: number, w1: number, w2: number, w3: number): number {
  let h = seed ^ Math.imul(w3, 0x9e37_79b1);
  h = Math.imul(h ^ (h >>> 15), 0x85eb_ca77) ^ Math.imul(w2, 0xc2b2_ae3d);
  h = Math.imul(h ^ (h >>> 13), 0x27d4_eb2f) ^ Math.imul(w1, 0x1656_67b1);
  h = Math.imul(h ^ (h >>> 16), 0x9e37_79b1) ^ Math.imul(w0, 0x85eb_ca77);
  h = Math.imul(h ^ (h >>> 15), 0xc2b2_ae3d);
  return h ^ (h >>> 16);
}
