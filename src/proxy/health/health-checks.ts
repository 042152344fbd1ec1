import type { Transport } from "../../core/transport.ts";
import type { UpstreamSettings } from "../settings.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { EndpointHealth } from "./endpoint-health.ts";
import { Probe } from "./probe.ts";
import type { HealthSettings } from "./settings.ts";

/** Who hears of changes. */
export interface HealthListener {
  onHealth(endpoint: Endpoint): void;
  onNotice(message: string): void;
}

/** The active checks of an upstream's endpoints; each is checked as long as it belongs to it. */
export class HealthChecks {
  readonly #health: HealthSettings;
  readonly #settings: UpstreamSettings;
  readonly #transport: Transport;
  readonly #listener: HealthListener;
  readonly #checked = new Map<Endpoint, EndpointHealth>();
  #running = false;

  constructor(
    health: HealthSettings,
    settings: UpstreamSettings,
    transport: Transport,
    listener: HealthListener,
  ) {
    this.#health = health;
    this.#settings = settings;
    this.#transport = transport;
    this.#listener = listener;
  }

  start(endpoints: readonly Endpoint[]): void {
    this.#running = true;
    this.follow(endpoints);
  }

  /** The endpoints are these now. */
  follow(endpoints: readonly Endpoint[]): void {
    if (!this.#running) return;
    for (const [endpoint, health] of this.#checked) {
      if (endpoints.includes(endpoint)) continue;
      health.stop();
      this.#checked.delete(endpoint);
    }
    for (const endpoint of endpoints) {
      if (!this.#checked.has(endpoint)) this.#checked.set(endpoint, this.#watch(endpoint));
    }
  }

  stop(): void {
    this.#running = false;
    for (const health of this.#checked.values()) health.stop();
    this.#checked.clear();
  }

  #watch(endpoint: Endpoint): EndpointHealth {
    const health = this.#health;
    const watched = new EndpointHealth(
      health,
      this.#transport,
      (verdict) =>
        new Probe(health.check, health.timeout, endpoint, this.#settings, this.#transport, verdict),
      (up, why) => {
        endpoint.unhealthy = !up;
        const words = up ? "is healthy again" : `is unhealthy: it ${why}`;
        this.#listener.onNotice(`${endpoint.name} ${words}`);
        this.#listener.onHealth(endpoint);
      },
    );
    watched.start();
    return watched;
  }
}
