import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import { FOREVER, type InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import { randomBelow } from "../deadline.ts";
import type { Interface } from "../interface.ts";
import { Prefix } from "../prefix.ts";
import { randomAddress } from "./interface-identifier.ts";
import { earlier } from "./lifetime.ts";

/** RFC 8981 §3.8. */
export const TEMP_VALID_LIFETIME = seconds(2 * 86_400);
export const TEMP_PREFERRED_LIFETIME = seconds(86_400);
const MAX_DESYNC_FACTOR = (TEMP_PREFERRED_LIFETIME * 0.4) as Duration;
const TEMP_IDGEN_RETRIES = 3;
/** Of one prefix; the oldest goes. Two days of validity at a new one a day make three. */
const MAX_ADDRESSES = 4;

/**
 * The temporary addresses of one prefix (RFC 8981): each is followed by another a little before it is
 * deprecated, at intervals that differ at random, so that nobody can tell one host's from another's.
 */
export class TemporaryAddresses {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #prefix: Prefix;
  readonly #entries: TemporaryAddress[] = [];
  /** In a row (§3.4 step 7). */
  #conflicts = 0;

  constructor(context: StackContext, iface: Interface, prefix: Prefix) {
    this.#context = context;
    this.#iface = iface;
    this.#prefix = prefix;
  }

  /**
   * Fits the addresses to the lifetimes of their prefix, and makes one where one is due. Returns when
   * it has to be called next.
   */
  review(now: Instant, preferredUntil: Instant, validUntil: Instant): Instant {
    const { addresses, settings } = this.#iface;
    const advance = this.#regenAdvance();
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const { address, createdAt, desync } = this.#entries[i]!;
      // §3.4 step 4: never longer than a temporary address may live.
      address.validUntil = earlier(validUntil, after(createdAt, TEMP_VALID_LIFETIME));
      address.preferredUntil = earlier(
        preferredUntil,
        (createdAt + TEMP_PREFERRED_LIFETIME - desync) as Instant,
      );
      if (address.state === "duplicated") this.#conflicts++;
      else if (address.validUntil > now) {
        if (address.state === "preferred") this.#conflicts = 0;
        continue;
      }
      this.#entries.splice(i, 1);
      addresses.remove(address.ip);
    }
    const newest = this.#entries.at(-1);
    const due = newest === undefined || newest.address.preferredUntil - advance <= now;
    // §3.4 step 5: one that would have to be replaced at once is not made.
    const wanted = settings.temporaryAddresses && this.#conflicts < TEMP_IDGEN_RETRIES;
    if (due && wanted && preferredUntil - now > advance)
      this.#create(now, preferredUntil, validUntil);
    return this.#next(now, advance);
  }

  /** Whether one of them is that address. */
  owns(address: InterfaceAddress): boolean {
    return this.#entries.some((entry) => entry.address === address);
  }

  /** Somebody took the address out of the table. */
  forget(address: InterfaceAddress): void {
    const at = this.#entries.findIndex((entry) => entry.address === address);
    if (at >= 0) this.#entries.splice(at, 1);
  }

  flush(): void {
    for (const { address } of this.#entries.splice(0)) this.#iface.addresses.remove(address.ip);
  }

  #create(now: Instant, preferredUntil: Instant, validUntil: Instant): void {
    const { addresses } = this.#iface;
    if (this.#entries.length >= MAX_ADDRESSES) addresses.remove(this.#entries.shift()!.address.ip);
    const desync = randomBelow(this.#context.rng, MAX_DESYNC_FACTOR);
    const ip = randomAddress(this.#context.rng, this.#prefix.ip);
    const lifetimes = {
      preferredUntil: earlier(preferredUntil, (now + TEMP_PREFERRED_LIFETIME - desync) as Instant),
      validUntil: earlier(validUntil, after(now, TEMP_VALID_LIFETIME)),
    };
    const address = addresses.add(new Prefix(ip, 64), "temporary", "tentative");
    if (address === null) return;
    Object.assign(address, lifetimes);
    this.#entries.push({ address, createdAt: now, desync });
  }

  #next(now: Instant, advance: Duration): Instant {
    let next = FOREVER;
    for (const { address } of this.#entries) {
      next = earlier(next, address.validUntil);
      if (address.preferredUntil > now) next = earlier(next, address.preferredUntil);
    }
    const newest = this.#entries.at(-1);
    if (newest === undefined || !this.#iface.settings.temporaryAddresses) return next;
    const regeneration = (newest.address.preferredUntil - advance) as Instant;
    return regeneration > now ? earlier(next, regeneration) : next;
  }

  /** REGEN_ADVANCE (§3.8). */
  #regenAdvance(): Duration {
    const { link, settings } = this.#iface;
    const retransTimer = link.neighbors?.retransTimer ?? seconds(1);
    const attempts = TEMP_IDGEN_RETRIES * settings.dadTransmits;
    return (seconds(2) + attempts * retransTimer) as Duration;
  }
}

interface TemporaryAddress {
  readonly address: InterfaceAddress;
  readonly createdAt: Instant;
  readonly desync: Duration;
}
