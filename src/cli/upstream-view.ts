import type { ServerSnapshot } from "../proxy/server.ts";
import type { EndpointSnapshot, UpstreamSnapshot } from "../proxy/upstream/upstream.ts";

/** An upstream as `/upstreams` shows it: what the workers say, together. */
export interface UpstreamView {
  readonly name: string;
  readonly balance: string;
  readonly waiting: number;
  readonly endpoints: readonly EndpointView[];
}

export interface EndpointView {
  readonly address: string;
  /** The name that it was resolved from, where there is one. */
  readonly name: string;
  readonly weight: number;
  /** How many workers see the endpoint in which state: each decides for itself. */
  readonly states: Readonly<Record<string, number>>;
  /** Requests under way, connections open, and how many of these are idle, over all workers. */
  readonly active: number;
  readonly connections: number;
  readonly idle: number;
  /** The worst worker's failures to connect in a row. */
  readonly fails: number;
  /** The mean of the workers' peak EWMA of the time to answer, in milliseconds. */
  readonly ewma_ms: number;
}

/** Adds up the workers' snapshots, in the configuration's order. */
export function mergeUpstreams(snapshots: readonly ServerSnapshot[]): {
  readonly workers: number;
  readonly upstreams: readonly UpstreamView[];
} {
  const byName = Map.groupBy(
    snapshots.flatMap((snapshot) => snapshot.upstreams),
    (upstream) => upstream.name,
  );
  return { workers: snapshots.length, upstreams: [...byName.values()].map(mergeUpstream) };
}

function mergeUpstream(views: readonly UpstreamSnapshot[]): UpstreamView {
  const byAddress = Map.groupBy(
    views.flatMap((view) => view.endpoints),
    (endpoint) => `${endpoint.name} ${endpoint.address}`,
  );
  return {
    name: views[0]!.name,
    balance: views[0]!.balance,
    waiting: total(views, (view) => view.waiting),
    endpoints: [...byAddress.values()].map(mergeEndpoint),
  };
}

function mergeEndpoint(views: readonly EndpointSnapshot[]): EndpointView {
  const { address, name, weight } = views[0]!;
  const states: Record<string, number> = {};
  for (const { state } of views) states[state] = (states[state] ?? 0) + 1;
  const mean = total(views, (view) => view.ewma) / views.length / 1_000;
  return {
    address,
    name,
    weight,
    states,
    active: total(views, (view) => view.active),
    connections: total(views, (view) => view.connections),
    idle: total(views, (view) => view.idle),
    fails: Math.max(...views.map((view) => view.fails)),
    ewma_ms: Math.round(mean * 1_000) / 1_000,
  };
}

const total = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((sum, item) => sum + of(item), 0);
