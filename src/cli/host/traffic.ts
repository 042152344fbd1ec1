import type { Stack } from "../../netstack/stack.ts";

/** Frames in whose course a host does nothing worth the name: neighbours announce things all the time. */
const FEW_FRAMES = 100;

/** Grows with what goes over a stack's interfaces, a little rest aside. */
export function trafficOf(stack: Stack): number {
  let frames = 0;
  for (const { counters } of stack.interfaces) frames += counters.inFrames + counters.outFrames;
  return Math.trunc(frames / FEW_FRAMES);
}
