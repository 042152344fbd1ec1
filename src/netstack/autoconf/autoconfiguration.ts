import { Icmpv4Type } from "../../wire/icmpv4.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import type { StackContext } from "../context.ts";
import type { DhcpPort } from "../dhcp/dhcp-port.ts";
import { Dhcp6Client } from "../dhcp/dhcp6-client.ts";
import type { Interface } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { InterfaceAutoconfiguration } from "./interface-autoconfiguration.ts";
import { Ipv4Redirects } from "./ipv4-redirects.ts";
import type { NameServerList } from "./name-servers.ts";

/**
 * IPv6 configuration without a hand (RFC 4861, 4862, 7217, 8981, 4191, 8106): link-local addresses,
 * routers, prefixes, addresses, name servers; and of IPv4, redirects. Which of it an interface takes, its
 * settings say.
 */
export class Autoconfiguration {
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #routes: RoutingTable;
  readonly #udp: DhcpPort;
  readonly #nameServers: NameServerList;
  readonly #interfaces = new Map<Interface, InterfaceAutoconfiguration>();
  readonly #ipv4Redirects = new Map<Interface, Ipv4Redirects>();

  /** Takes router advertisements and redirects at `ip`. */
  constructor(
    context: StackContext,
    ip: IpLayer,
    routes: RoutingTable,
    udp: DhcpPort,
    nameServers: NameServerList,
  ) {
    this.#context = context;
    this.#ip = ip;
    this.#routes = routes;
    this.#udp = udp;
    this.#nameServers = nameServers;
    ip.onIcmpv6(Icmpv6Type.routerAdvertisement, (inbound) =>
      this.of(inbound.interface)?.handleAdvertisement(inbound),
    );
    ip.onIcmpv6(Icmpv6Type.redirect, (inbound) =>
      this.of(inbound.interface)?.handleRedirect(inbound),
    );
    ip.onIcmpv4(
      Icmpv4Type.redirect,
      (inbound) => void this.#ipv4Redirects.get(inbound.interface)?.handle(inbound),
    );
  }

  /** Needs `iface.link`; from then on follows the interface up and down. Not for loopback. */
  attach(iface: Interface): void {
    if (this.#interfaces.has(iface)) return;
    const dhcp = new Dhcp6Client(this.#context, iface, this.#udp, this.#nameServers);
    const onOther = (other: boolean): void => (other ? dhcp.start() : dhcp.stop());
    const entry = new InterfaceAutoconfiguration(
      this.#context,
      iface,
      this.#ip,
      this.#routes,
      this.#nameServers,
      onOther,
    );
    this.#interfaces.set(iface, entry);
    this.#ipv4Redirects.set(iface, new Ipv4Redirects(this.#context, iface, this.#routes));
  }

  /** The interface is being removed. */
  detach(iface: Interface): void {
    this.#interfaces.get(iface)?.detach();
    this.#interfaces.delete(iface);
    this.#ipv4Redirects.get(iface)?.flush();
    this.#ipv4Redirects.delete(iface);
  }

  /** Takes a change of the interface's settings into account. */
  refresh(iface: Interface): void {
    this.of(iface)?.onUp();
  }

  of(iface: Interface): InterfaceAutoconfiguration | undefined {
    return this.#interfaces.get(iface);
  }
}
