import type { AcmeSettings } from "../acme/settings.ts";
import type { SocketAddress } from "../core/address.ts";
import type { Duration } from "../core/time.ts";
import type { RouteSettings } from "../proxy/route/settings.ts";
import type { EndpointSettings, ListenerSettings, UpstreamSettings } from "../proxy/settings.ts";

/**
 * A whole configuration, checked and with every default filled in. Plain data without functions, so it
 * crosses to worker threads by structured clone. Durations are microseconds, sizes bytes, and
 * `Infinity` stands for "unlimited".
 */
export interface EffectiveConfig {
  /** "auto": one for each core that the process may use. */
  readonly workers: number | "auto";
  readonly driver: DriverChoice;
  /** Where the admin listens; null for nowhere. */
  readonly admin: SocketAddress | null;
  readonly log: LogSettings;
  readonly drain: DrainSettings;
  /** At least one. */
  readonly listeners: readonly EffectiveListener[];
  readonly upstreams: readonly UpstreamSettings[];
  /** Some endpoint is the embedded demo origin: see `withDemoAddress`. */
  readonly demo: boolean;
}

export type DriverChoice = "auto" | "epoll" | "node";

export type LogLevel = "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";

export interface LogSettings {
  readonly level: LogLevel;
  /** null: no access log. */
  readonly access: AccessLogSettings | null;
}

export interface AccessLogSettings {
  /** The share of requests that get a line: above 0, 1 for all. */
  readonly sample: number;
  /** "stdout", "stderr", or the path of a file. */
  readonly to: string;
}

export interface DrainSettings {
  /** How long requests in flight may take after SIGTERM. */
  readonly timeout: Duration;
}

export interface EffectiveListener {
  /** One or more; all serve the same settings and routes. */
  readonly addresses: readonly SocketAddress[];
  readonly settings: ListenerSettings;
  /** How it gets certificates beside those in files; null: it does not. */
  readonly acme: AcmeSettings | null;
  /** What the listener routes by; null where a module's own phases decide. */
  readonly routes: readonly RouteSettings[] | null;
}

/** How an endpoint named `demo` stands in a configuration until `withDemoAddress` replaces it. No DNS
 *  endpoint can look like it: port 0 is refused everywhere else. */
export const demoTarget = { kind: "name", host: "demo", port: 0 } as const;

const isDemo = (endpoint: EndpointSettings): boolean =>
  endpoint.target.kind === "name" && endpoint.target.host === "demo" && endpoint.target.port === 0;

export const usesDemo = (upstreams: readonly UpstreamSettings[]): boolean =>
  upstreams.some((upstream) => upstream.endpoints.some(isDemo));

/** The same configuration with every `demo` endpoint at `address`, where the demo origin listens. */
export function withDemoAddress(config: EffectiveConfig, address: SocketAddress): EffectiveConfig {
  return {
    ...config,
    upstreams: config.upstreams.map((upstream) => ({
      ...upstream,
      endpoints: upstream.endpoints.map((endpoint) =>
        isDemo(endpoint) ? { ...endpoint, target: address } : endpoint,
      ),
    })),
  };
}
