import type { AddressListener, InterfaceAddress } from "../address-table.ts";
import type { Interface, InterfaceListener } from "../interface.ts";
import type { Route } from "./route.ts";
import type { RoutingTable } from "./routing-table.ts";

/**
 * Keeps a route to the prefix of each assigned address of an interface. Not for what SLAAC made:
 * RFC 5942 §4 has only the L flag of a router's prefix say what is on the link, and who reads that adds
 * the route. Link-local prefixes need none. Lookup passes over routes of interfaces that are down.
 */
export class ConnectedRoutes implements AddressListener, InterfaceListener {
  readonly #of: Interface;
  readonly #routes: RoutingTable;
  readonly #byAddress = new Map<InterfaceAddress, Route>();

  constructor(of: Interface, routes: RoutingTable) {
    this.#of = of;
    this.#routes = routes;
    of.addresses.watch(this);
    of.watch(this);
    for (const address of of.addresses.all) this.onAddressAdded(address);
  }

  onAddressAdded(address: InterfaceAddress): void {
    this.#follow(address);
  }

  onAddressChanged(address: InterfaceAddress): void {
    this.#follow(address);
  }

  onAddressRemoved(address: InterfaceAddress): void {
    this.#withdraw(address);
    this.#routes.invalidate();
  }

  onUp(): void {
    this.#routes.invalidate();
  }

  onDown(): void {
    this.#routes.invalidate();
  }

  #follow(address: InterfaceAddress): void {
    this.#routes.invalidate();
    if (!address.assigned) this.#withdraw(address);
    else if (!this.#byAddress.has(address) && saysWhatIsOnLink(address)) this.#announce(address);
  }

  #announce(address: InterfaceAddress): void {
    const destination = address.prefix.network();
    const same = { destination, interface: this.#of, origin: "connected" } as const;
    // Two addresses of one prefix share the route.
    const route = this.#routes.find(same) ?? this.#routes.add(same);
    if (route !== null && route.origin === "connected") this.#byAddress.set(address, route);
  }

  #withdraw(address: InterfaceAddress): void {
    const route = this.#byAddress.get(address);
    if (route === undefined) return;
    this.#byAddress.delete(address);
    for (const other of this.#byAddress.values()) if (other === route) return;
    this.#routes.remove(route);
  }
}

function saysWhatIsOnLink({ prefix, origin }: InterfaceAddress): boolean {
  if (prefix.length === (prefix.ip.version === 4 ? 32 : 128)) return false;
  if (prefix.ip.version === 6 && prefix.ip.isLinkLocal) return false;
  return origin !== "stable" && origin !== "temporary";
}
