import type { NameServerList } from "../autoconf/name-servers.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import type { DhcpPort } from "./dhcp-port.ts";

/** Stateless DHCPv6 (RFC 8415 §6.1): asks for name servers and search domains. */
export class Dhcp6Client {
  constructor(
    _context: StackContext,
    _iface: Interface,
    _udp: DhcpPort,
    _nameServers: NameServerList,
  ) {}

  start(): void {}

  stop(): void {}
}
