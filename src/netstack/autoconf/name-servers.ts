import type { IpAddress } from "../../core/address.ts";
import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import { FOREVER } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { Ip } from "../ip-address.ts";

export type NameServerOrigin = "dhcp4" | "dhcp6" | "router";

/** A recursive name server; a link-local one is reached through `interface` only. */
export interface NameServer {
  readonly ip: Ip;
  readonly interface: string;
  readonly origin: NameServerOrigin;
}

/**
 * The name servers and search domains that the networks told us of, over all interfaces. Beyond
 * `limits.nameServers` or `limits.searchDomains` the one that would expire first goes (RFC 8106 §6.2).
 */
export class NameServerList implements TimerTarget {
  readonly #context: StackContext;
  #servers: Entry<Ip>[] = [];
  #domains: Entry<string>[] = [];
  #timer: Timer | null = null;

  constructor(context: StackContext) {
    this.#context = context;
  }

  /** In order of preference: DHCP's before those of routers (RFC 8106 §5.3.1), else as they came. */
  get servers(): readonly NameServer[] {
    return this.#servers.map(({ value, interface: name, origin }) => ({
      ip: value,
      interface: name,
      origin,
    }));
  }

  get addresses(): readonly IpAddress[] {
    return [...new Set(this.#servers.map(({ value }) => value.toString()))];
  }

  get domains(): readonly string[] {
    return [...new Set(this.#domains.map(({ value }) => value))];
  }

  /** All that DHCP says on an interface, in place of what it said before. */
  replace(
    name: string,
    origin: NameServerOrigin,
    servers: readonly Ip[],
    domains: readonly string[],
    until: Instant,
  ): void {
    const before = this.#text();
    this.#drop((entry) => entry.interface === name && entry.origin === origin);
    for (const ip of servers) this.#addServer(ip, name, origin, until);
    for (const domain of domains) this.#addDomain(domain, name, origin, until);
    this.#settle(name, before);
  }

  /** One more option of a router advertisement; an `until` that has come withdraws what it lists. */
  learn(name: string, servers: readonly Ip[], domains: readonly string[], until: Instant): void {
    const before = this.#text();
    for (const ip of servers) this.#addServer(ip, name, "router", until);
    for (const domain of domains) this.#addDomain(domain, name, "router", until);
    this.#settle(name, before);
  }

  /** The interface is down, or left one way of being configured. */
  forget(name: string, origin?: NameServerOrigin): void {
    const before = this.#text();
    this.#drop(
      (entry) => entry.interface === name && (origin === undefined || entry.origin === origin),
    );
    this.#settle(name, before);
  }

  onTimer(): void {
    const before = this.#text();
    const now = this.#context.now();
    const expired =
      this.#servers.find((entry) => entry.until <= now) ??
      this.#domains.find((entry) => entry.until <= now);
    this.#drop((entry) => entry.until <= now);
    this.#settle(expired?.interface ?? "", before);
  }

  #addServer(ip: Ip, name: string, origin: NameServerOrigin, until: Instant): void {
    if (ip.isUnspecified || ip.isMulticast || ip.isLoopback) return;
    this.#put(
      this.#servers,
      (value) => value.equals(ip),
      { value: ip, interface: name, origin, until },
      this.#context.limits.nameServers,
    );
  }

  #addDomain(domain: string, name: string, origin: NameServerOrigin, until: Instant): void {
    const value = domain.toLowerCase();
    this.#put(
      this.#domains,
      (known) => known === value,
      { value, interface: name, origin, until },
      this.#context.limits.searchDomains,
    );
  }

  #put<T>(list: Entry<T>[], same: (value: T) => boolean, entry: Entry<T>, limit: number): void {
    const at = list.findIndex(
      (one) => one.interface === entry.interface && one.origin === entry.origin && same(one.value),
    );
    if (entry.until <= this.#context.now()) {
      if (at >= 0) list.splice(at, 1);
      return;
    }
    if (at >= 0) {
      list[at]!.until = entry.until;
      return;
    }
    const behind = list.findIndex((one) => one.origin === "router");
    if (entry.origin === "router" || behind < 0) list.push(entry);
    else list.splice(behind, 0, entry);
    if (list.length > limit) list.splice(soonest(list), 1);
  }

  #drop(which: (entry: Entry<unknown>) => boolean): void {
    this.#servers = this.#servers.filter((entry) => !which(entry));
    this.#domains = this.#domains.filter((entry) => !which(entry));
  }

  #text(): string {
    return `${this.addresses.join()} ${this.domains.join()}`;
  }

  /** Tells of a change, and waits for the next expiry. */
  #settle(name: string, before: string): void {
    let next = FOREVER;
    for (const { until } of this.#servers) if (until < next) next = until;
    for (const { until } of this.#domains) if (until < next) next = until;
    if (next === FOREVER) this.#timer?.cancel();
    else if (this.#timer === null) this.#timer = this.#context.schedule(this, next);
    else this.#timer.reschedule(next);
    if (this.#text() === before) return;
    this.#context.emit({
      kind: "name-servers",
      interface: name,
      servers: this.addresses,
      domains: this.domains,
    });
  }
}

interface Entry<T> {
  readonly value: T;
  readonly interface: string;
  readonly origin: NameServerOrigin;
  until: Instant;
}

function soonest(list: readonly Entry<unknown>[]): number {
  let found = 0;
  for (let i = 1; i < list.length; i++) if (list[i]!.until < list[found]!.until) found = i;
  return found;
}
