import { type Ipv6Words, readIpv6, writeIpv6 } from "./ipv6-address.ts";
import { type Mac, readMac, writeMac } from "./mac.ts";
import { copyOctets, NO_DATA, writeOctets, zeroOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** Options of neighbour discovery (RFC 4861 §4.6): type, length in 8 octets, data. */
const TYPE = 0;
const LENGTH = 1;
const DATA = 2;
/** Of prefix information (§4.6.2). */
const PREFIX_LENGTH = 2;
const PREFIX_FLAGS = 3;
const VALID_LIFETIME = 4;
const PREFERRED_LIFETIME = 8;
const PREFIX = 16;
/** Of the redirected header (§4.6.3), the MTU (§4.6.4) and recursive DNS servers (RFC 8106 §5.1). */
const REDIRECTED = 8;
const MTU = 4;
const DNS_LIFETIME = 4;
const DNS_SERVERS = 8;

const ON_LINK = 0x80;
const AUTONOMOUS = 0x40;

export const NdpOptionType = {
  sourceLinkLayer: 1,
  targetLinkLayer: 2,
  prefix: 3,
  redirectedHeader: 4,
  mtu: 5,
  recursiveDns: 25,
} as const;

/** Walks the options of a message; reused. */
export class NdpOptions {
  dv: DataView = NO_DATA;
  next = 0;
  end = 0;
  type = 0;
  /** Where the option starts, its type included. */
  at = 0;
  /** Of the whole option in octets, a multiple of 8. */
  length = 0;

  reset(dv: DataView, start: number, end: number): void {
    this.dv = dv;
    this.next = start;
    this.end = end;
  }

  /** Steps to the next option. After anything but `ok` the walk is over. */
  step(): WireStatus | "end" {
    if (this.next >= this.end) return "end";
    if (this.end - this.next < DATA) return "truncated";
    const length = this.dv.getUint8(this.next + LENGTH) * 8;
    // RFC 4861 §4.6: a message with an option of length zero is discarded.
    if (length === 0) return "malformed";
    if (length > this.end - this.next) return "truncated";
    this.at = this.next;
    this.length = length;
    this.type = this.dv.getUint8(this.next + TYPE);
    this.next += length;
    return "ok";
  }

  /** Of an option with a link-layer address, on Ethernet (RFC 2464 §6). */
  get mac(): Mac {
    return readMac(this.dv, this.at + DATA);
  }
}

export type NdpOption =
  | { readonly kind: "source-link-layer" | "target-link-layer"; readonly mac: Mac }
  | {
      readonly kind: "prefix";
      readonly prefix: Ipv6Words;
      /** 0 to 128. */
      readonly length: number;
      readonly onLink: boolean;
      readonly autonomous: boolean;
      /** Seconds; 0xffffffff is for ever. */
      readonly validLifetime: number;
      readonly preferredLifetime: number;
    }
  /** The head of the packet that was redirected, a multiple of 8 octets. */
  | { readonly kind: "redirected-header"; readonly data: Uint8Array }
  | { readonly kind: "mtu"; readonly mtu: number }
  /** Seconds, and at least one server. */
  | {
      readonly kind: "recursive-dns";
      readonly lifetime: number;
      readonly servers: readonly Ipv6Words[];
    }
  /** All after type and length: a multiple of 8 octets, less 2. */
  | { readonly kind: "other"; readonly type: number; readonly data: Uint8Array };

/** The options at dv[start, end), or null when one of them is malformed. */
export function parseNdpOptions(dv: DataView, start: number, end: number): NdpOption[] | null {
  const walk = new NdpOptions();
  walk.reset(dv, start, end);
  const options: NdpOption[] = [];
  let status = walk.step();
  for (; status === "ok"; status = walk.step()) {
    options.push(readOption(dv, walk.type, walk.at, walk.length));
  }
  return status === "end" ? options : null;
}

/** An option of a known type with a length that the type does not have is one of kind "other". */
function readOption(dv: DataView, type: number, at: number, length: number): NdpOption {
  if (type === NdpOptionType.sourceLinkLayer && length === 8) {
    return { kind: "source-link-layer", mac: readMac(dv, at + DATA) };
  }
  if (type === NdpOptionType.targetLinkLayer && length === 8) {
    return { kind: "target-link-layer", mac: readMac(dv, at + DATA) };
  }
  if (type === NdpOptionType.prefix && length === 32) return readPrefix(dv, at);
  if (type === NdpOptionType.redirectedHeader) {
    return { kind: "redirected-header", data: copyOctets(dv, at + REDIRECTED, at + length) };
  }
  if (type === NdpOptionType.mtu && length === 8) {
    return { kind: "mtu", mtu: dv.getUint32(at + MTU) };
  }
  // RFC 8106 §5.3.1: an even number of 8 octets besides the first.
  if (type === NdpOptionType.recursiveDns && length >= 24 && length % 16 === 8) {
    const servers: Ipv6Words[] = [];
    for (let i = at + DNS_SERVERS; i < at + length; i += 16) servers.push(readIpv6(dv, i));
    return { kind: "recursive-dns", lifetime: dv.getUint32(at + DNS_LIFETIME), servers };
  }
  return { kind: "other", type, data: copyOctets(dv, at + DATA, at + length) };
}

function readPrefix(dv: DataView, at: number): NdpOption {
  const flags = dv.getUint8(at + PREFIX_FLAGS);
  return {
    kind: "prefix",
    prefix: readIpv6(dv, at + PREFIX),
    length: dv.getUint8(at + PREFIX_LENGTH),
    onLink: (flags & ON_LINK) !== 0,
    autonomous: (flags & AUTONOMOUS) !== 0,
    validLifetime: dv.getUint32(at + VALID_LIFETIME),
    preferredLifetime: dv.getUint32(at + PREFERRED_LIFETIME),
  };
}

export function ndpOptionsLength(options: readonly NdpOption[]): number {
  let length = 0;
  for (const option of options) length += lengthOf(option);
  return length;
}

/** Writes the options, for which there must be room; returns the position after them. */
export function emitNdpOptions(options: readonly NdpOption[], dv: DataView, start: number): number {
  let at = start;
  for (const option of options) {
    const length = lengthOf(option);
    zeroOctets(dv, at, at + length);
    dv.setUint8(at + TYPE, option.kind === "other" ? option.type : KIND_TYPES[option.kind]);
    dv.setUint8(at + LENGTH, length / 8);
    emitData(option, dv, at);
    at += length;
  }
  return at;
}

function emitData(option: NdpOption, dv: DataView, at: number): void {
  switch (option.kind) {
    case "source-link-layer":
    case "target-link-layer":
      writeMac(dv, at + DATA, option.mac);
      return;
    case "prefix":
      dv.setUint8(at + PREFIX_LENGTH, option.length);
      dv.setUint8(
        at + PREFIX_FLAGS,
        (option.onLink ? ON_LINK : 0) | (option.autonomous ? AUTONOMOUS : 0),
      );
      dv.setUint32(at + VALID_LIFETIME, option.validLifetime);
      dv.setUint32(at + PREFERRED_LIFETIME, option.preferredLifetime);
      writeIpv6(dv, at + PREFIX, option.prefix);
      return;
    case "redirected-header":
      writeOctets(dv, at + REDIRECTED, option.data);
      return;
    case "mtu":
      dv.setUint32(at + MTU, option.mtu);
      return;
    case "recursive-dns":
      dv.setUint32(at + DNS_LIFETIME, option.lifetime);
      for (let i = 0; i < option.servers.length; i++) {
        writeIpv6(dv, at + DNS_SERVERS + 16 * i, option.servers[i]!);
      }
      return;
    case "other":
      writeOctets(dv, at + DATA, option.data);
      return;
    default:
      option satisfies never;
  }
}

const KIND_TYPES = {
  "source-link-layer": NdpOptionType.sourceLinkLayer,
  "target-link-layer": NdpOptionType.targetLinkLayer,
  prefix: NdpOptionType.prefix,
  "redirected-header": NdpOptionType.redirectedHeader,
  mtu: NdpOptionType.mtu,
  "recursive-dns": NdpOptionType.recursiveDns,
} as const;

function lengthOf(option: NdpOption): number {
  switch (option.kind) {
    case "source-link-layer":
    case "target-link-layer":
    case "mtu":
      return 8;
    case "prefix":
      return 32;
    case "redirected-header":
      return (REDIRECTED + option.data.length + 7) & ~7;
    case "recursive-dns":
      return DNS_SERVERS + 16 * option.servers.length;
    case "other":
      return (DATA + option.data.length + 7) & ~7;
  }
}
