import { type IpAddress, parseIp, parseSocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { SeededRng } from "../../core/random.ts";
import { type Instant, instant, millis, seconds } from "../../core/time.ts";
import { TimerWheel } from "../../core/timer-wheel.ts";
import type { Listener, Stream, Timer, TimerTarget, Transport } from "../../core/transport.ts";
import type { BalanceSettings, EndpointSettings, UpstreamSettings } from "../settings.ts";
import type { Candidates, PickInput } from "./balance/balancer.ts";
import { Endpoint } from "./endpoint.ts";
import type { PoolMember } from "./pool.ts";

/** For tests: a world of virtual time and a table of names, without streams. */
export class NamesOnlyTransport implements Transport {
  readonly name = "memory";
  readonly rng = new SeededRng(20260711);
  /** What each name resolves to; one that is missing fails. */
  readonly names = new Map<string, readonly string[]>();
  /** Names in the order in which they were asked for. */
  readonly asked: { readonly name: string; readonly at: number }[] = [];
  readonly #wheel = new TimerWheel(instant(0));
  #now = instant(0);

  wallClock(): number {
    return 0;
  }

  now(): Instant {
    return this.#now;
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#wheel.schedule(target, at);
  }

  resolve(name: string): Promise<readonly IpAddress[]> {
    this.asked.push({ name, at: this.#now });
    const addresses = this.names.get(name);
    if (addresses !== undefined) return Promise.resolve(addresses.map((text) => parseIp(text)!));
    return Promise.reject(new NetError("ENOTFOUND", `no ${name}`, { source: "upstream" }));
  }

  /** Lets time pass in steps of 10 ms, and what promises await happen after each. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + millis(milliseconds);
    while (this.#now < end) {
      this.#now = instant(Math.min(end, this.#now + 10_000));
      this.#wheel.advance(this.#now);
      await settle();
    }
  }

  get timers(): number {
    return this.#wheel.size;
  }

  listen(): Promise<Listener> {
    return Promise.reject(new Error("no streams here"));
  }

  connect(): Stream {
    throw new Error("no streams here");
  }

  atTurnEnd(): void {}

  close(): void {}
}

/** Lets everything happen that only awaits settled promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

/** "127.0.0.1:80", "unix:/x" or "name:80", with a weight where "*3" follows. */
export function endpointSettings(text: string): EndpointSettings {
  const [place, weight = "1"] = text.split("*");
  const address = parseSocketAddress(place!);
  const colon = place!.lastIndexOf(":");
  const target = address ?? {
    kind: "name" as const,
    host: place!.slice(0, colon),
    port: Number(place!.slice(colon + 1)),
  };
  return { target, weight: Number(weight) };
}

export interface SettingsPatch {
  readonly endpoints?: readonly string[];
  readonly balance?: BalanceSettings;
  readonly limits?: Partial<UpstreamSettings["limits"]>;
  readonly timeouts?: Partial<UpstreamSettings["timeouts"]>;
  readonly retries?: Partial<UpstreamSettings["retries"]>;
}

export function upstreamSettings(patch: SettingsPatch = {}): UpstreamSettings {
  return {
    name: "app",
    endpoints: (patch.endpoints ?? []).map(endpointSettings),
    balance: patch.balance ?? { kind: "round-robin" },
    limits: { connectionsPerEndpoint: 4, idlePerEndpoint: 2, pending: 3, ...patch.limits },
    timeouts: {
      connect: seconds(1),
      firstByte: seconds(10),
      betweenBytes: seconds(10),
      total: null,
      idle: seconds(60),
      ...patch.timeouts,
    },
    retries: {
      attempts: 2,
      keepBody: 0,
      nonIdempotent: false,
      maxFails: 3,
      failTimeout: seconds(10),
      ...patch.retries,
    },
    protocol: "auto",
    host: "preserve",
    resolveEvery: seconds(30),
    tls: null,
  };
}

/** Endpoints with these weights, at 10.0.0.1, 10.0.0.2, … */
export function endpointsOfWeights(weights: readonly number[], patch?: SettingsPatch): Endpoint[] {
  const settings = upstreamSettings(patch);
  return weights.map((weight, i) => {
    const address = { kind: "ip" as const, ip: parseIp(`10.0.${i >> 8}.${i & 255}`)!, port: 80 };
    return new Endpoint(settings, `${address.ip}:80`, address, weight, instant(0));
  });
}

export const everyone: Candidates = { accepts: () => true };

/** Accepts all but these. */
export const butFor = (...refused: readonly Endpoint[]): Candidates => ({
  accepts: (endpoint) => !refused.includes(endpoint),
});

/** A request with these fields; names of headers in lower case. */
export const request = (
  fields: { header?: Record<string, string>; cookie?: Record<string, string>; from?: string } = {},
): PickInput => ({
  header: (name) => fields.header?.[name.toLowerCase()],
  cookie: (name) => fields.cookie?.[name],
  clientAddress: () => fields.from ?? "192.0.2.1",
});

/** An idle connection that remembers whether it was retired. */
export class IdleConnection implements PoolMember {
  idleSince = instant(-1);
  retired = 0;
  onRetire: (() => void) | null = null;

  retire(): void {
    this.retired++;
    this.onRetire?.();
  }
}
