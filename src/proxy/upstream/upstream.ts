import { formatSocketAddress } from "../../core/address.ts";
import { after, type Duration, type Instant, micros } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import type { TlsClient } from "../../tls/client.ts";
import { HealthChecks, type HealthListener } from "../health/health-checks.ts";
import type { EndpointSettings, UpstreamSettings } from "../settings.ts";
import type { TlsRoute } from "../tls/route.ts";
import { tlsTarget } from "../tls/target.ts";
import type { Balancer, PickInput } from "./balance/balancer.ts";
import { createBalancer } from "./balance/create.ts";
import { Choice } from "./choice.ts";
import { Endpoint, type EndpointState } from "./endpoint.ts";
import { IdleSweep, type Swept } from "./idle-sweep.ts";
import { listMembers, type Member } from "./members.ts";
import { type NameListener, NameResolution } from "./name-resolution.ts";
import { type Waiter, WaitingLine } from "./waiting-line.ts";

export type { PickInput } from "./balance/balancer.ts";
export type { Waiter } from "./waiting-line.ts";

/** An upstream as the admin interface shows it. Plain data. */
export interface UpstreamSnapshot {
  readonly name: string;
  readonly balance: UpstreamSettings["balance"]["kind"];
  /** Requests that wait for a connection. */
  readonly waiting: number;
  /** Those that were removed stay listed until their last connection is gone. */
  readonly endpoints: readonly EndpointSnapshot[];
}

export interface EndpointSnapshot {
  readonly name: string;
  readonly address: string;
  readonly state: EndpointState;
  readonly weight: number;
  readonly active: number;
  readonly connections: number;
  readonly idle: number;
  /** Failures to connect since the last success. */
  readonly fails: number;
  /** Peak EWMA of the time to answer, in microseconds. */
  readonly ewma: Duration;
}

/**
 * A group of endpoints that serve the same thing, as one worker sees it: who is in it, who takes the
 * next request, and who waits when there is no room.
 *
 * Endpoints by address are there from the start, those by name once `start` has resolved it. Whenever a
 * name's addresses change the balancer is made anew; endpoints that stay keep their state and their
 * connections, those that leave are retired.
 */
export class Upstream implements NameListener, HealthListener, Swept {
  readonly settings: UpstreamSettings;
  endpoints: readonly Endpoint[] = [];

  readonly #transport: Transport;
  readonly #tls: TlsClient | null;
  readonly #notice: (message: string) => void;
  readonly #names = new Map<string, NameResolution>();
  readonly #sweep: IdleSweep;
  readonly #checks: HealthChecks | null;
  readonly #line: WaitingLine;
  readonly #choice = new Choice();
  #byKey: ReadonlyMap<string, Endpoint> = new Map();
  #balancer: Balancer;
  /** Retired, with connections left. */
  #leaving: Endpoint[] = [];
  #saturated = false;
  #waking = false;

  constructor(
    settings: UpstreamSettings,
    transport: Transport,
    onNotice: (message: string) => void = () => {},
    tls: TlsClient | null = null,
  ) {
    this.settings = settings;
    this.#tls = tls;
    this.#transport = transport;
    this.#notice = onNotice;
    this.#sweep = new IdleSweep(this, transport);
    const { health } = settings;
    this.#checks = health ? new HealthChecks(health, settings, transport, this) : null;
    this.#line = new WaitingLine(settings.limits.pending);
    for (const { target } of settings.endpoints) {
      if (target.kind !== "name" || this.#names.has(target.host)) continue;
      const name = new NameResolution(target.host, settings.resolveEvery, transport, this);
      this.#names.set(target.host, name);
    }
    this.#balancer = createBalancer(settings.balance, []);
    this.onAddresses();
  }

  /**
   * Resolves the names and begins to keep them and the pools up to date. Settles when every name was
   * asked for once; never rejects: a failure is a notice, and the name is asked for again.
   */
  async start(): Promise<void> {
    this.#sweep.expect(after(this.#transport.now(), this.settings.timeouts.idle));
    this.#checks?.start(this.endpoints);
    await Promise.all([...this.#names.values()].map((name) => name.resolve()));
  }

  /** No more resolving; idle connections are closed, and others once they become idle. */
  stop(): void {
    this.#sweep.stop();
    this.#checks?.stop();
    for (const name of this.#names.values()) name.stop();
    for (const endpoint of this.endpoints) endpoint.stop();
  }

  /**
   * An endpoint with capacity, by the balance: one that is up and not in `tried`, else one that is up.
   * Where none is up at all, a down one, first of those not in `tried`: better a try than a sure
   * failure. While some are up the down ones are left alone even if all the others are at their limit:
   * waiting for these is worth more. Null: there are no endpoints, or else `saturated` is true.
   */
  pick(input: PickInput, tried: readonly Endpoint[], now: Instant): Endpoint | null {
    const choice = this.#choice;
    choice.begin(tried, now);
    let found = this.#ask(input, now, false, false);
    if (found === null && tried.length > 0) found = this.#ask(input, now, true, false);
    if (found === null && !this.#anyUp(now)) {
      found = this.#ask(input, now, false, true) ?? this.#ask(input, now, true, true);
    }
    choice.end();
    this.#saturated = found === null && this.endpoints.length > 0;
    return found;
  }

  /** Whether the last `pick` found nothing because all that could serve were at their limit. */
  get saturated(): boolean {
    return this.#saturated;
  }

  /** Waits for capacity, behind those that wait already. False when `limits.pending` do. */
  enqueue(waiter: Waiter): boolean {
    return this.#line.join(waiter);
  }

  /** Waits no more. */
  dequeue(waiter: Waiter): void {
    this.#line.leave(waiter);
  }

  /** A connection of `endpoint` became idle or closed: whoever waits first may have the room. */
  released(_endpoint: Endpoint): void {
    if (this.#line.size > 0) this.#wake();
  }

  /** For the admin interface. */
  snapshot(now: Instant): UpstreamSnapshot {
    this.#leaving = this.#leaving.filter((endpoint) => endpoint.connections > 0);
    return {
      name: this.settings.name,
      balance: this.settings.balance.kind,
      waiting: this.#line.size,
      endpoints: [...this.endpoints, ...this.#leaving].map((endpoint) => show(endpoint, now)),
    };
  }

  /** A name's addresses are known, perhaps new: takes over what changed. */
  onAddresses(): void {
    const addressesOf = (host: string) => this.#names.get(host)?.addresses ?? [];
    const members = listMembers(this.settings.endpoints, addressesOf);
    if (!this.#differs(members)) return;
    const now = this.#transport.now();
    const byKey = new Map<string, Endpoint>();
    for (const [key, member] of members) {
      const known = this.#byKey.get(key);
      if (known !== undefined) known.weight = member.weight;
      byKey.set(key, known ?? this.#endpoint(member, now));
    }
    const gone = [...this.#byKey].filter(([key]) => !byKey.has(key)).map(([, leaver]) => leaver);
    this.#byKey = byKey;
    this.endpoints = [...byKey.values()];
    this.#checks?.follow(this.endpoints);
    this.#balancer = createBalancer(this.settings.balance, this.endpoints);
    this.#leaving = [...this.#leaving, ...gone].filter((endpoint) => endpoint.connections > 0);
    for (const endpoint of gone) endpoint.retire();
    if (this.#line.size > 0) this.#wake();
  }

  /** An endpoint is up again, or down: then others may have to serve those that wait. */
  onHealth(_endpoint: Endpoint): void {
    if (this.#line.size > 0) this.#wake();
  }

  onNotice(message: string): void {
    this.#notice(`upstream ${this.settings.name}: ${message}`);
  }

  sweepIdle(now: Instant): Instant {
    const { idle } = this.settings.timeouts;
    let oldest = now;
    for (const { pool } of this.endpoints) {
      pool.sweep(now, idle);
      oldest = Math.min(oldest, pool.oldest() ?? now) as Instant;
    }
    return after(oldest, idle);
  }

  #endpoint({ name, address, weight, secured }: Member, now: Instant): Endpoint {
    const route = secured === null ? null : this.#routeTo(secured);
    return new Endpoint(this.settings, name, address, weight, now, route);
  }

  #routeTo(endpoint: EndpointSettings["target"]): TlsRoute {
    const { name, tls } = this.settings;
    if (tls === null || this.#tls === null) {
      throw new TypeError(`upstream ${name}: TLS needs settings and a client`);
    }
    return { client: this.#tls, target: tlsTarget(tls, endpoint) };
  }

  #ask(input: PickInput, now: Instant, orTried: boolean, orDown: boolean): Endpoint | null {
    this.#choice.widen(orTried, orDown);
    return this.#balancer.pick(this.#choice, input, now, this.#transport.rng);
  }

  #anyUp(now: Instant): boolean {
    for (let i = 0; i < this.endpoints.length; i++) {
      if (this.endpoints[i]!.state(now) === "up") return true;
    }
    return false;
  }

  /** Whether a pick would find something. */
  #available(now: Instant): boolean {
    const anyUp = this.#anyUp(now);
    for (let i = 0; i < this.endpoints.length; i++) {
      const endpoint = this.endpoints[i]!;
      if (endpoint.hasCapacity && (!anyUp || endpoint.state(now) === "up")) return true;
    }
    return false;
  }

  /** As many of those that wait as there is room for. What they release meanwhile counts, too. */
  #wake(): void {
    if (this.#waking) return;
    this.#waking = true;
    try {
      for (let left = this.#line.size; left > 0; left--) {
        if (!this.#available(this.#transport.now())) break;
        this.#line.next()?.onCapacity();
      }
    } finally {
      this.#waking = false;
    }
  }

  #differs(members: ReadonlyMap<string, Member>): boolean {
    if (members.size !== this.#byKey.size) return true;
    for (const [key, { weight }] of members) {
      if (this.#byKey.get(key)?.weight !== weight) return true;
    }
    return false;
  }
}

const show = (endpoint: Endpoint, now: Instant): EndpointSnapshot => ({
  name: endpoint.name,
  address: formatSocketAddress(endpoint.address),
  state: endpoint.state(now),
  weight: endpoint.weight,
  active: endpoint.active,
  connections: endpoint.connections,
  idle: endpoint.pool.size + (endpoint.sessions?.idle ?? 0),
  fails: endpoint.fails,
  ewma: micros(endpoint.cost(now)),
});
