import { pseudoSumWords, verifies } from "./checksum.ts";
import { fillIcmpv6, Icmpv6Type } from "./icmpv6.ts";
import { type Ipv6Words, isIpv6At, readIpv6, writeIpv6 } from "./ipv6-address.ts";
import {
  emitNdpOptions,
  type NdpOption,
  NdpOptions,
  ndpOptionsLength,
  parseNdpOptions,
} from "./ndp-options.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** Messages of neighbour discovery (RFC 4861 §4), ICMPv6 header included. */
const TYPE = 0;
const CODE = 1;
const REST = 4;
/** Of a router advertisement (§4.2). */
const CURRENT_HOP_LIMIT = 4;
const ROUTER_FLAGS = 5;
const ROUTER_LIFETIME = 6;
const REACHABLE_TIME = 8;
const RETRANS_TIMER = 12;
/** Of solicitations, neighbour advertisements and redirects (§4.3 – §4.5). */
const NEIGHBOR_FLAGS = 4;
const TARGET = 8;
const REDIRECT_DESTINATION = 24;

const MANAGED = 0x80;
const OTHER = 0x40;
const ROUTER = 0x80;
const SOLICITED = 0x40;
const OVERRIDE = 0x20;

export class NdpView {
  dv: DataView = NO_DATA;
  start = 0;
  end = 0;
  /** Where the options start, all of which are known to lie within the message. */
  optionsStart = 0;
  private readonly options = new NdpOptions();

  /**
   * On an ICMPv6 message of type 133 to 137. The receiver checks besides that the hop limit is 255 and
   * the checksum right (RFC 4861 §6.1, §7.1), which are not for a view of the message to know.
   */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < 8) return "truncated";
    const fixed = fixedLength(dv.getUint8(start + TYPE));
    if (fixed === 0) return "unsupported";
    if (dv.getUint8(start + CODE) !== 0) return "malformed";
    if (end - start < fixed) return "truncated";
    this.options.reset(dv, start + fixed, end);
    let status = this.options.step();
    while (status === "ok") status = this.options.step();
    if (status !== "end") return status;
    this.dv = dv;
    this.start = start;
    this.end = end;
    this.optionsStart = start + fixed;
    return "ok";
  }

  /** `Icmpv6Type`, 133 to 137. */
  get type(): number {
    return this.dv.getUint8(this.start + TYPE);
  }

  /** Of a neighbour advertisement: the sender forwards (R, §4.4). */
  get router(): boolean {
    return (this.dv.getUint8(this.start + NEIGHBOR_FLAGS) & ROUTER) !== 0;
  }

  get solicited(): boolean {
    return (this.dv.getUint8(this.start + NEIGHBOR_FLAGS) & SOLICITED) !== 0;
  }

  get override(): boolean {
    return (this.dv.getUint8(this.start + NEIGHBOR_FLAGS) & OVERRIDE) !== 0;
  }

  /** Where the target is in a neighbour message or a redirect; −1 in messages of routers. */
  get targetAt(): number {
    return this.optionsStart - this.start < 24 ? -1 : this.start + TARGET;
  }

  isTarget(address: Ipv6Words): boolean {
    return this.targetAt >= 0 && isIpv6At(this.dv, this.targetAt, address);
  }

  /** Where the first option of this type is, or −1. */
  optionAt(type: number): number {
    const { options } = this;
    options.reset(this.dv, this.optionsStart, this.end);
    while (options.step() === "ok") if (options.type === type) return options.at;
    return -1;
  }

  checksumVerifies(pseudoSum: number): boolean {
    return verifies(this.dv, this.start, this.end, pseudoSum);
  }
}

export type NdpRepr =
  | { readonly kind: "router-solicitation"; readonly options: readonly NdpOption[] }
  | {
      readonly kind: "router-advertisement";
      /** 0: unspecified by this router, as are times of 0. */
      readonly hopLimit: number;
      readonly managed: boolean;
      readonly otherConfiguration: boolean;
      /** Seconds, 16 bits; 0 is no default router. */
      readonly routerLifetime: number;
      /** Milliseconds, 32 bits. */
      readonly reachableTime: number;
      readonly retransTimer: number;
      readonly options: readonly NdpOption[];
    }
  | {
      readonly kind: "neighbor-solicitation";
      readonly target: Ipv6Words;
      readonly options: readonly NdpOption[];
    }
  | {
      readonly kind: "neighbor-advertisement";
      readonly router: boolean;
      readonly solicited: boolean;
      readonly override: boolean;
      readonly target: Ipv6Words;
      readonly options: readonly NdpOption[];
    }
  | {
      readonly kind: "redirect";
      readonly target: Ipv6Words;
      readonly destination: Ipv6Words;
      readonly options: readonly NdpOption[];
    };

/** Null when the checksum is wrong for these addresses. */
export function parseNdp(view: NdpView, source: Ipv6Words, destination: Ipv6Words): NdpRepr | null {
  const { dv, start } = view;
  const pseudo = pseudoSumWords(source, destination, 58, view.end - start);
  const options = parseNdpOptions(dv, view.optionsStart, view.end);
  if (options === null || !view.checksumVerifies(pseudo)) return null;
  switch (view.type) {
    case Icmpv6Type.routerSolicitation:
      return { kind: "router-solicitation", options };
    case Icmpv6Type.routerAdvertisement:
      return parseRouterAdvertisement(dv, start, options);
    case Icmpv6Type.neighborSolicitation:
      return { kind: "neighbor-solicitation", target: readIpv6(dv, start + TARGET), options };
    case Icmpv6Type.neighborAdvertisement: {
      const { router, solicited, override } = view;
      const target = readIpv6(dv, start + TARGET);
      return { kind: "neighbor-advertisement", router, solicited, override, target, options };
    }
    default: {
      const target = readIpv6(dv, start + TARGET);
      const elsewhere = readIpv6(dv, start + REDIRECT_DESTINATION);
      return { kind: "redirect", target, destination: elsewhere, options };
    }
  }
}

function parseRouterAdvertisement(dv: DataView, start: number, options: NdpOption[]): NdpRepr {
  const flags = dv.getUint8(start + ROUTER_FLAGS);
  return {
    kind: "router-advertisement",
    hopLimit: dv.getUint8(start + CURRENT_HOP_LIMIT),
    managed: (flags & MANAGED) !== 0,
    otherConfiguration: (flags & OTHER) !== 0,
    routerLifetime: dv.getUint16(start + ROUTER_LIFETIME),
    reachableTime: dv.getUint32(start + REACHABLE_TIME),
    retransTimer: dv.getUint32(start + RETRANS_TIMER),
    options,
  };
}

export const ndpLength = (repr: NdpRepr): number =>
  fixedLength(KIND_TYPES[repr.kind]) + ndpOptionsLength(repr.options);

/** Writes the message with its checksum; returns its end, or -1 without room. */
export function emitNdp(
  repr: NdpRepr,
  dv: DataView,
  start: number,
  source: Ipv6Words,
  destination: Ipv6Words,
): number {
  if (!hasRoom(dv, start, ndpLength(repr))) return -1;
  const type = KIND_TYPES[repr.kind];
  dv.setUint8(start + TYPE, type);
  dv.setUint8(start + CODE, 0);
  dv.setUint32(start + REST, 0);
  switch (repr.kind) {
    case "router-solicitation":
      break;
    case "router-advertisement":
      dv.setUint8(start + CURRENT_HOP_LIMIT, repr.hopLimit);
      dv.setUint8(
        start + ROUTER_FLAGS,
        (repr.managed ? MANAGED : 0) | (repr.otherConfiguration ? OTHER : 0),
      );
      dv.setUint16(start + ROUTER_LIFETIME, repr.routerLifetime);
      dv.setUint32(start + REACHABLE_TIME, repr.reachableTime);
      dv.setUint32(start + RETRANS_TIMER, repr.retransTimer);
      break;
    case "neighbor-solicitation":
      writeIpv6(dv, start + TARGET, repr.target);
      break;
    case "neighbor-advertisement":
      dv.setUint8(
        start + NEIGHBOR_FLAGS,
        (repr.router ? ROUTER : 0) |
          (repr.solicited ? SOLICITED : 0) |
          (repr.override ? OVERRIDE : 0),
      );
      writeIpv6(dv, start + TARGET, repr.target);
      break;
    case "redirect":
      writeIpv6(dv, start + TARGET, repr.target);
      writeIpv6(dv, start + REDIRECT_DESTINATION, repr.destination);
      break;
    default:
      repr satisfies never;
  }
  const end = emitNdpOptions(repr.options, dv, start + fixedLength(type));
  fillIcmpv6(dv, start, end, source, destination);
  return end;
}

const KIND_TYPES = {
  "router-solicitation": Icmpv6Type.routerSolicitation,
  "router-advertisement": Icmpv6Type.routerAdvertisement,
  "neighbor-solicitation": Icmpv6Type.neighborSolicitation,
  "neighbor-advertisement": Icmpv6Type.neighborAdvertisement,
  redirect: Icmpv6Type.redirect,
} as const;

/** Octets before the options; 0 for what is not neighbour discovery. */
function fixedLength(type: number): number {
  switch (type) {
    case Icmpv6Type.routerSolicitation:
      return 8;
    case Icmpv6Type.routerAdvertisement:
      return 16;
    case Icmpv6Type.neighborSolicitation:
    case Icmpv6Type.neighborAdvertisement:
      return 24;
    case Icmpv6Type.redirect:
      return 40;
    default:
      return 0;
  }
}
