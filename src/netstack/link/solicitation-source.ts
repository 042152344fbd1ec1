import type { InterfaceAddress } from "../address-table.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Neighbor } from "./neighbor.ts";

/**
 * The address that a neighbour is asked from (RFC 4861 §7.2.2): the source of the packet that prompts
 * it, so that the neighbour learns what it will need; else one on the neighbour's network (also for
 * ARP: others may not answer strangers), else any. Null when the interface has none of the family.
 */
export function solicitationSource(iface: Interface, neighbor: Neighbor): Ip | null {
  const { ip, source } = neighbor;
  if (source !== null && iface.addresses.find(source)?.assigned === true) return source;
  let found: InterfaceAddress | null = null;
  for (const address of iface.addresses.all) {
    if (!address.assigned || address.ip.version !== ip.version) continue;
    if (address.prefix.contains(ip)) return address.ip;
    if (found === null || (address.ip.isLinkLocal && !found.ip.isLinkLocal && ip.version === 6)) {
      found = address;
    }
  }
  return found?.ip ?? null;
}
