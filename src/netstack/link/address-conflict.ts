import { ArpOperation, type ArpView } from "../../wire/arp.ts";
import type { Mac } from "../../wire/mac.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { AddressState } from "../events.ts";
import type { Interface } from "../interface.ts";
import { type Ip, MAPPED } from "../ip-address.ts";
import { AddressClaim } from "./address-claim.ts";
import type { ArpOutput } from "./arp-output.ts";
import { ConflictProbe } from "./conflict-probe.ts";

/** A probe that runs. */
export interface RunningProbe {
  /** Ends it; `done` is not called. */
  cancel(): void;
}

/**
 * IPv4 address conflict detection of one interface (RFC 5227). Tentative addresses become preferred,
 * with the setting `probe` after probing; those in use are announced and defended. One that was set by
 * hand without probing is never given up (§2.4 (c)); others are, at the second conflict in ten seconds
 * (§2.4 (b)), and become `duplicated`. The link coming back begins all anew (§2.1).
 */
export class AddressConflicts {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #output: ArpOutput;
  readonly #probes: ConflictProbe[] = [];
  /** By address; at most as many as the interface has. */
  readonly #claims = new Map<InterfaceAddress, AddressClaim>();
  /** Probes for addresses of the interface itself. */
  readonly #own = new Map<InterfaceAddress, ConflictProbe>();

  constructor(context: StackContext, iface: Interface, output: ArpOutput) {
    this.#context = context;
    this.#iface = iface;
    this.#output = output;
    iface.addresses.watch({
      onAddressAdded: (address) => this.#added(address),
      onAddressChanged: (address, before) => this.#changed(address, before),
      onAddressRemoved: (address) => this.#release(address),
    });
    iface.watch({ onUp: () => this.#resume(), onDown: () => this.#suspend() });
  }

  /**
   * Probes for an address that is not assigned yet (§2.1.1), 4 to 7 seconds while the link is up. `done`
   * is called once: with the link address of who uses it or probes for it, too, or null when nobody
   * does. The caller then adds it as `preferred`, which announces it.
   */
  probe(ip: Ip, done: (conflict: Mac | null) => void): RunningProbe {
    const probe = this.#start(ip, done);
    return { cancel: () => this.#stop(probe) };
  }

  /**
   * Looks at an ARP packet of another station. True when it speaks of a conflict, and nothing is to be
   * learnt from it.
   */
  inspect(view: ArpView): boolean {
    const sender = view.senderIp | 0;
    let found = false;
    for (const probe of this.#probes.slice()) {
      if (!isConflict(view, probe.ip.w3)) continue;
      found = true;
      probe.conflict(view.senderMac);
    }
    if (sender === 0) return found;
    const address = this.#iface.addresses.findWords(0, 0, MAPPED, sender);
    if (address === null || !address.assigned) return found;
    this.#dispute(address, view.senderMac);
    return true;
  }

  #dispute(address: InterfaceAddress, mac: Mac): void {
    const claim = this.#claims.get(address);
    if (claim === undefined) return;
    const insist = address.origin === "static" && this.#mode !== "probe";
    const outcome = claim.conflict(insist);
    if (outcome === "silent") return;
    this.#report(address.ip, mac);
    if (outcome === "lost") this.#iface.addresses.setState(address, "duplicated");
  }

  #added(address: InterfaceAddress): void {
    if (address.ip.version !== 4) return;
    if (address.state === "tentative") this.#settle(address);
    else if (address.assigned) this.#claim(address);
  }

  #changed(address: InterfaceAddress, before: AddressState): void {
    if (address.ip.version !== 4) return;
    if (!address.assigned) this.#claims.get(address)?.end();
    if (!address.assigned) this.#claims.delete(address);
    else if (before === "tentative" || before === "duplicated") this.#claim(address);
  }

  #release(address: InterfaceAddress): void {
    this.#claims.get(address)?.end();
    this.#claims.delete(address);
    const probe = this.#own.get(address);
    if (probe !== undefined) this.#stop(probe);
    this.#own.delete(address);
  }

  /** From tentative to preferred or duplicated. */
  #settle(address: InterfaceAddress): void {
    const { addresses } = this.#iface;
    if (this.#mode !== "probe") {
      addresses.setState(address, "preferred");
      return;
    }
    if (this.#own.has(address)) return;
    const probe = this.#start(address.ip, (conflict) => {
      this.#own.delete(address);
      if (address.state !== "tentative") return;
      if (conflict !== null) this.#report(address.ip, conflict);
      addresses.setState(address, conflict === null ? "preferred" : "duplicated");
    });
    this.#own.set(address, probe);
  }

  #claim(address: InterfaceAddress): void {
    if (this.#mode === "off") return;
    const claim =
      this.#claims.get(address) ?? new AddressClaim(this.#context, this.#output, address);
    this.#claims.set(address, claim);
    if (!this.#iface.up) return;
    // One that is used without a wait: who has it answers this (§2.1), and no announcement.
    if (this.#mode === "announce" && address.origin === "static") this.#output.probe(address.ip.w3);
    claim.announce();
  }

  #suspend(): void {
    for (const probe of this.#probes) probe.suspend();
    for (const claim of this.#claims.values()) claim.end();
  }

  #resume(): void {
    for (const probe of this.#probes) probe.restart();
    for (const address of this.#iface.addresses.all.slice()) {
      if (address.ip.version !== 4) continue;
      if (this.#mode === "probe" && address.origin === "static" && !this.#own.has(address)) {
        this.#iface.addresses.setState(address, "tentative");
        this.#settle(address);
      } else if (address.assigned) this.#claim(address);
    }
  }

  #start(ip: Ip, done: (conflict: Mac | null) => void): ConflictProbe {
    const probe = new ConflictProbe(this.#context, this.#output, ip, (ended, conflict) => {
      this.#forget(ended);
      done(conflict);
    });
    if (!this.#iface.up) probe.suspend();
    this.#probes.push(probe);
    return probe;
  }

  #stop(probe: ConflictProbe): void {
    probe.cancel();
    this.#forget(probe);
  }

  #forget(probe: ConflictProbe): void {
    const at = this.#probes.indexOf(probe);
    if (at >= 0) this.#probes.splice(at, 1);
  }

  #report(ip: Ip, mac: Mac): void {
    const address = ip.toString();
    this.#context.emit({ kind: "address-conflict", interface: this.#iface.name, address, mac });
  }

  get #mode(): "probe" | "announce" | "off" {
    return this.#iface.settings.conflictDetection;
  }
}

/** The sender has the address, or probes for it as we do (RFC 5227 §2.1.1). */
function isConflict(view: ArpView, address: number): boolean {
  const sender = view.senderIp | 0;
  if (sender === address) return true;
  return sender === 0 && view.operation === ArpOperation.request && (view.targetIp | 0) === address;
}
