import type { IpAddress } from "../core/address.ts";
import type { Rng } from "../core/random.ts";
import type { Clock } from "../core/time.ts";
import type { Device } from "./device.ts";
import type { NeighborState } from "./events.ts";
import type { InterfaceSettings } from "./interface.ts";
import type { RouteKind, RouteOrigin } from "./ip/route.ts";
import type { StackLimits } from "./limits.ts";
import type { Packet } from "./packet.ts";
import type { SipKey } from "./siphash.ts";
import type { TcpSettings } from "./tcp/settings.ts";

/** What a stack needs of the world; a driver gives it. */
export interface StackOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Called when the stack wants `run()` to be called soon, or a deadline has moved closer. Cheap. */
  readonly wake: () => void;
  /**
   * Hears what handlers, acceptors, watchers, taps and timers throw. A connection whose handler throws is
   * reset; nothing else suffers. Where left out, `run` throws it once it is through.
   */
  readonly onFault?: (error: unknown) => void;
  /**
   * What stable IPv6 addresses are made from (RFC 7217 §5): a host that is given the same one each time
   * has the same addresses each time it comes to a network. Default: drawn, so that they change with
   * each stack.
   */
  readonly addressSecret?: SipKey;
  readonly limits?: Partial<StackLimits>;
  readonly tcp?: Partial<TcpSettings>;
  /** Memory in which packets are built: pinned, where the driver can send from it without a copy. */
  readonly scratch?: Packet;
}

export interface InterfaceOptions {
  /** Unique in the stack: `eth0`. */
  readonly name: string;
  readonly device: Device;
  readonly settings?: Partial<InterfaceSettings>;
  /** Less than the device's MTU. */
  readonly mtu?: number;
}

export interface RouteOptions {
  /** `10.0.0.0/8`, `::/0`, or `default` beside a `via`. */
  readonly destination: string;
  /** The next hop; without it the destination is a neighbour. */
  readonly via?: string;
  /** Its name; found by `via` where left out. */
  readonly interface?: string;
  /** Less is preferred; 0 where left out. */
  readonly metric?: number;
  /** The main table (254) where left out. */
  readonly table?: number;
}

/** Which table routes a packet, by what it is like. What is left out matches everything. */
export interface RuleOptions {
  /** Rules are asked from the lowest up; the main table's is 32,766. */
  readonly priority: number;
  /** Sources: `10.7.0.0/16`, or one address. */
  readonly from?: string;
  /** Destinations, the same way. */
  readonly to?: string;
  /** Forwarded packets that came in by the interface of that name. */
  readonly incoming?: string;
  /** The table to look in (where it has no route, the next rule is asked), or to refuse the packet. */
  readonly table: number | "prohibit";
}

export interface NeighborOptions {
  readonly interface: string;
  readonly address: string;
  /** `02:00:5e:10:00:01`. */
  readonly mac: string;
}

/** A route as `configuration.routes` lists it. */
export interface RouteEntry {
  /** With its length: `10.0.0.0/8`, `::/0`. */
  readonly destination: string;
  /** Null: the destination is a neighbour, or refused. */
  readonly via: IpAddress | null;
  /** Null for refusals. */
  readonly interface: string | null;
  readonly metric: number;
  readonly table: number;
  readonly kind: RouteKind;
  readonly origin: RouteOrigin;
}

/** A neighbour as `configuration.neighbors` lists it. */
export interface ListedNeighbor {
  readonly interface: string;
  readonly address: IpAddress;
  /** Null while it is not known. */
  readonly mac: string | null;
  readonly state: NeighborState;
  readonly isRouter: boolean;
}

/** An address of an interface as `configuration.addresses` lists it. */
export interface AddressEntry {
  readonly interface: string;
  readonly ip: IpAddress;
  readonly prefixLength: number;
  readonly state: string;
  readonly origin: string;
}
