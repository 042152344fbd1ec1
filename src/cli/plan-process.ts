import { plan } from "./command-line.ts";

/* A process that plans and sends the plan to the one that started it: see `plan-apart.ts`. */
process.on("disconnect", () => process.exit());
const result = await plan(process.argv.slice(2));
// A user's module may have left timers or sockets behind, so this ends by `exit`.
process.send!(result, undefined, undefined, () => process.exit());
