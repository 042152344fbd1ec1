import { after, type Instant, seconds } from "../../core/time.ts";
import {
  type AddressListener,
  type AddressTable,
  FOREVER,
  type InterfaceAddress,
} from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { Deadline, randomBelow } from "../deadline.ts";
import type { AddressState } from "../events.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { stableAddress } from "./interface-identifier.ts";
import { earlier, lifetimeEnd } from "./lifetime.ts";
import { TemporaryAddresses } from "./temporary-addresses.ts";

/** fe80::/64 (RFC 4291 §2.5.6). */
export const LINK_LOCAL = new Prefix(Ip.v6(0xfe80_0000, 0, 0, 0), 64);
/** RFC 7217 §7: how often another identifier is tried, and how long is waited before. */
const IDGEN_RETRIES = 3;
const IDGEN_DELAY = seconds(1);
/** RFC 4862 §5.5.3 (e): an advertisement that nobody vouches for cannot shorten a lifetime below this. */
const TWO_HOURS = seconds(7_200);

/**
 * The addresses that an interface gives itself (RFC 4862): a stable one for fe80::/64 and for each
 * autonomous prefix, and temporary ones where they are wanted. They enter the interface's table as
 * `tentative`; whoever detects duplicates there decides. At most `limits.prefixesPerInterface`
 * prefixes; further ones are ignored, so that a flood of them does not displace those in use.
 */
export class StatelessAddresses implements AddressListener {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #table: AddressTable;
  readonly #entries: AutonomousPrefix[] = [];
  readonly #deadline: Deadline;
  #flushing = false;

  constructor(context: StackContext, iface: Interface) {
    this.#context = context;
    this.#iface = iface;
    this.#table = iface.addresses;
    this.#deadline = new Deadline(context, (now) => this.#review(now));
    this.#table.watch(this);
  }

  /** The interface's link-local address, whatever its state; null without one. */
  get linkLocal(): InterfaceAddress | null {
    return this.#entries.find(({ prefix }) => prefix === LINK_LOCAL)?.address ?? null;
  }

  /** Autonomous prefixes, without that of link-local addresses. */
  get prefixes(): number {
    return this.#entries.filter(({ prefix }) => prefix !== LINK_LOCAL).length;
  }

  addLinkLocal(): void {
    if (this.linkLocal !== null) return;
    const entry = new AutonomousPrefix(LINK_LOCAL, FOREVER, FOREVER, null);
    this.#entries.push(entry);
    this.#form(entry);
  }

  /** A prefix with the A flag; lifetimes in seconds as received (RFC 4862 §5.5.3). */
  advertise(prefix: Prefix, preferred: number, valid: number): void {
    const { ip, length } = prefix;
    // (b), (c), and the length that identifiers of 64 bits need.
    if (ip.isLinkLocal || ip.isMulticast || preferred > valid || length !== 64) return;
    const now = this.#context.now();
    let entry = this.#entries.find((known) => known.prefix.equals(prefix));
    if (entry === undefined) {
      if (valid === 0 || this.prefixes >= this.#context.limits.prefixesPerInterface) return;
      entry = new AutonomousPrefix(
        prefix,
        lifetimeEnd(now, preferred),
        lifetimeEnd(now, valid),
        new TemporaryAddresses(this.#context, this.#iface, prefix),
      );
      this.#entries.push(entry);
    } else {
      entry.preferredUntil = lifetimeEnd(now, preferred);
      entry.validUntil = extended(now, entry.validUntil, lifetimeEnd(now, valid));
    }
    if (entry.address === null && entry.retryAt === FOREVER) this.#form(entry);
    this.#review(now);
  }

  /** The interface is down: its addresses here go. */
  flush(): void {
    this.#flushing = true;
    for (const { address, temporary } of this.#entries.splice(0)) {
      temporary?.flush();
      if (address !== null) this.#table.remove(address.ip);
    }
    this.#flushing = false;
    this.#deadline.cancel();
  }

  onAddressChanged(address: InterfaceAddress, before: AddressState): void {
    if (before !== "tentative" && address.state !== "duplicated") return;
    const now = this.#context.now();
    for (const entry of this.#entries) {
      if (entry.address === address && address.state === "duplicated") {
        if (entry.counter >= IDGEN_RETRIES) return;
        // RFC 7217 §6: with the next counter, after a random while.
        entry.counter++;
        entry.retryAt = after(now, randomBelow(this.#context.rng, IDGEN_DELAY));
      } else if (entry.address !== address && entry.temporary?.owns(address) !== true) continue;
      // What follows from it changes the table, which is busy telling of this change.
      this.#deadline.set(
        earlier(this.#deadline.at, entry.retryAt === FOREVER ? now : entry.retryAt),
      );
      return;
    }
  }

  onAddressRemoved(address: InterfaceAddress): void {
    if (this.#flushing) return;
    for (const entry of this.#entries) {
      if (entry.address === address) entry.address = null;
      entry.temporary?.forget(address);
    }
  }

  #form(entry: AutonomousPrefix): void {
    const { prefix, counter } = entry;
    const ip = stableAddress(this.#context.addressSecret, prefix.ip, this.#iface.name, counter);
    const origin = prefix === LINK_LOCAL ? "link-local" : "stable";
    entry.address = this.#table.add(new Prefix(ip, 64), origin, "tentative");
    if (entry.address === null) return;
    entry.address.preferredUntil = entry.preferredUntil;
    entry.address.validUntil = entry.validUntil;
  }

  /** Does what time has brought, and waits for the next. */
  #review(now: Instant): void {
    let next = FOREVER;
    for (const entry of [...this.#entries]) {
      if (entry.validUntil <= now) this.#remove(entry);
      else next = earlier(next, this.#reviewPrefix(entry, now));
    }
    this.#deadline.set(next);
  }

  #reviewPrefix(entry: AutonomousPrefix, now: Instant): Instant {
    if (entry.retryAt <= now) {
      entry.retryAt = FOREVER;
      if (entry.address !== null) this.#table.remove(entry.address.ip);
      this.#form(entry);
    }
    const { address, temporary, preferredUntil, validUntil } = entry;
    if (address !== null) {
      address.preferredUntil = preferredUntil;
      address.validUntil = validUntil;
      this.#settle(address, now);
    }
    let next = earlier(entry.retryAt, preferredUntil > now ? preferredUntil : validUntil);
    if (temporary !== null) {
      next = earlier(next, temporary.review(now, preferredUntil, validUntil));
      for (const one of this.#table.all) if (temporary.owns(one)) this.#settle(one, now);
    }
    return next;
  }

  /** RFC 4862 §5.5.4: deprecated once it is no longer preferred, and back when that is prolonged. */
  #settle(address: InterfaceAddress, now: Instant): void {
    if (!address.assigned) return;
    this.#table.setState(address, address.preferredUntil > now ? "preferred" : "deprecated");
  }

  #remove(entry: AutonomousPrefix): void {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    entry.temporary?.flush();
    if (entry.address !== null) this.#table.remove(entry.address.ip);
  }
}

class AutonomousPrefix {
  readonly prefix: Prefix;
  preferredUntil: Instant;
  validUntil: Instant;
  /** Null for link-local addresses. */
  readonly temporary: TemporaryAddresses | null;
  /** Null: the table had no room, or somebody removed it. */
  address: InterfaceAddress | null = null;
  /** DAD_Counter (RFC 7217 §5). */
  counter = 0;
  /** When the address, which is a duplicate, is to be replaced. */
  retryAt: Instant = FOREVER;

  constructor(
    prefix: Prefix,
    preferredUntil: Instant,
    validUntil: Instant,
    temporary: TemporaryAddresses | null,
  ) {
    this.prefix = prefix;
    this.preferredUntil = preferredUntil;
    this.validUntil = validUntil;
    this.temporary = temporary;
  }
}

/** RFC 4862 §5.5.3 (e) 1 to 3: a valid lifetime may grow at will, and shrink to two hours at most. */
function extended(now: Instant, current: Instant, received: Instant): Instant {
  const limit = after(now, TWO_HOURS);
  if (received > limit || received > current) return received;
  return current <= limit ? current : limit;
}
