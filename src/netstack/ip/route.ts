import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Prefix } from "../prefix.ts";

/**
 * - `unicast`: sent to `via`, or to the destination itself as a neighbour on `interface`;
 * - `blackhole`: dropped without a word;
 * - `unreachable`, `prohibit`: refused, told to the sender by ICMP.
 */
export type RouteKind = "unicast" | "blackhole" | "unreachable" | "prohibit";

/** Who put it there: who takes it away again. */
export type RouteOrigin = "connected" | "static" | "router-advertisement" | "redirect" | "dhcp";

/** The table that the last default rule asks, as in Linux. */
export const MAIN_TABLE = 254;

export interface RouteSpec {
  readonly destination: Prefix;
  /** The router; null or left out: the destination is a neighbour. */
  readonly via?: Ip | null;
  /** Needed by `unicast` routes. */
  readonly interface?: Interface | null;
  /** Less is preferred among routes of one prefix. Default 0. */
  readonly metric?: number;
  /** Default `MAIN_TABLE`. */
  readonly table?: number;
  readonly kind?: RouteKind;
  /** Default `static`. */
  readonly origin?: RouteOrigin;
  /** The source for packets on this route, where the sender has not bound one; has to be ours. */
  readonly source?: Ip | null;
  /** Of IP packets on this route, if less than the interface's; 0: the interface's. */
  readonly mtu?: number;
}

/** A route as it lies in the table; immutable. */
export class Route {
  /** With the bits behind the prefix zero. */
  readonly destination: Prefix;
  readonly via: Ip | null;
  readonly interface: Interface | null;
  readonly metric: number;
  readonly table: number;
  readonly kind: RouteKind;
  readonly origin: RouteOrigin;
  readonly source: Ip | null;
  readonly mtu: number;

  constructor(spec: RouteSpec) {
    this.destination = spec.destination.network();
    this.via = spec.via ?? null;
    this.interface = spec.interface ?? null;
    this.metric = spec.metric ?? 0;
    this.table = spec.table ?? MAIN_TABLE;
    this.kind = spec.kind ?? "unicast";
    this.origin = spec.origin ?? "static";
    this.source = spec.source ?? null;
    this.mtu = spec.mtu ?? 0;
    if (this.kind === "unicast" && this.interface === null) {
      throw new RangeError(`route to ${this.destination} has no interface`);
    }
    if (this.via !== null && this.via.version !== this.destination.ip.version) {
      throw new RangeError(`route to ${this.destination} goes via ${this.via}, of another version`);
    }
  }

  /** Whether packets can take it now; refusals always apply. */
  get usable(): boolean {
    return this.interface === null || this.interface.up;
  }

  /** The same way to the same place, whatever else they say. */
  sameWay(other: Route): boolean {
    return (
      this.table === other.table &&
      this.interface === other.interface &&
      this.metric === other.metric &&
      this.kind === other.kind &&
      this.destination.equals(other.destination) &&
      (this.via === null ? other.via === null : other.via !== null && this.via.equals(other.via))
    );
  }
}
