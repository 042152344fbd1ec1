import type { Rng } from "../core/random.ts";
import type { Clock } from "../core/time.ts";
import type { Timers } from "../core/transport.ts";
import type { StackEvent } from "./events.ts";
import type { StackLimits } from "./limits.ts";
import type { SipKey } from "./siphash.ts";

/** What every part of a stack is given: time, timers, chance, bounds, and an ear for what changes. */
export interface StackContext extends Clock, Timers {
  readonly rng: Rng;
  /** Drawn once per stack: for sequence numbers, cookies and ports. */
  readonly secret: SipKey;
  /** For stable addresses: the same whenever the host comes back, where its driver keeps one. */
  readonly addressSecret: SipKey;
  readonly limits: StackLimits;
  emit(event: StackEvent): void;
  /** Something waits to be sent: the driver is to call `stack.run()` soon. Cheap, and may repeat. */
  wake(): void;
  /** A handler, or other code that is not the stack's, threw this when it was called. */
  fault(error: unknown): void;
}
