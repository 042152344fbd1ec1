import type { SocketAddress } from "../../core/address.ts";
import { after, type Duration, elapsed, type Instant } from "../../core/time.ts";
import type { UpstreamSettings } from "../settings.ts";
import type { TlsRoute } from "../tls/route.ts";
import { PeakEwma } from "./peak-ewma.ts";
import { Pool } from "./pool.ts";
import { SharedConnections } from "./shared-connections.ts";

export type { PoolMember } from "./pool.ts";

/** How a request on an endpoint ended. "cancelled": not by the endpoint's doing, the client left. */
export type RequestOutcome = "success" | "failure" | "cancelled";

/** "removed": the name does not resolve to it any more; what runs on it may finish. */
export type EndpointState = "up" | "down" | "removed";

/**
 * One address that serves an upstream, with what this worker knows of it.
 *
 * Health is passive, as in nginx: `maxFails` failures to connect in a row put the endpoint down for
 * `failTimeout`. Then one request is let through as a trial; the endpoint is up again when that
 * connects or is answered, else another `failTimeout` begins. `maxFails` of 0: never down. Beside that
 * it is down while active checks fail, where the upstream has any.
 */
export class Endpoint {
  /** As configured: "host:port" or "unix:path". */
  readonly name: string;
  readonly address: SocketAddress;
  /** The name of the upstream. */
  readonly upstream: string;
  weight: number;
  /** Requests in flight. */
  active = 0;
  /** Connections that are open or opening, idle ones included. */
  connections = 0;
  /** Set by `retire`: gone from the upstream. */
  retired = false;
  /** Active checks fail: see `HealthChecks`. */
  unhealthy = false;
  /** Failures to connect since the last success. */
  fails = 0;
  /** Idle connections of HTTP/1.1. */
  readonly pool: Pool;
  /** Connections of HTTP/2, busy or idle, and those being made that may become such; null: HTTP/1.1 alone. */
  readonly sessions: SharedConnections | null;
  readonly dials: SharedConnections | null;
  /** How it is reached through TLS; null: in plain. */
  readonly tls: TlsRoute | null;
  /** What the server chose last, where it has the choice (ALPN). */
  speaks: "unknown" | "http/1.1" | "h2" = "unknown";

  /** Copies of the settings that every pick of every endpoint looks at. */
  readonly #maxConnections: number;
  readonly #maxIdle: number;
  readonly #maxFails: number;
  readonly #failTimeout: Duration;
  readonly #ewma: PeakEwma;
  /** Valid while down: since when, and when the next trial is due. */
  #downSince = 0 as Instant;
  #trialAt = 0 as Instant;

  constructor(
    settings: UpstreamSettings,
    name: string,
    address: SocketAddress,
    weight: number,
    now: Instant,
    tls: TlsRoute | null = null,
  ) {
    this.name = name;
    this.address = address;
    this.upstream = settings.name;
    this.weight = weight;
    this.pool = new Pool(settings.limits.idlePerEndpoint);
    this.tls = tls;
    const { protocol } = settings;
    const shared = protocol === "http2" || (protocol === "auto" && tls !== null);
    this.sessions = shared ? new SharedConnections() : null;
    this.dials = shared ? new SharedConnections() : null;
    this.#maxConnections = settings.limits.connectionsPerEndpoint;
    this.#maxIdle = settings.limits.idlePerEndpoint;
    this.#maxFails = settings.retries.maxFails || Number.POSITIVE_INFINITY;
    this.#failTimeout = settings.retries.failTimeout;
    this.#ewma = new PeakEwma(now);
  }

  state(now: Instant): EndpointState {
    if (this.retired) return "removed";
    return this.unhealthy || (this.#tripped && now < this.#trialAt) ? "down" : "up";
  }

  /** Whether a request could have a connection now: one with room, or a new one within the limit. */
  get hasCapacity(): boolean {
    return this.mayConnect || this.pool.size > 0 || this.#hasRoom;
  }

  /** Whether a new connection is within the limit. */
  get mayConnect(): boolean {
    return this.connections < this.#maxConnections;
  }

  /** Whether a connection of HTTP/2 that has nothing to do is kept. */
  get mayIdle(): boolean {
    return this.pool.size + (this.sessions?.size ?? 0) <= this.#maxIdle;
  }

  get #hasRoom(): boolean {
    if (this.sessions === null || this.dials === null) return false;
    return this.sessions.find() !== null || this.dials.find() !== null;
  }

  /** Peak EWMA of the time to answer, in microseconds (see `PeakEwma`). */
  cost(now: Instant): number {
    return this.#ewma.cost(now);
  }

  connectionOpening(): void {
    this.connections++;
  }

  connectionClosed(): void {
    this.connections--;
  }

  requestStarted(now: Instant): void {
    this.active++;
    // This one is the trial; the next is due when it had time to fail.
    if (this.#tripped && now >= this.#trialAt) this.#trialAt = this.#timeoutFrom(now);
  }

  /** `answeredAt`: when the response began, which is what latency is judged by; not how long a
   *  download or a stream of events went on after it. */
  requestEnded(
    now: Instant,
    startedAt: Instant,
    outcome: RequestOutcome,
    answeredAt: Instant = now,
  ): void {
    this.active--;
    const rtt = elapsed(startedAt, answeredAt);
    if (outcome === "failure") this.#ewma.observeFailure(now, rtt);
    else if (outcome === "cancelled") this.#ewma.observeAtLeast(now, rtt);
    else {
      this.#ewma.observe(now, rtt);
      // A trial on a kept connection connects nothing, but its answer proves as much.
      if (this.#tripped && startedAt >= this.#downSince) this.fails = 0;
    }
  }

  connectFailed(now: Instant): void {
    if (!this.#tripped) this.#downSince = now;
    this.fails++;
    if (this.#tripped) this.#trialAt = this.#timeoutFrom(now);
  }

  connectSucceeded(): void {
    this.fails = 0;
  }

  /** Takes it out of service: idle connections are closed, and others once they become idle. */
  retire(): void {
    this.retired = true;
    this.stop();
  }

  /** Idle connections are closed, and others once they become idle. */
  stop(): void {
    this.pool.close();
    this.sessions?.retire();
    this.dials?.retire();
  }

  get #tripped(): boolean {
    return this.fails >= this.#maxFails;
  }

  #timeoutFrom(now: Instant): Instant {
    return after(now, this.#failTimeout);
  }
}
