import type { Duration } from "../../core/time.ts";

/** How endpoints are checked, by each worker for itself. Plain data. */
export interface HealthSettings {
  readonly check: HealthCheck;
  /** From one check's end to the next one's begin, give or take a tenth. */
  readonly interval: Duration;
  /** For the whole check, connecting included. */
  readonly timeout: Duration;
  /** Checks in a row after which an endpoint that was down is up again … */
  readonly healthy: number;
  /** … and failed ones after which it is down. */
  readonly unhealthy: number;
}

export type HealthCheck =
  /** grpc.health.v1: SERVING is healthy. `service`: "" for the server as a whole. */
  | { readonly kind: "grpc"; readonly service: string }
  /** GET `path`. `statuses`: null for 200 – 399; `host`: null for the endpoint's name. */
  | {
      readonly kind: "http";
      readonly path: string;
      readonly host: string | null;
      readonly statuses: readonly number[] | null;
    };
