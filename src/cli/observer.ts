import { formatSocketAddress } from "../core/address.ts";
import type { NetError } from "../core/errors.ts";
import type { ProxyObserver } from "../proxy/observer.ts";
import type { Session } from "../proxy/session-api.ts";
import type { TunnelKind } from "../proxy/tunnel.ts";
import type { MessageDirection } from "../proxy/websocket/message.ts";
import type { AccessLog } from "../telemetry/access-log.ts";
import type { MetricRecorder } from "../telemetry/recorder.ts";
import type { TlsConnection } from "../tls/engine.ts";

/** As in access logs elsewhere. */
const protocolNames = { "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", h2: "HTTP/2.0" } as const;

/** Joins the proxy to telemetry: what the one tells, the other counts and logs. */
export class TelemetryObserver implements ProxyObserver {
  readonly #recorder: MetricRecorder;
  readonly #log: AccessLog | null;
  readonly #onFault: (where: string, error: unknown) => void;
  readonly #onNotice: (message: string) => void;

  /** `log`: null for no access log. `onFault` is told of each exception, after it was counted. */
  constructor(
    recorder: MetricRecorder,
    log: AccessLog | null,
    onFault: (where: string, error: unknown) => void,
    onNotice: (message: string) => void,
  ) {
    this.#recorder = recorder;
    this.#log = log;
    this.#onFault = onFault;
    this.#onNotice = onNotice;
  }

  notice(message: string): void {
    this.#onNotice(message);
  }

  connectionOpened(listener: string): void {
    this.#recorder.connectionOpened(listener);
  }

  connectionClosed(listener: string): void {
    this.#recorder.connectionClosed(listener);
  }

  connectionRefused(listener: string): void {
    this.#recorder.connectionRefused(listener);
  }

  requestEnded(session: Session): void {
    const recorder = this.#recorder;
    const s = session.summary;
    recorder.request(session.listener, s.status, s.total, s.requestBytes, s.responseBytes);
    recorder.requestProtocol(session.listener, session.protocol);
    if (s.upstream !== null) {
      recorder.upstreamRequest(s.upstream, s.reused, s.connect, s.firstByte);
    }
    if (s.grpcStatus !== null) recorder.grpcCall(session.listener, session.route, s.grpcStatus);
    if (s.error !== null) recorder.requestError(session.listener, s.error.code, s.error.source);
    if (this.#log?.sampled()) this.#logRequest(this.#log, session);
  }

  tlsOpened(listener: string, { version, resumed }: TlsConnection): void {
    this.#recorder.tlsOpened(listener, version, resumed);
  }

  tlsFailed(listener: string, { code, message }: NetError): void {
    this.#recorder.tlsFailed(listener, code, message);
  }

  http2Opened(listener: string): void {
    this.#recorder.http2Opened(listener);
  }

  http2StreamOpened(listener: string): void {
    this.#recorder.http2StreamOpened(listener);
  }

  http2StreamReset(listener: string): void {
    this.#recorder.http2StreamReset(listener);
  }

  http2Fault(listener: string, reason: string): void {
    this.#recorder.http2Fault(listener, reason);
  }

  tunnelOpened(listener: string, kind: TunnelKind): void {
    this.#recorder.tunnelOpened(listener, kind);
  }

  tunnelClosed(listener: string, kind: TunnelKind): void {
    this.#recorder.tunnelClosed(listener, kind);
  }

  webSocketMessage(listener: string, direction: MessageDirection, octets: number): void {
    this.#recorder.webSocketMessage(listener, direction, octets);
  }

  bodyCoded(
    listener: string,
    direction: "encode" | "decode",
    coding: string,
    bytesIn: number,
    bytesOut: number,
  ): void {
    this.#recorder.bodyCoded(listener, direction, coding, bytesIn, bytesOut);
  }

  upstreamConnected(upstream: string): void {
    this.#recorder.upstreamConnected(upstream);
  }

  upstreamClosed(upstream: string): void {
    this.#recorder.upstreamClosed(upstream);
  }

  upstreamConnectFailed(upstream: string, error: NetError): void {
    this.#recorder.upstreamConnectFailed(upstream, error.code);
  }

  retried(upstream: string, error: NetError): void {
    this.#recorder.retried(upstream, error.code);
  }

  fault(where: string, error: unknown): void {
    this.#recorder.fault();
    this.#onFault(where, error);
  }

  #logRequest(log: AccessLog, session: Session): void {
    const s = session.summary;
    log.write({
      listener: session.listener,
      route: session.route,
      client: formatSocketAddress(session.client.remote),
      protocol: protocolNames[session.protocol],
      method: s.method,
      host: s.host,
      target: s.target,
      status: s.status,
      requestBytes: s.requestBytes,
      responseBytes: s.responseBytes,
      connect: s.connect,
      firstByte: s.firstByte,
      total: s.total,
      upstream: s.upstream,
      endpoint: s.endpoint,
      attempts: s.attempts,
      reused: s.reused,
      grpcStatus: s.grpcStatus,
      error: s.error,
    });
  }
}
