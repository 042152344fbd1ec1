import type { Stack } from "../stack.ts";
import type { LookupFunction } from "./lookup.ts";

/** What sockets and servers of one `NodeNetwork` share. */
export interface Face {
  readonly stack: Stack;
  readonly lookup: LookupFunction;
  /** A listener of the user threw. */
  fault(error: unknown): void;
}

/**
 * Calls after the caller's own work, as `process.nextTick` would. What `task` throws is an unhandled
 * rejection, which Node treats as an uncaught exception: the same as an error thrown in a tick.
 */
export function soon(task: () => void): void {
  void Promise.resolve().then(task);
}
