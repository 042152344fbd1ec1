import type { EffectiveConfig } from "../config/effective.ts";
import type { HostPlan } from "./host/plan-host.ts";
import type { StackSpec } from "./stack-spec.ts";
import type { Driver } from "./worker-protocol.ts";

/**
 * What a command line comes to. Plain data: planning needs the command-line parser, YAML and the
 * schemas, 25 MB of memory that serving does not need, so `millrace proxy` plans in a process of its
 * own (`plan-apart.ts`) and keeps only this.
 */
export type Plan =
  /** All was said and done. */
  { readonly kind: "exit"; readonly code: number } | ProxyPlan | HostPlan;

export interface ProxyPlan {
  readonly kind: "proxy";
  readonly config: EffectiveConfig;
  readonly workers: number;
  readonly driver: Driver;
  /** The stack to serve on in place of the kernel's; null: the kernel's. */
  readonly stack: StackSpec | null;
  /** Why "auto" did not come to epoll; null where it did or nothing was to choose. */
  readonly driverFallback: string | null;
  /** The program's file, absolute; null for YAML and flags. */
  readonly module: string | null;
  /** Where the configuration stands; null for flags. */
  readonly file: string | null;
  /** The effective configuration as JSON text, secrets masked. */
  readonly description: string;
}
