import type { Duration } from "../../src/core/time.ts";
import type { LinkConditions } from "../../src/drivers/memory/link.ts";
import type { ListenerSettings, UpstreamSettings } from "../../src/proxy/settings.ts";

/** All that is drawn from a seed before the run begins. Plain data. */
export interface Scenario {
  readonly seed: number;
  readonly ills: Ills;
  readonly link: LinkConditions;
  readonly listener: ListenerSettings;
  readonly upstream: UpstreamSettings;
  readonly origins: readonly OriginPlan[];
  readonly program: ProgramPlan;
  readonly clients: readonly ClientPlan[];
  readonly requests: ReadonlyMap<string, RequestPlan>;
  readonly drain: { readonly at: Duration; readonly deadline: Duration } | null;
}

/** What may go wrong in a run. Where nothing may, every request must get its answer. */
export interface Ills {
  /** Connections break at any byte. */
  readonly links: boolean;
  /** Origins die, stall, answer nonsense. */
  readonly origins: boolean;
  /** Clients leave, stall, send nonsense. */
  readonly clients: boolean;
  /** Hooks throw. */
  readonly hooks: boolean;
  /** Connections to origins are few, and so are the places to wait for one. */
  readonly scarce: boolean;
}

export interface OriginPlan {
  readonly ip: string;
  readonly fate: "serves" | "refuses" | "silent";
}

export type HookStyle = "none" | "plain" | "promises";
export type Filtering = "none" | "each" | "gather";

export interface ProgramPlan {
  readonly style: HookStyle;
  readonly requestBody: Filtering;
  readonly responseBody: Filtering;
  /** Whether filters leave some bodies alone by "pass-body". */
  readonly passes: boolean;
}

export interface ClientPlan {
  readonly name: string;
  readonly startsAt: Duration;
  readonly requests: readonly RequestPlan[];
  /** Requests sent before the first of them is answered. */
  readonly depth: number;
  /** How likely it reads nothing for a while after a piece, and for how long. */
  readonly restChance: number;
  readonly rest: Duration;
  readonly leaves: Leaving | null;
}

/** How a client gives up a connection, once so many bytes have come to it, or so late. */
export interface Leaving {
  readonly afterBytes: number;
  readonly after: Duration;
  /** "numb": it stays, but reads nothing any more. */
  readonly by: "abort" | "end" | "numb";
}

export type Phase =
  | "newContext"
  | "earlyRequestFilter"
  | "requestFilter"
  | "upstreamPeer"
  | "connectedToUpstream"
  | "upstreamRequestFilter"
  | "requestBodyFilter"
  | "upstreamResponseFilter"
  | "responseFilter"
  | "responseBodyFilter"
  | "responseTrailerFilter"
  | "failToProxy"
  | "logging";

export interface RequestPlan {
  /** Its path is "/" and this. */
  readonly id: string;
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH";
  readonly minor: 0 | 1;
  /** As it says in Connection; undefined: nothing. */
  readonly connection: "close" | "keep-alive" | undefined;
  readonly framing: "none" | "length" | "chunked";
  readonly size: number;
  readonly trailer: boolean;
  readonly expect: boolean;
  /** Asks for a tunnel in which so many bytes go up. */
  readonly upgrade: number | null;
  /** Nonsense instead of the head, or in the middle of a chunked body. */
  readonly malformed: string | null;
  readonly pace: Pace;
  /** What its origin does when it comes for the first time, the second, … */
  readonly behaviours: readonly Behaviour[];
  /** What a hook does to it. */
  readonly hook: { readonly phase: Phase; readonly does: "answer" | "throw" } | null;
}

/** Before which bytes of a message to wait, and for how long. */
export interface Pace {
  readonly pauses: readonly { readonly at: number; readonly wait: Duration }[];
  readonly death: Death | null;
}

export interface Death {
  readonly at: number;
  readonly by: "abort" | "end";
}

export type Nonsense = "status-line" | "two-lengths" | "chunk-size" | "surplus" | "switch";

export interface Behaviour {
  /** For an upgrade: 101 takes it. */
  readonly status: number;
  readonly minor: 0 | 1;
  readonly framing: "length" | "chunked" | "close";
  readonly size: number;
  readonly trailer: boolean;
  /** Interim answers before it. */
  readonly interim: readonly number[];
  /** Answers when the head has come, not when the body has. */
  readonly early: boolean;
  readonly delay: Duration;
  readonly close: boolean;
  readonly pace: Pace;
  readonly nonsense: Nonsense | null;
  /** After a kept connection has lain idle so long it is closed; null: never. */
  readonly idle: Duration | null;
  readonly restChance: number;
  readonly rest: Duration;
}

export const isIll = (ills: Ills): boolean =>
  ills.links || ills.origins || ills.clients || ills.hooks || ills.scarce;
