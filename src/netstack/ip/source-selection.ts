import type { InterfaceAddress } from "../address-table.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import { commonPrefixLength, labelOf, scopeOf } from "./address-policy.ts";

/** What source selection needs to know of the way to a destination. */
export interface Way {
  readonly destination: Ip;
  readonly nextHop: Ip;
  readonly interface: Interface;
}

/**
 * The best source for packets on that way by RFC 6724 §5, or null without any. Rules 4 (home
 * addresses) and 5.5 (prefixes of the chosen router) have nothing to go by here. IPv4 goes by the same
 * rules, with the subnet of the next hop before the longest match, as hosts have always done.
 */
export function selectSource(way: Way, interfaces: readonly Interface[]): Ip | null {
  const best = bestOf(way, way.interface, null);
  if (best !== null) return best.ip;
  // RFC 6724 §4 leaves it open to borrow from other interfaces: an unnumbered link (RFC 1812 §2.2.7).
  // What has a scope of its own cannot be borrowed (RFC 4007 §9).
  if (way.destination.version === 6 && scopeOf(way.destination) <= 2) return null;
  let borrowed: InterfaceAddress | null = null;
  for (const other of interfaces) {
    if (other !== way.interface && other.device.medium !== "loopback") {
      borrowed = bestOf(way, other, borrowed);
    }
  }
  return borrowed !== null && !borrowed.ip.isLinkLocal ? borrowed.ip : null;
}

function bestOf(way: Way, of: Interface, than: InterfaceAddress | null): InterfaceAddress | null {
  let best = than;
  for (const candidate of of.addresses.all) {
    if (candidate.ip.version !== way.destination.version || !candidate.assigned) continue;
    if (best === null || isBetter(candidate, best, way)) best = candidate;
  }
  return best;
}

/** Whether `a` beats `b`, which was found first and keeps its place in a tie. */
export function isBetter(a: InterfaceAddress, b: InterfaceAddress, way: Way): boolean {
  const { destination } = way;
  // Rule 1: the destination itself.
  if (b.ip.equals(destination)) return false;
  if (a.ip.equals(destination)) return true;
  // Rule 2: the smallest scope that still reaches it.
  const scopeA = scopeOf(a.ip);
  const scopeB = scopeOf(b.ip);
  if (scopeA !== scopeB) {
    const wanted = scopeOf(destination);
    return scopeA < scopeB ? scopeA >= wanted : scopeB < wanted;
  }
  // Rule 3: none that is deprecated.
  if (a.state !== b.state) return b.state === "deprecated";
  // Rule 5, of the outgoing interface, holds for all candidates by how they are collected.
  if (destination.version === 4) return isBetterIpv4(a, b, way);
  // Rule 6: a label that matches.
  const label = labelOf(destination);
  const labelA = labelOf(a.ip) === label;
  const labelB = labelOf(b.ip) === label;
  if (labelA !== labelB) return labelA;
  // Rule 7: temporary ones.
  const temporaryA = a.origin === "temporary";
  const temporaryB = b.origin === "temporary";
  if (temporaryA !== temporaryB) return temporaryA;
  // Rule 8: the longest prefix in common.
  return commonPrefixLength(a.prefix, destination) > commonPrefixLength(b.prefix, destination);
}

function isBetterIpv4(a: InterfaceAddress, b: InterfaceAddress, way: Way): boolean {
  const onLinkA = a.prefix.contains(way.nextHop);
  const onLinkB = b.prefix.contains(way.nextHop);
  if (onLinkA !== onLinkB) return onLinkA;
  const { destination } = way;
  return commonPrefixLength(a.prefix, destination) > commonPrefixLength(b.prefix, destination);
}
