import { ERROR_CODES, errorSlot } from "./error-codes.ts";
import { observe } from "./histogram.ts";
import {
  codingSlot,
  ListenerSlot,
  MESSAGE_DIRECTIONS,
  type MetricLayout,
  PROTOCOLS,
  STATUSES,
  TLS_VERSIONS,
  TUNNEL_KINDS,
  UpstreamSlot,
  WorkerSlot,
} from "./layout.ts";
import { TLS_FAILURES, tlsFailureReason } from "./tls-failures.ts";

/**
 * Counts what one worker does. A request costs a few additions in shared memory and two look-ups of a
 * name; nothing is allocated.
 */
export class MetricRecorder {
  readonly #row: Float64Array;
  readonly #layout: MetricLayout;

  /** `row`: this worker's row. Gauges in it restart from zero: the worker before may have died. */
  constructor(layout: MetricLayout, row: Float64Array) {
    this.#row = row;
    this.#layout = layout;
    for (const name of layout.listeners) {
      const base = layout.listener(name);
      row[base + ListenerSlot.active] = 0;
      row.fill(0, base + ListenerSlot.tunnels, base + ListenerSlot.tunnels + TUNNEL_KINDS.length);
    }
    for (const name of layout.upstreams) row[layout.upstream(name) + UpstreamSlot.active] = 0;
  }

  connectionOpened(listener: string): void {
    const base = this.#layout.listener(listener);
    this.#row[base + ListenerSlot.accepted]! += 1;
    this.#row[base + ListenerSlot.active]! += 1;
  }

  connectionClosed(listener: string): void {
    this.#row[this.#layout.listener(listener) + ListenerSlot.active]! -= 1;
  }

  connectionRefused(listener: string): void {
    this.#row[this.#layout.listener(listener) + ListenerSlot.refused]! += 1;
  }

  /** One request is over; `status` 0 when the client left before any answer. `total` in microseconds. */
  request(
    listener: string,
    status: number,
    total: number,
    requestBytes: number,
    responseBytes: number,
  ): void {
    const row = this.#row;
    const base = this.#layout.listener(listener);
    row[base + ListenerSlot.statuses + (status < STATUSES ? status : 0)]! += 1;
    row[base + ListenerSlot.requestBytes]! += requestBytes;
    row[base + ListenerSlot.responseBytes]! += responseBytes;
    observe(row, base + ListenerSlot.durations, total);
  }

  /** The version in which a request came. */
  requestProtocol(listener: string, protocol: (typeof PROTOCOLS)[number]): void {
    const base = this.#layout.listener(listener) + ListenerSlot.protocols;
    this.#row[base + PROTOCOLS.indexOf(protocol)]! += 1;
  }

  tlsOpened(listener: string, version: (typeof TLS_VERSIONS)[number], resumed: boolean): void {
    const base = this.#layout.listener(listener) + ListenerSlot.handshakes;
    this.#row[base + 2 * TLS_VERSIONS.indexOf(version) + (resumed ? 1 : 0)]! += 1;
  }

  /** `code` and `message` of the error. */
  tlsFailed(listener: string, code: string, message: string): void {
    const base = this.#layout.listener(listener) + ListenerSlot.handshakeFailures;
    this.#row[base + TLS_FAILURES.indexOf(tlsFailureReason(code, message))]! += 1;
  }

  http2Opened(listener: string): void {
    this.#row[this.#layout.listener(listener) + ListenerSlot.http2Connections]! += 1;
  }

  http2StreamOpened(listener: string): void {
    this.#row[this.#layout.listener(listener) + ListenerSlot.http2Streams]! += 1;
  }

  http2StreamReset(listener: string): void {
    this.#row[this.#layout.listener(listener) + ListenerSlot.http2Resets]! += 1;
  }

  http2Fault(listener: string, reason: string): void {
    this.#row[this.#layout.http2Fault(listener, reason)]! += 1;
  }

  tunnelOpened(listener: string, kind: (typeof TUNNEL_KINDS)[number]): void {
    const at = this.#layout.listener(listener) + TUNNEL_KINDS.indexOf(kind);
    this.#row[at + ListenerSlot.tunnels]! += 1;
    this.#row[at + ListenerSlot.tunnelsOpened]! += 1;
  }

  tunnelClosed(listener: string, kind: (typeof TUNNEL_KINDS)[number]): void {
    const at = this.#layout.listener(listener) + TUNNEL_KINDS.indexOf(kind);
    this.#row[at + ListenerSlot.tunnels]! -= 1;
  }

  webSocketMessage(
    listener: string,
    direction: (typeof MESSAGE_DIRECTIONS)[number],
    octets: number,
  ): void {
    const at = this.#layout.listener(listener) + MESSAGE_DIRECTIONS.indexOf(direction);
    this.#row[at + ListenerSlot.messages]! += 1;
    this.#row[at + ListenerSlot.messageBytes]! += octets;
  }

  /** A call of gRPC is over. */
  grpcCall(listener: string, route: string, status: number): void {
    this.#row[this.#layout.calls.slot(listener, route, status)]! += 1;
  }

  requestError(listener: string, code: string, source: string): void {
    const base = this.#layout.listener(listener) + ListenerSlot.errors;
    this.#row[base + errorSlot(code, source)]! += 1;
  }

  /** A body was encoded or decoded. */
  bodyCoded(
    listener: string,
    direction: "encode" | "decode",
    coding: string,
    bytesIn: number,
    bytesOut: number,
  ): void {
    const row = this.#row;
    const base =
      this.#layout.listener(listener) + ListenerSlot.codings + codingSlot(direction, coding);
    row[base]! += 1;
    row[base + 1]! += bytesIn;
    row[base + 2]! += bytesOut;
  }

  /** A request that an upstream was asked for. Microseconds; null where it never came so far. */
  upstreamRequest(
    upstream: string,
    reused: boolean,
    connect: number | null,
    firstByte: number | null,
  ): void {
    const row = this.#row;
    const base = this.#layout.upstream(upstream);
    row[base + UpstreamSlot.requests]! += 1;
    if (reused) row[base + UpstreamSlot.reused]! += 1;
    else if (connect !== null) observe(row, base + UpstreamSlot.connects, connect);
    if (firstByte !== null) observe(row, base + UpstreamSlot.firstBytes, firstByte);
  }

  upstreamConnected(upstream: string): void {
    const base = this.#layout.upstream(upstream);
    this.#row[base + UpstreamSlot.connected]! += 1;
    this.#row[base + UpstreamSlot.active]! += 1;
  }

  upstreamClosed(upstream: string): void {
    this.#row[this.#layout.upstream(upstream) + UpstreamSlot.active]! -= 1;
  }

  upstreamConnectFailed(upstream: string, code: string): void {
    this.#countByCode(upstream, UpstreamSlot.connectErrors, code);
  }

  retried(upstream: string, code: string): void {
    this.#countByCode(upstream, UpstreamSlot.retries, code);
  }

  fault(): void {
    this.#row[WorkerSlot.faults]! += 1;
  }

  logLine(): void {
    this.#row[WorkerSlot.logLines]! += 1;
  }

  logDropped(): void {
    this.#row[WorkerSlot.logDropped]! += 1;
  }

  #countByCode(upstream: string, offset: number, code: string): void {
    const slot = errorSlot(code, "downstream") % ERROR_CODES.length;
    this.#row[this.#layout.upstream(upstream) + offset + slot]! += 1;
  }
}
