import type { Rng } from "../../core/random.ts";
import type { Instant } from "../../core/time.ts";
import type { Timers } from "../../core/transport.ts";
import type { Ip } from "../ip-address.ts";
import type { MemoryAhead } from "./assembler.ts";
import type { TcpConnection } from "./connection.ts";
import type { QueueMemory } from "./queue-memory.ts";
import type { TcpStateKind } from "./state.ts";

/** What a connection needs of the layer that it lives in. */
export interface TcpHost extends Timers {
  now(): Instant;
  readonly rng: Rng;
  /** Shared by all connections of the stack. */
  readonly memoryAhead: MemoryAhead;
  readonly sendMemory: QueueMemory;
  readonly receiveMemory: QueueMemory;
  /** Put it on the list that the next run polls. Idempotent and cheap. */
  wantsTransmit(connection: TcpConnection): void;
  /**
   * Told after each change; Closed: forget it (what it may still want to send is one RST, for which it
   * stays on the list of those that want to transmit); TimeWait and FinWait2: bounded lists.
   */
  onStateChanged(connection: TcpConnection, before: TcpStateKind): void;
  /** RFC 5961 §10: challenge ACKs are limited for the whole stack. Counts one when it says true. */
  challengeAllowed(now: Instant): boolean;
}

export interface TcpEndpoints {
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
}

/** What a SYN cookie kept of the SYN that it answered. */
export interface CookieState {
  readonly iss: number;
  readonly irs: number;
  readonly peerMss: number;
  /** The peer's shift, or -1 where it offered none. */
  readonly windowScale: number;
  readonly sack: boolean;
  /** TSval of the segment that brought the cookie back, or null. */
  readonly timestamp: number | null;
  readonly ecn: boolean;
}
