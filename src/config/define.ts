import type { ProxyProgram } from "../proxy/program.ts";
import type { ModuleInput } from "./schema.ts";

/**
 * What a proxy module exports: the phases of a `ProxyProgram`, and beside them what stays fixed while it
 * runs (listeners, upstreams, workers, admin, log, drain, driver), in the forms of the YAML file.
 */
export type ProxyModule<Ctx = undefined> = ProxyProgram<Ctx> & ModuleInput;

/**
 * Types a proxy module; returns it as it is. `Ctx` is inferred from `newContext`. The static part is
 * validated when the module is loaded, with the other checks.
 *
 *     export default defineProxy({
 *       upstreams: { app: { endpoints: ["127.0.0.1:9000"] } },
 *       newContext: () => ({ tries: 0 }),
 *       upstreamPeer: (session, ctx) => "app",
 *     });
 */
export function defineProxy<Ctx = undefined>(program: ProxyModule<Ctx>): ProxyModule<Ctx> {
  return program;
}
