import type { AddressListener, InterfaceAddress } from "../address-table.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { Membership } from "./group-table.ts";

/** Joins the solicited-node group of each IPv6 address of an interface (RFC 4291 §2.8). */
export class SolicitedNodes implements AddressListener {
  readonly #iface: Interface;
  readonly #memberships = new Map<InterfaceAddress, Membership>();

  constructor(iface: Interface) {
    this.#iface = iface;
    for (const address of iface.addresses.all) this.onAddressAdded(address);
    iface.addresses.watch(this);
  }

  /** Tentative ones, too: duplicates are found there (RFC 4862 §5.4.2). */
  onAddressAdded(address: InterfaceAddress): void {
    const { ip } = address;
    if (ip.version !== 6 || ip.isLoopback || this.#memberships.has(address)) return;
    const membership = this.#iface.groups.join(solicitedNodeOf(ip));
    if (membership !== null) this.#memberships.set(address, membership);
  }

  onAddressRemoved(address: InterfaceAddress): void {
    this.#memberships.get(address)?.leave();
    this.#memberships.delete(address);
  }
}

/** ff02::1:ffXX:XXXX (RFC 4291 §2.7.1). */
const solicitedNodeOf = (ip: Ip): Ip => Ip.v6(0xff02_0000, 0, 1, 0xff00_0000 | (ip.w3 & 0xff_ffff));
