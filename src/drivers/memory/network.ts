import { setImmediate as turn } from "node:timers/promises";
import { type IpAddress, parseIp, type SocketAddress } from "../../core/address.ts";
import { allocBytes } from "../../core/bytes.ts";
import { type Rng, SeededRng } from "../../core/random.ts";
import { type Instant, instant } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import type { Simulation } from "./connection.ts";
import { EventQueue } from "./event-queue.ts";
import { MemoryHost } from "./host.ts";
import { CALM, type LinkConditions } from "./link.ts";
import { MemoryTransport, type NetworkView } from "./transport.ts";

export interface MemoryNetworkOptions {
  /** All chance comes from it: the same seed gives the same run. */
  readonly seed: number;
  /** How links behave, or how the link of one connection does, asked when it is made. Default: CALM. */
  readonly link?:
    | Partial<LinkConditions>
    | ((from: SocketAddress, to: SocketAddress) => Partial<LinkConditions>);
  /** What a handler, an acceptor or a timer threw. Without it, `step` throws it. */
  readonly onFault?: (error: unknown) => void;
  /** Told of every arrival, read and close with its time: for looking at a run that failed. */
  readonly trace?: (line: string) => void;
  /** Steps after which `run` and `settle` give up. Default: ten million. */
  readonly mostSteps?: number;
}

/** Until when to go on: an instant, a condition, or, when absent, until nothing is left to happen. */
export type Until = Instant | (() => boolean);

/**
 * Hosts and the links between them, in virtual time, in one thread. Nothing happens unless `step`,
 * `run` or `settle` is called; then events and timers run one after the other, each at its instant.
 */
export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #simulation: VirtualTime;
  readonly #hosts = new Map<IpAddress, MemoryHost>();
  readonly #blackHoles = new Set<IpAddress>();
  readonly #names = new Map<string, readonly IpAddress[]>();
  readonly #transports = new Set<MemoryTransport>();
  readonly #view: NetworkView;
  #forks = 0;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    this.#simulation = new VirtualTime(options);
    this.#names.set("localhost", [ipOf("127.0.0.1")]);
    this.#view = {
      simulation: this.#simulation,
      conditions: (from, to) => this.#conditions(from, to),
      fork: () => this.#fork(),
      hostOf: (ip) => this.#hosts.get(ip) ?? null,
      isBlackHole: (ip) => this.#blackHoles.has(ip),
      lookup: (name) => this.#lookup(name),
      removed: (transport) => this.#transports.delete(transport),
    };
  }

  get now(): Instant {
    return this.#simulation.now;
  }

  /**
   * A transport of the host that has these addresses (besides 127.0.0.0/8 and ::1). The host of the
   * first is taken where it exists, which then has all its transports share its ports.
   */
  transport(...addresses: readonly [string, ...string[]]): Transport {
    const ips = addresses.map(ipOf);
    let host = this.#hosts.get(ips[0]!);
    if (host === undefined) {
      host = new MemoryHost(ips);
      for (const ip of ips) this.#hosts.set(ip, host);
    }
    const transport = new MemoryTransport(this.#view, host);
    this.#transports.add(transport);
    return transport;
  }

  /** What `resolve` answers; an empty list makes the name unknown. */
  name(name: string, addresses: readonly string[]): void {
    if (addresses.length === 0) this.#names.delete(name);
    else this.#names.set(name, addresses.map(ipOf));
  }

  /** From now on nothing that connects to the address gets an answer. */
  blackHole(address: string): void {
    this.#blackHoles.add(ipOf(address));
  }

  /** Lets the next thing happen: an event, or the timers of a transport. False when there is none. */
  step(): boolean {
    const simulation = this.#simulation;
    let next: MemoryTransport | null = null;
    let at = simulation.next ?? Number.POSITIVE_INFINITY;
    for (const transport of this.#transports) {
      const deadline = transport.nextDeadline;
      if (deadline === undefined || deadline >= at) continue;
      at = deadline;
      next = transport;
    }
    if (at === Number.POSITIVE_INFINITY) return false;
    simulation.moveTo(at as Instant);
    if (next === null) simulation.runNext();
    else next.advance(simulation.now);
    simulation.throwFaults();
    return true;
  }

  /**
   * Steps on without a break: promises of the code under test make no progress meanwhile. True when
   * the condition came true or the instant has come, false when nothing was left to happen before;
   * without `until`, true.
   */
  run(until?: Until): boolean {
    for (let steps = 0; ; steps++) {
      const verdict = this.#verdict(until);
      if (verdict !== null) return verdict;
      this.#checkSteps(steps);
      this.step();
    }
  }

  /** Like `run`, with every promise settled that can be between two steps. */
  async settle(until?: Until): Promise<boolean> {
    for (let steps = 0; ; steps++) {
      await turn();
      const verdict = this.#verdict(until);
      if (verdict !== null) return verdict;
      this.#checkSteps(steps);
      this.step();
    }
  }

  /** Whether to stop, and what to say then; null to go on. */
  #verdict(until: Until | undefined): boolean | null {
    const next = this.#nextInstant();
    if (typeof until === "function") {
      if (until()) return true;
      return next === undefined ? false : null;
    }
    if (until === undefined) return next === undefined ? true : null;
    if (next !== undefined && next <= until) return null;
    this.#simulation.moveTo(until);
    return true;
  }

  #nextInstant(): Instant | undefined {
    let next = this.#simulation.next;
    for (const { nextDeadline } of this.#transports) {
      if (nextDeadline === undefined) continue;
      if (next === undefined || nextDeadline < next) next = nextDeadline;
    }
    return next;
  }

  #checkSteps(steps: number): void {
    const most = this.#options.mostSteps ?? 10_000_000;
    if (steps >= most) throw new Error(`still busy after ${most} steps (a timer that repeats?)`);
  }

  #conditions(from: SocketAddress, to: SocketAddress): LinkConditions {
    const { link } = this.#options;
    return { ...CALM, ...(typeof link === "function" ? link(from, to) : link) };
  }

  #fork(): Rng {
    return new SeededRng(this.#options.seed, ++this.#forks);
  }

  #lookup(name: string): readonly IpAddress[] | null {
    const literal = parseIp(name);
    return literal === null ? (this.#names.get(name) ?? null) : [literal];
  }
}

/** The clock and the queue of events. */
class VirtualTime implements Simulation {
  now = instant(1_000_000);
  readonly #queue = new EventQueue();
  readonly #options: MemoryNetworkOptions;
  readonly #faults: unknown[] = [];
  #lent = allocBytes(4_096);

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
  }

  get next(): Instant | undefined {
    return this.#queue.next;
  }

  at(when: number, run: () => void): void {
    this.#queue.add(instant(Math.max(when, this.now)), run);
  }

  moveTo(when: Instant): void {
    if (when > this.now) this.now = when;
  }

  runNext(): void {
    this.#queue.take()();
  }

  fault(error: unknown): void {
    const { onFault } = this.#options;
    if (onFault === undefined) this.#faults.push(error);
    else onFault(error);
  }

  throwFaults(): void {
    if (this.#faults.length === 0) return;
    const faults = this.#faults.splice(0);
    throw faults.length === 1 ? faults[0] : new AggregateError(faults, "handlers failed");
  }

  note(what: string): void {
    this.#options.trace?.(`${this.now} ${what}`);
  }

  lend(length: number): Uint8Array {
    if (this.#lent.length < length) this.#lent = allocBytes(2 * length);
    return this.#lent;
  }
}

function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === null) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`);
  return ip;
}
