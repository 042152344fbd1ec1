import type { BalanceSettings } from "../../settings.ts";
import type { Endpoint } from "../endpoint.ts";
import type { Balancer } from "./balancer.ts";
import { ConsistentHash } from "./consistent-hash.ts";
import { LeastRequest } from "./least-request.ts";
import { P2cEwma } from "./p2c-ewma.ts";
import { RandomBalancer } from "./random.ts";
import { RoundRobin } from "./round-robin.ts";

/** The balancer that `settings` name, over `endpoints` with the weights that they have now. */
export function createBalancer(
  settings: BalanceSettings,
  endpoints: readonly Endpoint[],
): Balancer {
  switch (settings.kind) {
    case "round-robin":
      return new RoundRobin(endpoints);
    case "random":
      return new RandomBalancer(endpoints);
    case "least-request":
      return new LeastRequest(endpoints);
    case "consistent-hash":
      return new ConsistentHash(endpoints, settings.on);
    case "p2c-ewma":
      return new P2cEwma(endpoints);
  }
}
