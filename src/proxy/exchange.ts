import { NetError } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import type { Fields } from "../http/fields.ts";
import type { RequestHead } from "../http/head.ts";
import { Attempts } from "./attempts.ts";
import { answerChallenge } from "./challenges.ts";
import { hookError, statusOf } from "./failure.ts";
import { answerAsGrpc, endOfCall, grpcStatusOf } from "./grpc/answers.ts";
import { breakOff } from "./grpc/break-off.ts";
import type { Bridge } from "./grpc/bridge.ts";
import { GrpcCall } from "./grpc/call.ts";
import { feignsTunnel } from "./h2/extended-connect.ts";
import { HookWaits } from "./hook-waits.ts";
import { errorHeaders, errorText } from "./local-response.ts";
import { isRefused, settleFraming } from "./outgoing-request.ts";
import type { ProxyProgram } from "./program.ts";
import { RequestRelay } from "./request-relay.ts";
import { ResponseRelay } from "./response-relay.ts";
import type { ProxyContext } from "./server.ts";
import type { Downstream, Upstream } from "./sides.ts";
import { joinSides } from "./switching.ts";
import { brokenDown, type Tunnel, type TunnelEnd } from "./tunnel.ts";
import { completeHandshake, prepareHandshake } from "./websocket/handshake.ts";

/**
 * One request and its response on their way through the phases. The sides call `on…`; hooks see it as
 * their `Session`. Plain hooks run straight through without a promise; where one returns a promise the
 * exchange holds both sides and goes on from `await`. Exchanges are pooled: `begin` makes one fresh.
 */
export class Exchange extends HookWaits {
  readonly context: ProxyContext;
  readonly requests: RequestRelay;
  readonly responses: ResponseRelay;
  readonly attempts: Attempts;
  program: ProxyProgram;
  tunnel: Tunnel | null = null;
  /** The call of gRPC that it carries, where it does. */
  readonly call = new GrpcCall();
  /** Between a client that does not speak gRPC and its upstream. */
  bridge: Bridge | null = null;
  private failing = false;

  constructor(context: ProxyContext) {
    super();
    this.context = context;
    this.program = context.program;
    this.requests = new RequestRelay(this);
    this.responses = new ResponseRelay(this);
    this.attempts = new Attempts(this);
  }

  /** Takes up a request of which the first bytes have come. */
  begin(downstream: Downstream, program: ProxyProgram, now: Instant): void {
    this.reset(downstream, now);
    this.program = program;
    this.tunnel = null;
    this.bridge = null;
    this.call.begin();
    this.failing = false;
    this.requests.begin();
    this.responses.begin();
    this.attempts.begin();
  }

  /** Gives it back: there is no request after all. */
  dismiss(): void {
    this.over = true;
    this.giveBack();
  }

  // ---- the phases, in order -------------------------------------------------------------------

  /** The head is complete: runs the phases as far as they go without waiting. */
  start(): void {
    this.summary.parsed = true;
    try {
      this.early();
    } catch (error) {
      this.hookFailed(this.phase, error);
    }
  }

  private early(): void {
    if (isRefused(this.request.method, this.downstream.settings)) {
      this.local.set(405, errorHeaders(405), errorText(405));
      return this.answer();
    }
    const { tokens } = this.context.challenges;
    if (tokens !== null && answerChallenge(this, tokens)) return this.answer();
    const program = this.program;
    if (this.downstream.protocol === "h2") this.call.look(this.request, this.startedAt);
    if (program.newContext !== undefined) {
      this.phase = "newContext";
      this.ctx = program.newContext(this);
    }
    if (program.bridge !== undefined) {
      this.phase = "bridge";
      const opened = program.bridge(this, this.ctx) ?? null;
      this.bridge = opened === "responded" ? null : opened;
      if (this.bridge !== null) this.call.take(this.request.fields, this.startedAt);
      if (this.answered) return this.answer();
    }
    this.filterEarly();
  }

  private filterEarly(): void {
    const program = this.program;
    if (program.earlyRequestFilter === undefined) return this.filterRequest();
    this.phase = "earlyRequestFilter";
    const verdict = program.earlyRequestFilter(this, this.ctx);
    if (verdict instanceof Promise) {
      this.await(this.phase, verdict, () => this.unlessAnswered(this.filterRequest));
    } else this.unlessAnswered(this.filterRequest);
  }

  private filterRequest(): void {
    const program = this.program;
    if (program.requestFilter === undefined) return this.choosePeer();
    this.phase = "requestFilter";
    const verdict = program.requestFilter(this, this.ctx);
    if (verdict instanceof Promise) {
      this.await(this.phase, verdict, () => this.unlessAnswered(this.choosePeer));
    } else this.unlessAnswered(this.choosePeer);
  }

  private choosePeer(): void {
    this.phase = "upstreamPeer";
    this.attempts.choosePeer();
  }

  /** A connection stands. */
  onUpstreamReady(upstream: Upstream): void {
    this.upstreamSide = upstream;
    this.hasOutgoing = false;
    if (this.program.connectedToUpstream === undefined) return this.prepareRequest();
    this.phase = "connectedToUpstream";
    const result = this.program.connectedToUpstream(this, this.ctx);
    if (result instanceof Promise) {
      const upstream = this.upstreamSide;
      this.await(this.phase, result, () => {
        if (this.upstreamSide === upstream) this.unlessAnswered(this.prepareRequest);
      });
    } else this.unlessAnswered(this.prepareRequest);
  }

  private prepareRequest(): void {
    const head = this.outgoing;
    head.copyFrom(this.request);
    this.attempts.prepare(head);
    prepareHandshake(this);
    this.hasOutgoing = true;
    this.bridge?.prepareRequest(head);
    const program = this.program;
    if (program.compression !== undefined) this.askCompression(head);
    if (program.upstreamRequestFilter === undefined) return this.sendRequest(false);
    this.phase = "upstreamRequestFilter";
    const verdict = program.upstreamRequestFilter(this, this.ctx);
    if (verdict instanceof Promise) {
      const upstream = this.upstreamSide;
      this.await(this.phase, verdict, (choice) => {
        // Where the connection died meanwhile, another attempt asks the hook anew.
        if (this.upstreamSide === upstream) this.sendRequest(choice === "pass-body");
      });
    } else this.sendRequest(verdict === "pass-body");
  }

  private askCompression(head: RequestHead): void {
    this.phase = "compression";
    const compression = this.program.compression?.(this, this.ctx) ?? null;
    this.responses.compression = compression;
    compression?.prepareRequest(head);
  }

  private sendRequest(passBody: boolean): void {
    if (this.local.given) return this.answer();
    const upstream = this.upstreamSide;
    if (upstream === null) return;
    const head = this.outgoing;
    const filtered =
      this.program.requestBodyFilter !== undefined && !passBody && head.framing !== "none";
    const framing = settleFraming(head, filtered);
    this.requests.start(upstream, framing, head.contentLength, filtered, this.attempts.keepBody);
    // Of a request without a body the client's side tells no end, but the bridge may have one to make.
    if (this.bridge !== null && this.request.framing === "none") this.requests.finishBridged();
  }

  // ---- what the client's side tells ------------------------------------------------------------

  onRequestData(buf: Uint8Array, start: number, end: number): void {
    this.summary.requestBytes += end - start;
    try {
      this.requests.onData(buf, start, end);
    } catch (error) {
      this.hookFailed("requestBodyFilter", error);
    }
  }

  onRequestEnd(trailers: Fields | null): void {
    try {
      this.requests.onEnd(trailers);
    } catch (error) {
      this.hookFailed("requestBodyFilter", error);
    }
  }

  /** The client left, or broke its message; nobody reads an answer any more. */
  onClientGone(error: NetError): void {
    if (this.over) return;
    this.summary.failure ??= error;
    this.forgetPartialHead();
    this.attempts.abandon();
    this.finish();
  }

  onDownstreamWritable(): void {
    this.responses.onDownstreamWritable();
  }

  // ---- what the upstream's side tells ----------------------------------------------------------

  onUpstreamWritable(): void {
    this.requests.onUpstreamWritable();
  }

  onInformational(): void {
    this.responseHead.removeHopByHop(false);
    if (this.downstream.sendInformational(this.responseHead)) this.responses.onDownstreamFull();
  }

  onResponseHead(): void {
    this.hasResponse = true;
    this.summary.firstByteAt = this.context.transport.now();
    try {
      this.responses.onHead();
    } catch (error) {
      this.hookFailed(this.phase, error);
    }
  }

  onResponseData(buf: Uint8Array, start: number, end: number): void {
    try {
      this.responses.onData(buf, start, end);
    } catch (error) {
      this.hookFailed(this.phase, error);
    }
  }

  onResponseEnd(trailers: Fields | null): void {
    try {
      this.responses.onEnd(trailers);
    } catch (error) {
      this.hookFailed(this.phase, error);
    }
  }

  /** The upstream connection broke, or spoke nonsense; it is closed already. */
  onUpstreamError(error: NetError): void {
    if (this.over) return;
    this.guard("errorWhileProxy", () => this.attempts.failed(error));
  }

  /** The response has gone out whole. */
  responseComplete(): void {
    if (this.over) return;
    this.attempts.completed(this.requests.received);
    this.finish();
  }

  startTunnel(): void {
    if (this.upstreamSide === null) return;
    const terms = completeHandshake(this);
    if (terms instanceof NetError) return this.fail(terms);
    this.attempts.stopClock();
    this.summary.status = this.responseHead.status;
    this.started = true;
    this.tunnel = joinSides(this, this.upstreamSide, terms);
  }

  tunnelOver(end: TunnelEnd): void {
    this.summary.requestBytes += end.fromClient;
    this.summary.responseBytes += end.fromUpstream;
    this.summary.failure ??= end.error;
    this.attempts.completed(true);
    this.finish();
  }

  // ---- ends ------------------------------------------------------------------------------------

  /** Nothing more is tried: answers with the error's status, or breaks off a response under way. */
  fail(error: NetError): void {
    if (this.over) return;
    this.dropWaits();
    this.summary.failure ??= error;
    this.forgetPartialHead();
    this.requests.stop();
    this.responses.stop();
    if (this.tunnel !== null) return this.tunnel.fail(brokenDown, error);
    this.attempts.abandon();
    if (this.started) {
      if (!breakOff(this, error)) this.downstream.reset();
      return this.finish();
    }
    if (this.program.failToProxy === undefined || this.failing || this.ctxMissing()) {
      return this.answerError(error);
    }
    this.failing = true;
    try {
      const verdict = this.program.failToProxy(this, error, this.ctx);
      if (verdict instanceof Promise) {
        this.await("failToProxy", verdict, () =>
          this.unlessAnswered(() => this.answerError(error)),
        );
      } else this.unlessAnswered(() => this.answerError(error));
    } catch (cause) {
      this.hookFailed("failToProxy", cause);
    }
  }

  /** A message that never parsed has no context: hooks that expect one are not asked. */
  private ctxMissing(): boolean {
    return this.program.newContext !== undefined && this.ctx === undefined;
  }

  private answerError(error: NetError): void {
    const status = statusOf(error);
    if (status === 0) {
      this.downstream.reset();
      return this.finish();
    }
    this.local.clear();
    this.local.set(status, errorHeaders(status), errorText(status, error.code));
    if (this.call.active) this.call.failure = grpcStatusOf(error);
    this.answer();
  }

  /** A hook threw, or its promise was rejected: this request fails, and no other. */
  hookFailed(hook: string, cause: unknown): void {
    if (this.over) return;
    const error = hookError(hook, cause);
    if (error.source === "internal") this.context.observer.fault(hook, cause);
    // What the hook may have answered before it failed does not hold.
    this.local.clear();
    this.fail(error);
  }

  /** Sends what a hook answered; the upstream is not asked, or no longer listened to. */
  answer(): void {
    this.requests.stop();
    this.responses.stop();
    this.attempts.abandon();
    const local = this.local;
    const { bridge, call } = this;
    // Nothing here becomes a tunnel.
    if (feignsTunnel(local.status, this.request, this.downstream.protocol)) local.become(501, null);
    if (bridge !== null) call.status = bridge.answer(local, call.failure);
    else if (call.active) call.status = answerAsGrpc(local, call.failure);
    local.fill(this.responseHead, this.request.method, this.context.transport.wallClock());
    this.hasResponse = true;
    this.started = true;
    this.summary.status = this.responseHead.status;
    const { framing, contentLength } = this.responseHead;
    this.downstream.sendHead(this.responseHead, framing, contentLength, false);
    if (framing === "length" && local.body !== null) {
      this.summary.responseBytes += local.body.length;
      this.downstream.sendData(local.body, 0, local.body.length);
    }
    this.downstream.sendEnd(null);
    this.finish();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.responses.stop();
    this.summary.endedAt = this.context.transport.now();
    if (this.call.active) this.summary.grpcStatus = endOfCall(this.call, this.summary.failure);
    if (this.summary.failure !== null) this.abortSignal(this.summary.failure);
    if (this.program.logging !== undefined && !this.ctxMissing()) {
      try {
        this.program.logging(this, this.ctx);
      } catch (error) {
        this.context.observer.fault("logging", error);
      }
    }
    this.context.observer.requestEnded(this);
    // The next request may begin in there, but not in this object, which callers up the stack still hold.
    this.downstream.exchangeOver();
    this.giveBackUnwaited();
  }

  /** For another request: a spare must not keep alive what hooks and bodies left of this one. */
  protected giveBack(): void {
    this.forget();
    this.requests.forget();
    this.context.recycle(this);
  }
}
