import type { ChallengeAnswer } from "../acme/challenge-board.ts";
import type { EffectiveConfig } from "../config/effective.ts";
import type { Duration } from "../core/time.ts";
import type { ServerSnapshot } from "../proxy/server.ts";
import type { StackSpec } from "./stack-spec.ts";
import type { TlsMaterial } from "./tls/material.ts";
import type { TlsNews } from "./tls/news.ts";

/** All that a worker needs to start; plain data, passed as `workerData`. */
export interface WorkerStart {
  /** From 0; a replacement has its predecessor's. */
  readonly index: number;
  /** Checked, with concrete ports and without `demo` endpoints. */
  readonly config: EffectiveConfig;
  /** Certificates and keys; null where no listener speaks TLS. */
  readonly tls: TlsMaterial | null;
  /** What is to be answered to authorities that look at this moment (ACME). */
  readonly challenges: readonly ChallengeAnswer[];
  readonly driver: Driver;
  /** For the driver "netstack"; null for the others. */
  readonly stack: StackSpec | null;
  /** The program's file, absolute; null: the configuration's routes. */
  readonly module: string | null;
  /** Memory of a `CounterMemory` of `workers` rows. */
  readonly counters: SharedArrayBuffer;
  readonly workers: number;
  /** Memory of a `DescriptorLog` of this thread's own. */
  readonly descriptors: SharedArrayBuffer;
}

/** A driver that was chosen: no "auto". */
export type Driver = "epoll" | "node" | "netstack";

export type ToWorker =
  /** Stop accepting, finish what is under way, cut the rest at the deadline, then say "drained". */
  | { readonly kind: "drain"; readonly deadline: Duration }
  /** End the thread at once. */
  | { readonly kind: "stop" }
  | { readonly kind: "snapshot"; readonly id: number }
  /** Certificates or ticket keys are others now. */
  | { readonly kind: "tls"; readonly news: TlsNews }
  /** Answer authorities so from now on, and in no other way; then say "challenges-taken". */
  | {
      readonly kind: "challenges";
      readonly id: number;
      readonly answers: readonly ChallengeAnswer[];
    }
  /** That many characters of the access log were taken by its sink. */
  | { readonly kind: "log-taken"; readonly characters: number };

export type FromWorker =
  | { readonly kind: "ready" }
  /** It could not start; it waits for "stop". */
  | { readonly kind: "failed"; readonly reason: string; readonly code: string }
  | { readonly kind: "snapshot"; readonly id: number; readonly snapshot: ServerSnapshot }
  | { readonly kind: "challenges-taken"; readonly id: number }
  /** Its transport is closed; it waits for "stop", so that nothing it said before is lost. */
  | { readonly kind: "drained" }
  /** Whole lines of the access log. */
  | { readonly kind: "log"; readonly text: string }
  /** Something an operator should know. */
  | { readonly kind: "notice"; readonly text: string }
  /** Something threw; requests go on. */
  | { readonly kind: "fault"; readonly where: string; readonly text: string };
