import { setImmediate as turn } from "node:timers/promises";
import { type IpAddress, parseIp } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import { CALM, type LinkConditions } from "./conditions.ts";
import { SimulatedDevice, type SimulatedDeviceOptions } from "./device.ts";
import { type Attachment, type HostOptions, SimulatedHost } from "./host.ts";
import { SimulatedLink } from "./link.ts";
import { SimulatedSegment } from "./segment.ts";
import { Simulation } from "./simulation.ts";

export interface NetworkOptions {
  /** All chance comes from it: the same seed gives the same run. */
  readonly seed: number;
  /** Told of all that happens to frames, a line each: for looking at a run that failed. */
  readonly trace?: (line: string) => void;
  /** What a handler, an acceptor or a timer of a transport threw. Without it, `step` throws it. */
  readonly onFault?: (error: unknown) => void;
  /** Steps after which `run` and `settle` give up. Default: fifty million. */
  readonly mostSteps?: number;
}

/**
 * Until when to go on: an instant, a condition, or, when absent, until nothing is left to happen. That is
 * never where a host looks for IPv6 routers, as each does unless its `settings` say otherwise: it asks again
 * each hour (RFC 7559).
 */
export type Until = Instant | (() => boolean);

/** Made-up addresses: the local bit is set (IEEE 802 §8.2.2). */
const FIRST_MAC = 0x0200_0000_0000;

/**
 * Hosts, each with a stack of its own, and the links between them, in virtual time, in one thread.
 * Nothing happens unless `step`, `run` or `settle` is called; then frames arrive and timers fire one
 * after the other, each at its instant.
 */
export class Network {
  readonly simulation: Simulation;
  readonly #mostSteps: number;
  readonly #names = new Map<string, readonly IpAddress[]>();
  #devices = 0;

  constructor(options: NetworkOptions) {
    this.simulation = new Simulation(options.seed, options.trace ?? null, options.onFault ?? null);
    this.#mostSteps = options.mostSteps ?? 50_000_000;
  }

  get now(): Instant {
    return this.simulation.now();
  }

  /** A host without interfaces: `link` and `segment` give it some. */
  host(name: string, options: HostOptions = {}): SimulatedHost {
    return new SimulatedHost(this.simulation, name, options);
  }

  /** A link between two hosts, each with a new interface; `forward` is from `a` to `b`. */
  link(
    a: Attachment | SimulatedHost,
    b: Attachment | SimulatedHost,
    forward: Partial<LinkConditions> = {},
    backward: Partial<LinkConditions> = {},
  ): SimulatedLink {
    const [left, right] = [this.#plug(a), this.#plug(b)];
    const link = this.connect(left.device, right.device, forward, backward);
    left.start();
    right.start();
    return link;
  }

  /** A switch with these hosts on it, each with a new interface. `join` adds more. */
  segment(
    members: readonly (Attachment | SimulatedHost)[],
    conditions: Partial<LinkConditions> = {},
  ): SimulatedSegment {
    const segment = this.switch(conditions);
    for (const member of members) this.join(segment, member);
    return segment;
  }

  /** Plugs a host into a segment; `forward` of its link leads to the switch. */
  join(
    segment: SimulatedSegment,
    member: Attachment | SimulatedHost,
    conditions: Partial<LinkConditions> = {},
  ): SimulatedLink {
    const { device, start } = this.#plug(member);
    const link = segment.plug(device, conditions);
    start();
    return link;
  }

  /** What transports resolve the name to; an empty list makes it unknown. */
  name(name: string, addresses: readonly string[]): void {
    if (addresses.length === 0) this.#names.delete(name);
    else this.#names.set(name, addresses.map(ipOf));
  }

  /** A transport on the host's TCP. */
  transport(host: SimulatedHost): Transport {
    return host.transport(async (name) => {
      const found = this.#names.get(name);
      if (found !== undefined) return found;
      throw new NetError("ENOTFOUND", `resolve ${name}: ENOTFOUND`, { source: "upstream" });
    });
  }

  /** A network card that no host owns, for tests of what is below a stack. */
  device(options: SimulatedDeviceOptions): SimulatedDevice {
    return new SimulatedDevice({ mac: FIRST_MAC + ++this.#devices, ...options });
  }

  /** A link between two devices; without `backward`, both directions behave alike. */
  connect(
    a: SimulatedDevice,
    b: SimulatedDevice,
    forward: Partial<LinkConditions> = {},
    backward: Partial<LinkConditions> = {},
  ): SimulatedLink {
    const conditions = { ...CALM, ...forward };
    const link = new SimulatedLink(this.simulation, a, b, conditions, {
      ...conditions,
      ...backward,
    });
    a.plug(link.forward);
    b.plug(link.backward);
    return link;
  }

  /** A switch, to plug devices into. */
  switch(conditions: Partial<LinkConditions> = {}): SimulatedSegment {
    return new SimulatedSegment(this.simulation, { ...CALM, ...conditions });
  }

  /** Lets the next thing happen. False when there is none. */
  step(): boolean {
    if (this.simulation.agenda.size === 0) return false;
    this.simulation.step();
    return true;
  }

  /**
   * Steps on without a break: promises make no progress meanwhile. True when the condition came true
   * or the instant has come, false when nothing was left to happen before; without `until`, true.
   */
  run(until?: Until): boolean {
    for (let steps = 0; ; steps++) {
      const verdict = this.#verdict(until);
      if (verdict !== null) return verdict;
      this.#checkSteps(steps);
      this.simulation.step();
    }
  }

  /** Like `run`, with every promise settled that can be between two steps. */
  async settle(until?: Until): Promise<boolean> {
    for (let steps = 0; ; steps++) {
      await turn();
      const verdict = this.#verdict(until);
      if (verdict !== null) return verdict;
      this.#checkSteps(steps);
      this.simulation.step();
    }
  }

  /** A device for the host, and what makes an interface of it once it is plugged in. */
  #plug(member: Attachment | SimulatedHost) {
    const attachment = member instanceof SimulatedHost ? { host: member } : member;
    const { host, mac, medium, offload } = attachment;
    const name = attachment.interface ?? host.nextInterface;
    const device = this.device({
      name: `${host.name}.${name}`,
      ...(mac === undefined ? {} : { mac }),
      ...(medium === undefined ? {} : { medium }),
      ...(offload === undefined ? {} : { offload }),
    });
    return { device, start: () => void host.addInterface(device, name, attachment) };
  }

  /** Whether to stop, and what to say then; null to go on. */
  #verdict(until: Until | undefined): boolean | null {
    const { next } = this.simulation.agenda;
    const over = next === Number.POSITIVE_INFINITY;
    if (typeof until === "function") {
      if (until()) return true;
      return over ? false : null;
    }
    if (until === undefined) return over ? true : null;
    if (next <= until) return null;
    this.simulation.moveTo(until);
    return true;
  }

  #checkSteps(steps: number): void {
    if (steps < this.#mostSteps) return;
    throw new Error(
      `still busy after ${this.#mostSteps} steps: is there a timer that repeats, such as that of a host without an IPv6 router? Say until when`,
    );
  }
}

function ipOf(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === null) throw new TypeError(`not an IP address: ${JSON.stringify(text)}`);
  return ip;
}
