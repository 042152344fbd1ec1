/**
 * Two stacks in one process; prints one JSON value.
 *
 *     memory.ts round MS      all scenarios once: MemoryFigure[]
 *     memory.ts layers MS     where each one's time goes: shares by scenario and layer
 *     memory.ts idle          the memory of connections at rest (needs --expose-gc)
 */
import { BULK } from "../memory/bulk.ts";
import { CONNECTIONS } from "../memory/connections.ts";
import { idleMemory } from "../memory/idle.ts";
import { layersOf } from "../memory/layers.ts";
import { measure, type Scenario } from "../memory/scenario.ts";
import { SMALL_PACKETS } from "../memory/small-packets.ts";

/** Before each measurement: the compilers have to see the work first. */
const WARM_UP = 0.5;
const ALL: readonly Scenario[] = [...BULK, ...SMALL_PACKETS, CONNECTIONS];

const [mode = "", ms = ""] = process.argv.slice(2);
const millis = Number(ms);

async function result(): Promise<unknown> {
  if (mode === "idle") return idleMemory();
  const results: unknown[] = [];
  for (const scenario of ALL) {
    const work = scenario.start();
    measure(scenario, work, millis * WARM_UP);
    if (mode === "round") results.push(measure(scenario, work, millis));
    else results.push(await layersOf(() => void measure(scenario, work, millis)));
  }
  return results;
}

process.stdout.write(`${JSON.stringify(await result())}\n`);
