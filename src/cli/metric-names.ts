import type { EffectiveConfig } from "../config/effective.ts";
import { GRPC_STATUS_NAMES } from "../grpc/status.ts";
import { Faults } from "../http/h2/fault.ts";
import { MetricLayout } from "../telemetry/layout.ts";

/** The layout of a configuration's counters; main thread and workers have to agree on it. */
export function metricLayout(config: EffectiveConfig): MetricLayout {
  return new MetricLayout({
    listeners: config.listeners.map((listener) => listener.settings.name),
    http2Faults: Object.values(Faults).map(({ reason }) => reason),
    calls: {
      statuses: GRPC_STATUS_NAMES,
      routes: config.listeners.flatMap(({ routes, settings }) =>
        (routes ?? []).map(({ name }) => ({ listener: settings.name, route: name })),
      ),
    },
    upstreams: config.upstreams.map((upstream) => upstream.name),
  });
}
