import type { Stack } from "../../../src/netstack/public.ts";

/** What has to hold whatever peers do: how much there may be of each thing. Returns what does not. */
export function beyondBounds(stack: Stack): string[] {
  const { limits } = stack.context;
  const beyond: string[] = [];
  const check = (what: string, is: number, most: number): void => {
    if (!(is <= most)) beyond.push(`${is} ${what}, of at most ${most}`);
  };
  const { ip, tcp } = stack;
  check("connections", tcp.connections, limits.connections + limits.timeWait + limits.orphans);
  check("bytes of fragments", ip.reassembler.bytes, limits.fragmentBytes);
  check("fragmented datagrams", ip.reassembler.datagrams, limits.fragmentedDatagrams);
  check("routes", ip.routes.size, limits.routes);
  check("paths", ip.paths, limits.paths);
  check("path MTUs", ip.pathMtus.size, limits.paths);
  check("name servers", stack.nameServers.servers.length, limits.nameServers);
  check("search domains", stack.nameServers.domains.length, limits.searchDomains);
  for (const iface of stack.interfaces) {
    const { name, link, addresses, groups } = iface;
    if (link.neighbors !== null) {
      check(`neighbours of ${name}`, link.neighbors.size, 2 * limits.neighbors);
      check(
        `bytes that wait on ${name}`,
        link.neighbors.waitingBytes,
        limits.bytesAwaitingNeighbors,
      );
    }
    check(`addresses of ${name}`, addresses.all.length, limits.addressesPerInterface);
    check(`groups of ${name}`, groups.size, limits.groupsPerInterface);
    const learnt = stack.autoconfiguration.of(iface);
    if (learnt === undefined) continue;
    check(`prefixes of ${name}`, learnt.prefixes.size, limits.prefixesPerInterface);
    check(`redirects of ${name}`, learnt.redirects.size, limits.redirectsPerInterface);
    check(`routers of ${name}`, learnt.routes.defaultRouters.length, limits.defaultRouters);
  }
  // Few things have more than one timer, and most share one among many.
  const most =
    4 * (limits.connections + limits.timeWait + limits.orphans) +
    4 * limits.neighbors * stack.interfaces.length +
    limits.fragmentedDatagrams +
    500;
  check("timers", stack.timers, most);
  return beyond;
}
