import type { Duration } from "../../core/time.ts";
import type { Mac } from "../../wire/mac.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { IPV6_ALL_ROUTERS, type Ip } from "../ip-address.ts";
import type { Membership } from "../multicast/group-table.ts";
import { DuplicateTrial, type TrialOwner } from "./duplicate-trial.ts";
import { type NdpOutput, solicitedNodeOf } from "./ndp-output.ts";
import type { NeighborTable } from "./neighbor-table.ts";

/**
 * Duplicate address detection of an interface (RFC 4862 §5.4): a tentative IPv6 address becomes
 * preferred (or deprecated, where its time has come meanwhile) when nobody answers, else duplicated.
 * Each address is in its solicited-node group from the beginning. When the interface comes up again,
 * every address is tentative once more. One trial an address, so at most as many as addresses.
 */
export class DuplicateDetection implements TrialOwner {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #output: NdpOutput;
  readonly #neighbors: NeighborTable;
  readonly #trials = new Map<InterfaceAddress, DuplicateTrial>();
  readonly #memberships = new Map<InterfaceAddress, Membership>();

  constructor(
    context: StackContext,
    iface: Interface,
    output: NdpOutput,
    neighbors: NeighborTable,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#output = output;
    this.#neighbors = neighbors;
    iface.addresses.watch({
      onAddressAdded: (address) => this.#added(address),
      onAddressChanged: (address) => this.#changed(address),
      onAddressRemoved: (address) => this.#removed(address),
    });
    iface.watch({ onUp: () => this.#restart(), onDown: () => this.#cancelAll() });
  }

  get retransTimer(): Duration {
    return this.#neighbors.retransTimer;
  }

  /** The trial of a tentative address, while one runs. */
  trialOf(address: InterfaceAddress): DuplicateTrial | null {
    return this.#trials.get(address) ?? null;
  }

  concluded(trial: DuplicateTrial, duplicate: Mac | null): void {
    const { address } = trial;
    this.#trials.delete(address);
    if (duplicate === null) {
      this.#accept(address);
      return;
    }
    this.report(address.ip, duplicate);
    this.#iface.addresses.setState(address, "duplicated");
    if (isMadeOf(address.ip, this.#iface.device.mac)) this.#disable();
  }

  /** `mac` 0: not known. */
  report(ip: Ip, mac: Mac): void {
    const address = ip.toString();
    this.#context.emit({ kind: "address-conflict", interface: this.#iface.name, address, mac });
  }

  #added(address: InterfaceAddress): void {
    if (address.ip.version !== 6) return;
    const membership = this.#iface.groups.join(solicitedNodeOf(address.ip));
    if (membership !== null) this.#memberships.set(address, membership);
    if (address.state === "tentative") this.#begin(address);
    else if (address.assigned) this.#announce(address.ip);
  }

  #changed(address: InterfaceAddress): void {
    if (address.ip.version === 6 && address.state === "tentative") this.#begin(address);
    else this.#cancel(address);
  }

  #removed(address: InterfaceAddress): void {
    this.#cancel(address);
    this.#memberships.get(address)?.leave();
    this.#memberships.delete(address);
  }

  #begin(address: InterfaceAddress): void {
    if (this.#trials.has(address)) return;
    if (this.#transmits === 0) {
      this.#accept(address);
      return;
    }
    if (!this.#iface.up) return;
    const trial = new DuplicateTrial(this.#context, this.#output, this, address, this.#transmits);
    this.#trials.set(address, trial);
  }

  #accept(address: InterfaceAddress): void {
    const late = address.preferredUntil <= this.#context.now();
    this.#iface.addresses.setState(address, late ? "deprecated" : "preferred");
    this.#announce(address.ip);
  }

  /** RFC 9131 §4: routers learn a new address before the first packet for it comes. */
  #announce(ip: Ip): void {
    if (!this.#iface.up) return;
    this.#output.announce(ip, IPV6_ALL_ROUTERS, this.#iface.settings.forwarding);
  }

  #restart(): void {
    if (!this.#iface.settings.ipv6) return;
    for (const address of this.#iface.addresses.all.slice()) {
      if (address.ip.version !== 6) continue;
      if (this.#transmits === 0) {
        if (address.assigned) this.#announce(address.ip);
        else this.#accept(address);
        continue;
      }
      this.#iface.addresses.setState(address, "tentative");
      this.#begin(address);
    }
  }

  /**
   * RFC 4862 §5.4.5: a link-local address made of the MAC address is taken, so the MAC address is, and
   * no address of this interface can be trusted.
   */
  #disable(): void {
    this.#iface.settings.ipv6 = false;
    this.#cancelAll();
  }

  #cancel(address: InterfaceAddress): void {
    this.#trials.get(address)?.cancel();
    this.#trials.delete(address);
  }

  #cancelAll(): void {
    for (const trial of this.#trials.values()) trial.cancel();
    this.#trials.clear();
  }

  get #transmits(): number {
    const { conflictDetection, dadTransmits } = this.#iface.settings;
    return conflictDetection === "off" ? 0 : dadTransmits;
  }
}

/** Link-local, with the modified EUI-64 of the MAC address (RFC 4291 appendix A). */
function isMadeOf(ip: Ip, mac: Mac): boolean {
  if (!ip.isLinkLocal) return false;
  const high = Math.floor(mac / 0x100_0000) ^ 0x02_0000;
  const low = mac % 0x100_0000;
  return ip.w2 === ((high << 8) | 0xff) && ip.w3 === (0xfe00_0000 | low | 0);
}
