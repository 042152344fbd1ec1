import { after, type Instant, seconds } from "../../core/time.ts";
import type { Dhcp4Repr } from "../../wire/dhcp4.ts";
import { FOREVER } from "../address-table.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";

const INFINITE = 0xffff_ffff;
/** Shorter leases are not to be renewed more often than this; as in other clients. */
const MIN_LEASE = 10;

/** A route of a lease; `via` null: the destination is on the link. */
export interface LeaseRoute {
  readonly destination: Prefix;
  readonly via: Ip | null;
}

/** What a server granted (RFC 2131 §4.4.1). */
export interface Dhcp4Lease {
  readonly address: Prefix;
  readonly server: Ip;
  /** T1, T2 and the end (§4.4.5). */
  readonly renewAt: Instant;
  readonly rebindAt: Instant;
  readonly expiresAt: Instant;
  readonly routes: readonly LeaseRoute[];
  readonly nameServers: readonly Ip[];
  readonly domains: readonly string[];
  /** 0: not told. */
  readonly mtu: number;
}

/**
 * The lease in a DHCPACK, or null when it lacks what a lease needs. `since`: when it was asked for,
 * from where on it counts (§4.4.1).
 */
export function leaseOf(ack: Dhcp4Repr, since: Instant, maxRoutes: number): Dhcp4Lease | null {
  const { options } = ack;
  const ip = Ip.v4(ack.yourAddress);
  const { leaseTime, serverIdentifier } = options;
  if (leaseTime === null || serverIdentifier === null || !isHost(ip)) return null;
  if (!isHost(Ip.v4(serverIdentifier))) return null;
  const length = maskLength(options.subnetMask) ?? classLength(ip);
  const { expiresAt, renewAt, rebindAt } = deadlines(ack, since);
  return {
    address: new Prefix(ip, length),
    server: Ip.v4(serverIdentifier),
    renewAt,
    rebindAt,
    expiresAt,
    routes: routesOf(ack, new Prefix(ip, length)).slice(0, maxRoutes),
    nameServers: options.nameServers.map((address) => Ip.v4(address)),
    domains: domainsOf(ack),
    mtu: options.interfaceMtu ?? 0,
  };
}

/** An address that one host may have. */
export const isHost = (ip: Ip): boolean =>
  !ip.isUnspecified && !ip.isMulticast && !ip.isLoopback && ip.w3 >>> 28 !== 0xf;

function deadlines({ options }: Dhcp4Repr, since: Instant) {
  const told = options.leaseTime!;
  if (told === INFINITE) return { expiresAt: FOREVER, renewAt: FOREVER, rebindAt: FOREVER };
  const lease = Math.max(told, MIN_LEASE);
  // §4.4.5: half and 7/8 of the lease, where the server says nothing (or nothing that makes sense).
  let t2 = options.rebindingTime ?? lease * 0.875;
  if (t2 >= lease || t2 === 0) t2 = lease * 0.875;
  let t1 = options.renewalTime ?? lease * 0.5;
  if (t1 >= t2 || t1 === 0) t1 = Math.min(lease * 0.5, t2);
  return {
    expiresAt: after(since, seconds(lease)),
    renewAt: after(since, seconds(t1)),
    rebindAt: after(since, seconds(t2)),
  };
}

/** RFC 3442: with classless routes, the routers are ignored. */
function routesOf({ options }: Dhcp4Repr, own: Prefix): LeaseRoute[] {
  const routes: LeaseRoute[] = [];
  const reach = (router: Ip): void => {
    if (own.contains(router) && own.length < 32) return;
    // A router beyond the subnet is a neighbour all the same: /32 leases of clouds.
    const host = new Prefix(router, 32);
    if (!routes.some(({ destination }) => destination.equals(host))) {
      routes.push({ destination: host, via: null });
    }
  };
  for (const { destination, prefixLength, router } of options.classlessRoutes) {
    const via = Ip.v4(router);
    if (!via.isUnspecified && !isHost(via)) continue;
    if (!via.isUnspecified) reach(via);
    const prefix = new Prefix(Ip.v4(destination), prefixLength);
    routes.push({ destination: prefix, via: via.isUnspecified ? null : via });
  }
  if (options.classlessRoutes.length > 0) return routes;
  const router = options.routers.map((address) => Ip.v4(address)).find(isHost);
  if (router === undefined) return routes;
  reach(router);
  routes.push({ destination: new Prefix(Ip.v4(0), 0), via: router });
  return routes;
}

function domainsOf({ options }: Dhcp4Repr): string[] {
  const search = options.domainSearch.filter((name) => name !== ".");
  if (search.length > 0) return search;
  // RFC 2132 §3.17: one name; some servers write several with spaces.
  return (options.domainName ?? "").split(/\s+/).filter((name) => /^[\w.-]{1,253}$/.test(name));
}

/** Null for no mask, or one with holes. */
function maskLength(mask: number | null): number | null {
  if (mask === null) return null;
  const length = Math.clz32(~mask);
  return ~mask === 0 ? 32 : (mask << length) | 0 ? null : length;
}

/** RFC 950 §2.1: without a mask, the class says. */
function classLength({ w3 }: Ip): number {
  const first = w3 >>> 24;
  return first < 128 ? 8 : first < 192 ? 16 : 24;
}
