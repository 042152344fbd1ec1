import type { ErrorCode, NetError } from "../../src/core/errors.ts";
import type { ProxyObserver } from "../../src/proxy/observer.ts";
import type { Session } from "../../src/proxy/session-api.ts";
import type { TunnelKind } from "../../src/proxy/tunnel.ts";
import type { MessageDirection } from "../../src/proxy/websocket/message.ts";

/** The figures of one finished request as plain data. */
export interface RecordedRequest {
  readonly protocol: Session["protocol"];
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly connect: number | null;
  readonly firstByte: number | null;
  readonly total: number;
  readonly upstream: string | null;
  readonly endpoint: string | null;
  readonly attempts: number;
  readonly reused: boolean;
  readonly grpcStatus: number | null;
  readonly error: ErrorCode | null;
  readonly source: string | null;
}

export interface RecordedFault {
  readonly where: string;
  readonly message: string;
}

export interface RecordedCoding {
  readonly direction: "encode" | "decode";
  readonly coding: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** An observer that keeps everything that it hears. */
export class Recorder implements ProxyObserver {
  readonly requests: RecordedRequest[] = [];
  readonly faults: RecordedFault[] = [];
  readonly notices: string[] = [];
  readonly coded: RecordedCoding[] = [];
  readonly retries: ErrorCode[] = [];
  readonly connectFailures: ErrorCode[] = [];
  opened = 0;
  closed = 0;
  refused = 0;
  /** Of HTTP/2. */
  sessions = 0;
  streams = 0;
  streamResets = 0;
  readonly http2Faults: string[] = [];
  handshakes = 0;
  /** Open now. */
  readonly tunnels = { websocket: 0, upgrade: 0, connect: 0, passthrough: 0 };
  /** Of WebSockets: who sent it, and its octets. */
  readonly messages: string[] = [];
  readonly tlsFailures: NetError[] = [];
  upstreamOpened = 0;
  upstreamClosedCount = 0;
  /** Faults that the test provokes, by their `where`. */
  readonly expected = new Set<string>();

  get open(): number {
    return this.opened - this.closed;
  }

  get upstreamOpen(): number {
    return this.upstreamOpened - this.upstreamClosedCount;
  }

  get last(): RecordedRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error("no request has ended");
    return last;
  }

  unexpectedFaults(): readonly RecordedFault[] {
    return this.faults.filter(({ where }) => !this.expected.has(where));
  }

  bodyCoded(
    _listener: string,
    direction: "encode" | "decode",
    coding: string,
    bytesIn: number,
    bytesOut: number,
  ): void {
    this.coded.push({ direction, coding, bytesIn, bytesOut });
  }

  notice(message: string): void {
    this.notices.push(message);
  }

  connectionOpened(): void {
    this.opened++;
  }

  connectionClosed(): void {
    this.closed++;
  }

  connectionRefused(): void {
    this.refused++;
  }

  tlsOpened(): void {
    this.handshakes++;
  }

  tlsFailed(_listener: string, error: NetError): void {
    this.tlsFailures.push(error);
  }

  http2Opened(): void {
    this.sessions++;
  }

  http2StreamOpened(): void {
    this.streams++;
  }

  http2StreamReset(): void {
    this.streamResets++;
  }

  http2Fault(_listener: string, reason: string): void {
    this.http2Faults.push(reason);
  }

  tunnelOpened(_listener: string, kind: TunnelKind): void {
    this.tunnels[kind]++;
  }

  tunnelClosed(_listener: string, kind: TunnelKind): void {
    this.tunnels[kind]--;
  }

  webSocketMessage(_listener: string, direction: MessageDirection, octets: number): void {
    this.messages.push(`${direction} ${octets}`);
  }

  requestEnded({ protocol, summary }: Session): void {
    this.requests.push({
      protocol,
      method: summary.method,
      target: summary.target,
      host: summary.host,
      status: summary.status,
      requestBytes: summary.requestBytes,
      responseBytes: summary.responseBytes,
      connect: summary.connect,
      firstByte: summary.firstByte,
      total: summary.total,
      upstream: summary.upstream,
      endpoint: summary.endpoint,
      attempts: summary.attempts,
      reused: summary.reused,
      grpcStatus: summary.grpcStatus,
      error: summary.error?.code ?? null,
      source: summary.error?.source ?? null,
    });
  }

  upstreamConnected(): void {
    this.upstreamOpened++;
  }

  upstreamClosed(): void {
    this.upstreamClosedCount++;
  }

  upstreamConnectFailed(_upstream: string, error: NetError): void {
    this.connectFailures.push(error.code);
  }

  retried(_upstream: string, error: NetError): void {
    this.retries.push(error.code);
  }

  fault(where: string, error: unknown): void {
    this.faults.push({ where, message: error instanceof Error ? error.message : String(error) });
  }
}
