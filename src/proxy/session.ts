import type { NetError } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import { cookieValue } from "../http/cookie.ts";
import type { Fields } from "../http/fields.ts";
import { RequestHead, ResponseHead } from "../http/head.ts";
import { LocalResponse } from "./local-response.ts";
import type { ClientInfo, Session, UpstreamInfo } from "./session-api.ts";
import type { Downstream, Upstream } from "./sides.ts";
import { ExchangeSummary } from "./summary.ts";
import type { PickInput } from "./upstream/upstream.ts";

/** The state of an exchange that its hooks see as their `Session`, and balancers as their input. */
export abstract class SessionState implements Session, PickInput {
  readonly request = new RequestHead();
  /** The request as the upstream shall see it; filled for each attempt. */
  readonly outgoing = new RequestHead();
  readonly responseHead = new ResponseHead();
  readonly summary: ExchangeSummary;
  readonly local = new LocalResponse();

  downstream!: Downstream;
  upstreamSide: Upstream | null = null;
  ctx: unknown = undefined;
  route = "";
  trailers: Fields | null = null;

  /** Finished: whatever still comes is ignored. */
  over = true;
  /** The response's head was sent: from here an error can no longer be answered. */
  started = false;
  protected hasResponse = false;
  protected hasOutgoing = false;
  private controller: AbortController | null = null;

  constructor() {
    this.summary = new ExchangeSummary(this.request);
  }

  protected reset(downstream: Downstream, now: Instant): void {
    this.downstream = downstream;
    this.upstreamSide = null;
    this.ctx = undefined;
    this.route = "";
    this.trailers = null;
    this.over = false;
    this.started = false;
    this.hasResponse = false;
    this.hasOutgoing = false;
    this.controller = null;
    this.request.clear();
    this.local.clear();
    this.summary.begin(now);
  }

  /** What came of a head that is not whole cannot be looked at: hooks and logs get an empty one. */
  protected forgetPartialHead(): void {
    if (!this.summary.parsed) this.request.clear();
  }

  protected get startedAt(): Instant {
    return this.summary.startedAt as Instant;
  }

  protected forget(): void {
    this.ctx = undefined;
    this.trailers = null;
    this.local.clear();
  }

  protected abortSignal(reason: NetError): void {
    this.controller?.abort(reason);
  }

  /** Whether a hook has answered already. */
  get answered(): boolean {
    return this.local.given;
  }

  get client(): ClientInfo {
    return this.downstream;
  }

  get listener(): string {
    return this.downstream.settings.name;
  }

  get protocol(): "http/1.0" | "http/1.1" | "h2" {
    const { protocol } = this.downstream;
    return protocol === "http/1.1" && this.request.minor === 0 ? "http/1.0" : protocol;
  }

  get upstreamRequest(): RequestHead {
    return this.hasOutgoing ? this.outgoing : this.request;
  }

  get response(): ResponseHead | null {
    return this.hasResponse ? this.responseHead : null;
  }

  get upstream(): UpstreamInfo | null {
    const side = this.upstreamSide;
    if (side === null) return null;
    return {
      name: side.endpoint.upstream,
      address: side.endpoint.address,
      protocol: side.protocol,
      reused: side.reused,
      tls: side.tls,
      attempt: this.summary.attempts,
    };
  }

  get signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.over) this.controller.abort(this.summary.failure ?? undefined);
    return this.controller.signal;
  }

  header(name: string): string | undefined {
    return this.request.fields.get(name);
  }

  cookie(name: string): string | undefined {
    const header = this.request.fields.get("cookie");
    return header === undefined ? undefined : cookieValue(header, name);
  }

  clientAddress(): string {
    return this.downstream.clientAddress;
  }

  respond(
    status: number,
    headers?: Readonly<Record<string, string>> | null,
    body?: string | Uint8Array | null,
  ): "responded" {
    if (this.started || this.over) {
      throw new TypeError("session.respond: the response has already begun");
    }
    this.local.set(status, headers ?? null, body ?? null);
    return "responded";
  }
}
