import { type CallNames, CallSlots } from "./call-slots.ts";
import { ERROR_CODES, ERROR_SLOTS } from "./error-codes.ts";
import { HISTOGRAM_SLOTS } from "./histogram.ts";
import { TLS_FAILURES } from "./tls-failures.ts";

/** The names that metrics are labelled with, in the order of their numbers. */
export interface MetricNames {
  readonly listeners: readonly string[];
  readonly upstreams: readonly string[];
  /** What clients can do wrong in HTTP/2. */
  readonly http2Faults?: readonly string[];
  /** Without it calls of gRPC count under no route of their own. */
  readonly calls?: CallNames;
}

/**
 * Where each count stands in a worker's row. Main thread and workers make the same layout from the same
 * names, so only the memory has to be shared. Requests to peers by address count under the upstream
 * `BY_ADDRESS`, and what names no known listener under `OTHER_LISTENER`: labels stay bounded.
 */
export class MetricLayout {
  readonly listeners: readonly string[];
  readonly upstreams: readonly string[];
  readonly http2Faults: readonly string[];
  readonly calls: CallSlots;
  /** Slots in a worker's row. */
  readonly slots: number;
  readonly #listenerIndex: ReadonlyMap<string, number>;
  readonly #upstreamIndex: ReadonlyMap<string, number>;
  readonly #faultIndex: ReadonlyMap<string, number>;
  readonly #faultsAt: number;

  constructor(names: MetricNames) {
    this.listeners = [...new Set(names.listeners), OTHER_LISTENER];
    this.upstreams = [...new Set(names.upstreams), BY_ADDRESS];
    this.#listenerIndex = new Map(this.listeners.map((name, i) => [name, i]));
    this.#upstreamIndex = new Map(this.upstreams.map((name, i) => [name, i]));
    this.http2Faults = [...new Set([...(names.http2Faults ?? []), OTHER_FAULT])];
    this.#faultIndex = new Map(this.http2Faults.map((reason, i) => [reason, i]));
    this.#faultsAt =
      WorkerSlot.count +
      this.listeners.length * ListenerSlot.count +
      this.upstreams.length * UpstreamSlot.count;
    const callsAt = this.#faultsAt + this.listeners.length * this.http2Faults.length;
    this.calls = new CallSlots(this.listeners, names.calls, callsAt);
    this.slots = callsAt + this.calls.count;
  }

  /** First slot of a listener's block. */
  listener(name: string): number {
    const index = this.#listenerIndex.get(name) ?? this.listeners.length - 1;
    return WorkerSlot.count + index * ListenerSlot.count;
  }

  /** Slot of a listener's faults of one kind. */
  http2Fault(listener: string, reason: string): number {
    const at = this.#listenerIndex.get(listener) ?? this.listeners.length - 1;
    const index = this.#faultIndex.get(reason) ?? this.http2Faults.length - 1;
    return this.#faultsAt + at * this.http2Faults.length + index;
  }

  /** First slot of an upstream's block. */
  upstream(name: string): number {
    const index = this.#upstreamIndex.get(name) ?? this.upstreams.length - 1;
    return (
      WorkerSlot.count + this.listeners.length * ListenerSlot.count + index * UpstreamSlot.count
    );
  }
}

export const BY_ADDRESS = "by-address";
export const OTHER_LISTENER = "other";
const OTHER_FAULT = "other";

/** A worker's own counts, at the start of its row. */
export const WorkerSlot = {
  faults: 0,
  logLines: 1,
  logDropped: 2,
  count: 3,
} as const;

/** Offsets in a listener's block. Statuses 0 – 599 have a slot each; 0 is a client that left unanswered. */
export const STATUSES = 600;

/** What bodies are coded with, and which way; each pair has three slots: bodies, bytes in, bytes out. */
export const CODINGS = ["gzip", "br", "zstd", "deflate"] as const;
export const CODING_DIRECTIONS = ["encode", "decode"] as const;
const CODING_SLOTS = CODINGS.length * CODING_DIRECTIONS.length * 3;

/** The first of the three slots of a pair; of what is unknown, those of the first. */
export function codingSlot(direction: string, coding: string): number {
  const way = direction === "decode" ? 1 : 0;
  const found = (CODINGS as readonly string[]).indexOf(coding);
  return (way * CODINGS.length + Math.max(found, 0)) * 3;
}

/** Versions of HTTP that clients speak, as `session.protocol` names them; each has a slot. */
export const PROTOCOLS = ["http/1.0", "http/1.1", "h2"] as const;

/** Kinds of handshakes, a slot each: two of a version, the first full and the second resumed. */
export const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

/** What tunnels are opened as; each has a gauge and a counter. */
export const TUNNEL_KINDS = ["websocket", "upgrade", "connect", "passthrough"] as const;

/** Who sent a message of a WebSocket; each has a slot for messages and one for their octets. */
export const MESSAGE_DIRECTIONS = ["from-client", "from-upstream"] as const;

const CODINGS_END = 5 + HISTOGRAM_SLOTS + STATUSES + ERROR_SLOTS + CODING_SLOTS;

const HANDSHAKES_END =
  CODINGS_END + PROTOCOLS.length + 3 + 2 * TLS_VERSIONS.length + TLS_FAILURES.length;

export const ListenerSlot = {
  accepted: 0,
  active: 1,
  refused: 2,
  requestBytes: 3,
  responseBytes: 4,
  durations: 5,
  statuses: 5 + HISTOGRAM_SLOTS,
  errors: 5 + HISTOGRAM_SLOTS + STATUSES,
  codings: 5 + HISTOGRAM_SLOTS + STATUSES + ERROR_SLOTS,
  protocols: CODINGS_END,
  http2Connections: CODINGS_END + PROTOCOLS.length,
  http2Streams: CODINGS_END + PROTOCOLS.length + 1,
  http2Resets: CODINGS_END + PROTOCOLS.length + 2,
  handshakes: CODINGS_END + PROTOCOLS.length + 3,
  handshakeFailures: CODINGS_END + PROTOCOLS.length + 3 + 2 * TLS_VERSIONS.length,
  tunnels: HANDSHAKES_END,
  tunnelsOpened: HANDSHAKES_END + TUNNEL_KINDS.length,
  messages: HANDSHAKES_END + 2 * TUNNEL_KINDS.length,
  messageBytes: HANDSHAKES_END + 2 * TUNNEL_KINDS.length + MESSAGE_DIRECTIONS.length,
  count: HANDSHAKES_END + 2 * TUNNEL_KINDS.length + 2 * MESSAGE_DIRECTIONS.length,
} as const;

/** Offsets in an upstream's block. */
export const UpstreamSlot = {
  requests: 0,
  reused: 1,
  connected: 2,
  active: 3,
  connects: 4,
  firstBytes: 4 + HISTOGRAM_SLOTS,
  connectErrors: 4 + 2 * HISTOGRAM_SLOTS,
  retries: 4 + 2 * HISTOGRAM_SLOTS + ERROR_CODES.length,
  count: 4 + 2 * HISTOGRAM_SLOTS + 2 * ERROR_CODES.length,
} as const;
