import type { ErrorCode, NetError } from "../core/errors.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { RequestHead } from "../http/head.ts";
import type { Summary } from "./session-api.ts";
import type { Endpoint } from "./upstream/endpoint.ts";

/** The figures of one exchange as they come in; reused from request to request. */
export class ExchangeSummary implements Summary {
  /** The request's head came whole, and may be looked at. */
  parsed = false;
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  attempts = 0;
  reused = false;
  upstream: string | null = null;
  failure: NetError | null = null;
  chosen: Endpoint | null = null;
  grpcStatus: number | null = null;

  startedAt = 0;
  connectTime = 0;
  connectStartedAt = 0;
  firstByteAt = 0;
  endedAt = 0;
  private readonly request: RequestHead;

  constructor(request: RequestHead) {
    this.request = request;
  }

  begin(now: Instant): void {
    this.parsed = false;
    this.status = 0;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.attempts = 0;
    this.reused = false;
    this.upstream = null;
    this.failure = null;
    this.chosen = null;
    this.grpcStatus = null;
    this.startedAt = now;
    this.connectTime = 0;
    this.connectStartedAt = 0;
    this.firstByteAt = 0;
    this.endedAt = 0;
  }

  connecting(now: Instant): void {
    this.connectStartedAt = now;
  }

  connected(now: Instant): void {
    this.connectTime += now - this.connectStartedAt;
  }

  get method(): string {
    return this.parsed ? this.request.method : "";
  }

  get target(): string {
    return this.parsed ? this.request.target : "";
  }

  get host(): string {
    return this.parsed ? this.request.authority : "";
  }

  get connect(): Duration | null {
    return this.attempts === 0 ? null : (this.connectTime as Duration);
  }

  get firstByte(): Duration | null {
    return this.firstByteAt === 0 ? null : ((this.firstByteAt - this.startedAt) as Duration);
  }

  get total(): Duration {
    return (this.endedAt - this.startedAt) as Duration;
  }

  get endpoint(): string | null {
    return this.chosen === null ? null : this.chosen.name;
  }

  get error(): { code: ErrorCode; message: string; source: string } | null {
    const failure = this.failure;
    if (failure === null) return null;
    return { code: failure.code, message: failure.message, source: failure.source };
  }
}
