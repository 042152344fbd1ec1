/** The entry `millrace/config`: configurations read, checked and filled in. */
export { defineProxy, type ProxyModule } from "./define.ts";
export { describeConfig } from "./describe.ts";
export type { EffectiveConfig, EffectiveListener } from "./effective.ts";
export { configFromFlags, type ProxyFlags } from "./flags.ts";
export { configJsonSchema } from "./json-schema.ts";
export { loadModule, loadYaml } from "./load.ts";
export { formatProblems, type LoadResult, type Problem } from "./problem.ts";
