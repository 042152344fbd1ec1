/** The entry `millrace/telemetry`: counters in shared memory, Prometheus text, access log lines. */
export { AccessLog, type AccessLogOptions, type AccessRecord } from "./access-log.ts";
export { CounterMemory } from "./counters.ts";
export { EXPOSITION_TYPE, type MetricFamily, renderExposition, type Sample } from "./exposition.ts";
export { MetricLayout, type MetricNames } from "./layout.ts";
export { trafficFamilies } from "./metrics.ts";
export { MetricRecorder } from "./recorder.ts";
