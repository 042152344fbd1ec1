import type { Instant } from "../core/time.ts";
import type { AddressOrigin, AddressState } from "./events.ts";
import type { Ip } from "./ip-address.ts";
import type { Prefix } from "./prefix.ts";

/** No end: a static address, or an infinite lifetime (RFC 4861 §4.6.2). */
export const FOREVER = Number.POSITIVE_INFINITY as Instant;

/** An address of an interface. `state` and lifetimes change through the table, which tells of it. */
export class InterfaceAddress {
  readonly prefix: Prefix;
  readonly origin: AddressOrigin;
  state: AddressState;
  preferredUntil: Instant = FOREVER;
  validUntil: Instant = FOREVER;

  constructor(prefix: Prefix, origin: AddressOrigin, state: AddressState) {
    this.prefix = prefix;
    this.origin = origin;
    this.state = state;
  }

  get ip(): Ip {
    return this.prefix.ip;
  }

  /** May be used as a destination and, if need be, as a source (RFC 4862 §2: assigned). */
  get assigned(): boolean {
    return this.state === "preferred" || this.state === "deprecated";
  }
}

/** Hears of changes after they were made. */
export interface AddressListener {
  onAddressAdded?(address: InterfaceAddress): void;
  onAddressChanged?(address: InterfaceAddress, before: AddressState): void;
  onAddressRemoved?(address: InterfaceAddress): void;
}

/** The addresses of one interface, of both families, in the order in which they were added. */
export class AddressTable {
  readonly #entries: InterfaceAddress[] = [];
  readonly #listeners: AddressListener[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get all(): readonly InterfaceAddress[] {
    return this.#entries;
  }

  watch(listener: AddressListener): void {
    this.#listeners.push(listener);
  }

  /** Null when the table is full or has the address already. */
  add(prefix: Prefix, origin: AddressOrigin, state: AddressState): InterfaceAddress | null {
    if (this.#entries.length >= this.#limit || this.find(prefix.ip) !== null) return null;
    const entry = new InterfaceAddress(prefix, origin, state);
    this.#entries.push(entry);
    for (const listener of this.#listeners) listener.onAddressAdded?.(entry);
    return entry;
  }

  remove(ip: Ip): InterfaceAddress | null {
    const at = this.#entries.findIndex((entry) => entry.ip.equals(ip));
    if (at < 0) return null;
    const [entry] = this.#entries.splice(at, 1);
    for (const listener of this.#listeners) listener.onAddressRemoved?.(entry!);
    return entry!;
  }

  setState(address: InterfaceAddress, state: AddressState): void {
    const before = address.state;
    if (before === state) return;
    address.state = state;
    for (const listener of this.#listeners) listener.onAddressChanged?.(address, before);
  }

  find(ip: Ip): InterfaceAddress | null {
    return this.findWords(ip.w0, ip.w1, ip.w2, ip.w3);
  }

  /** By the words of `Ip`: what every received packet asks. Tentative ones are found, too. */
  findWords(w0: number, w1: number, w2: number, w3: number): InterfaceAddress | null {
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) {
      const ip = entries[i]!.prefix.ip;
      if (ip.w3 === w3 && ip.w2 === w2 && ip.w1 === w1 && ip.w0 === w0) return entries[i]!;
    }
    return null;
  }
}
