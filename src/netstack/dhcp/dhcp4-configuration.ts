import type { InterfaceAddress } from "../address-table.ts";
import type { NameServerList } from "../autoconf/name-servers.ts";
import type { Interface } from "../interface.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import type { Ip } from "../ip-address.ts";
import type { Dhcp4Lease } from "./dhcp4-lease.ts";

/** As of routes from routers: less preferred than those set by hand. */
const METRIC = 1024;
/** RFC 791 lets a link have 68; nobody means less than what every host takes (RFC 1122 §3.3.3). */
const MIN_MTU = 576;

/** A lease as the interface has it: address, routes, name servers, MTU. */
export class Dhcp4Configuration {
  readonly #iface: Interface;
  readonly #routes: RoutingTable;
  readonly #nameServers: NameServerList;
  #address: InterfaceAddress | null = null;

  constructor(iface: Interface, routes: RoutingTable, nameServers: NameServerList) {
    this.#iface = iface;
    this.#routes = routes;
    this.#nameServers = nameServers;
  }

  /** The address that the interface has from DHCP. */
  get ip(): Ip | null {
    return this.#address?.ip ?? null;
  }

  owns(address: InterfaceAddress): boolean {
    return this.#address === address;
  }

  /** Puts the lease in place of what was there; false when the address cannot be had. */
  apply(lease: Dhcp4Lease): boolean {
    if (this.#address === null || !this.#address.prefix.equals(lease.address)) {
      this.withdraw();
      this.#address = this.#iface.addresses.add(lease.address, "dhcp", "preferred");
      if (this.#address === null) return false;
    }
    this.#address.validUntil = lease.expiresAt;
    this.#address.preferredUntil = lease.expiresAt;
    this.#replaceRoutes(lease);
    const { name } = this.#iface;
    this.#nameServers.replace(name, "dhcp4", lease.nameServers, lease.domains, lease.expiresAt);
    this.#iface.learnMtu("dhcp", lease.mtu >= MIN_MTU ? lease.mtu : 0);
    return true;
  }

  withdraw(): void {
    this.#routes.removeOf(this.#iface, "dhcp");
    const address = this.#address;
    // First, so that nobody takes it for the loss of an address in use.
    this.#address = null;
    if (address !== null) this.#iface.addresses.remove(address.ip);
    this.#nameServers.forget(this.#iface.name, "dhcp4");
    this.#iface.learnMtu("dhcp", 0);
  }

  /** Somebody took the address from the interface. */
  forget(): void {
    this.#address = null;
  }

  /** Those that stay are left alone: a renewal changes nothing for connections. */
  #replaceRoutes(lease: Dhcp4Lease): void {
    const wanted = lease.routes.map(({ destination, via }) => ({
      destination,
      via,
      interface: this.#iface,
      metric: METRIC,
      origin: "dhcp" as const,
      source: lease.address.ip,
    }));
    const kept = wanted.map((spec) => this.#routes.find(spec));
    for (const route of [...this.#routes.all]) {
      if (route.interface !== this.#iface || route.origin !== "dhcp") continue;
      if (!kept.includes(route)) this.#routes.remove(route);
    }
    for (const [i, spec] of wanted.entries()) if (kept[i] === null) this.#routes.add(spec);
  }
}
