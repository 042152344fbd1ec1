import { NetError } from "../core/errors.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { RequestHead } from "../http/head.ts";
import { atLimit } from "./connect.ts";
import { Deadline } from "./deadline.ts";
import type { Exchange } from "./exchange.ts";
import { isIdempotent, mayRetry } from "./failure.ts";
import { prepareUpgrade } from "./h2/extended-connect.ts";
import { hasRoomFor, obtainLink } from "./links.ts";
import { prepareRequest } from "./outgoing-request.ts";
import type { Peer } from "./peer.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Upstream as UpstreamSide } from "./sides.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import type { Upstream, Waiter } from "./upstream/upstream.ts";

/**
 * How one exchange gets its answer: asks the program for a peer, picks an endpoint, takes a kept
 * connection or opens one, and tries again within the bounds when that fails.
 */
export class Attempts implements Waiter {
  private readonly exchange: Exchange;
  private settings: UpstreamSettings | null = null;
  private group: Upstream | null = null;
  private endpoint: Endpoint | null = null;
  private link: UpstreamSide | null = null;
  private readonly tried: Endpoint[] = [];
  private readonly hop = {
    clientAddress: "",
    scheme: "http" as "http" | "https",
    protocol: "http/1.1" as "http/1.1" | "h2",
    host: "",
  };
  private startedAt = 0 as Instant;
  private queued = false;
  /** A kept connection had died: what lies beside it in the pool may be as dead. */
  private distrustKept = false;
  private readonly total: Deadline;
  private readonly queueing: Deadline;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
    const { transport } = exchange.context;
    this.total = new Deadline({ onDeadline: () => this.expired("TOTAL_TIMEOUT") }, transport);
    this.queueing = new Deadline({ onDeadline: () => this.expired("CONNECTION_LIMIT") }, transport);
  }

  begin(): void {
    this.settings = null;
    this.group = null;
    this.endpoint = null;
    this.link = null;
    this.tried.length = 0;
    this.queued = false;
    this.distrustKept = false;
  }

  /** Body bytes worth keeping: none where no retry could use them. */
  get keepBody(): number {
    const settings = this.settings;
    if (settings === null || this.exchange.summary.attempts >= settings.retries.attempts) return 0;
    // A server of HTTP/2 may give any request back undone.
    const again =
      settings.retries.nonIdempotent ||
      this.link?.protocol === "h2" ||
      isIdempotent(this.exchange.request.method);
    return again ? settings.retries.keepBody : 0;
  }

  /** The phase `upstreamPeer`, then the first attempt. */
  choosePeer(): void {
    const exchange = this.exchange;
    const peer = exchange.program.upstreamPeer(exchange, exchange.ctx);
    if (peer instanceof Promise) {
      exchange.await("upstreamPeer", peer, (chosen) =>
        exchange.unlessAnswered(() => this.take(chosen)),
      );
    } else if (exchange.answered) exchange.unlessAnswered(() => undefined);
    else this.take(peer);
  }

  private take(peer: Peer): void {
    const exchange = this.exchange;
    const { context } = exchange;
    if (typeof peer === "string") {
      const group = context.upstreams.get(peer);
      if (group === undefined) {
        const message = `upstreamPeer chose "${peer}", which is no configured upstream`;
        throw new NetError("INTERNAL", message, { source: "internal" });
      }
      this.group = group;
      this.settings = group.settings;
      exchange.summary.upstream = peer;
    } else if (typeof peer !== "object" || peer === null) {
      const message = `upstreamPeer gave ${peer}; expected an upstream's name or { address }`;
      throw new NetError("INTERNAL", message, { source: "internal" });
    } else {
      this.group = null;
      this.settings = context.peers.settings(peer);
      this.endpoint = context.peers.endpoint(peer);
      exchange.summary.upstream = this.endpoint.name;
    }
    // A program that is asked again for another attempt gets no more time for it.
    if (exchange.summary.attempts === 0) this.startClock();
    if (!exchange.over) this.attempt();
  }

  /** The whole may take what the upstream is given for it, or a call of gRPC what its client grants. */
  private startClock(): void {
    const { call, context } = this.exchange;
    const now = context.transport.now();
    const total = this.settings?.timeouts.total ?? null;
    const granted = call.active ? call.left(now) : null;
    if (granted === null && total === null) return;
    const most = Math.min(granted ?? Infinity, total ?? Infinity) as Duration;
    if (most > 0) this.total.set(now, most);
    else this.expired("TOTAL_TIMEOUT");
  }

  private attempt(): void {
    const exchange = this.exchange;
    const now = exchange.context.transport.now();
    if (this.group !== null) {
      const endpoint = this.group.pick(exchange, this.tried, now);
      if (endpoint === null) return this.none(now);
      this.endpoint = endpoint;
    }
    const endpoint = this.endpoint;
    const settings = this.settings;
    if (endpoint === null || settings === null) return;
    if (!hasRoomFor(exchange, endpoint, settings)) return exchange.fail(atLimit());
    exchange.summary.attempts++;
    exchange.summary.chosen = endpoint;
    exchange.summary.connecting(now);
    endpoint.requestStarted(now);
    this.startedAt = now;
    const link = obtainLink(exchange, endpoint, this.group, settings, this.distrustKept);
    this.link = link;
    exchange.summary.reused = link.reused;
    if (link.established) exchange.onUpstreamReady(link);
  }

  /** Turns the copy of the request into what this attempt's endpoint shall see. */
  prepare(head: RequestHead): void {
    const { call, context, downstream, request } = this.exchange;
    const hop = this.hop;
    hop.clientAddress = downstream.clientAddress;
    hop.scheme = downstream.scheme;
    hop.protocol = downstream.protocol;
    hop.host = request.authority;
    const host = this.settings?.host ?? "preserve";
    prepareRequest(head, hop, downstream.forwarding, host, this.endpoint?.name ?? "");
    if (head.upgrade && this.link?.protocol === "h2") {
      prepareUpgrade(head, downstream.protocol, this.link.upgrades);
    }
    if (call.active) call.prepareRequest(head, context.transport.now());
  }

  /** No endpoint to be had: wait for one at its limit, or give up. */
  private none(now: Instant): void {
    const group = this.group;
    const settings = this.settings;
    if (group === null || settings === null) return;
    if (group.saturated && group.enqueue(this)) {
      this.queued = true;
      this.queueing.set(now, settings.timeouts.connect);
      return;
    }
    const error = group.saturated
      ? atLimit()
      : new NetError("NO_ENDPOINT", `upstream ${group.settings.name} has no endpoint`, {
          source: "upstream",
        });
    this.exchange.fail(error);
  }

  onCapacity(): void {
    if (!this.queued) return;
    this.queued = false;
    this.queueing.clear();
    this.guarded();
  }

  /** A connection stands, for which `obtainLink` gave `link` or something that held its place. */
  connected(link: UpstreamSide): void {
    const exchange = this.exchange;
    this.link = link;
    link.endpoint.connectSucceeded();
    exchange.summary.connected(exchange.context.transport.now());
    exchange.onUpstreamReady(link);
  }

  /** The connection that it waited for with others takes them alone: as if it had not been asked for. */
  askAgain(): void {
    const { endpoint, exchange } = this;
    if (this.link === null || endpoint === null) return;
    this.link = null;
    endpoint.requestEnded(exchange.context.transport.now(), this.startedAt, "cancelled");
    exchange.summary.attempts--;
    this.guarded();
  }

  /** This attempt failed; its connection is gone. One more, or the end. */
  failed(error: NetError): void {
    const exchange = this.exchange;
    const { context } = exchange;
    const link = this.link;
    const endpoint = this.endpoint;
    const settings = this.settings;
    if (endpoint === null || settings === null || link === null) return;
    const now = context.transport.now();
    const wasConnected = link.established;
    this.link = null;
    exchange.upstreamSide = null;
    const sent = exchange.requests.sent;
    exchange.requests.stop();
    endpoint.requestEnded(now, this.startedAt, "failure");
    let verdict: "default" | "retry" | "fail" = "default";
    if (wasConnected) exchange.program.errorWhileProxy?.(exchange, error, exchange.ctx);
    else {
      exchange.summary.connected(now);
      exchange.phase = "failToConnect";
      verdict = exchange.program.failToConnect?.(exchange, error, exchange.ctx) ?? "default";
    }
    if (exchange.answered) {
      exchange.summary.failure ??= error;
      return exchange.answer();
    }
    const again =
      verdict !== "fail" &&
      mayRetry(error, {
        attempts: exchange.summary.attempts,
        maxAttempts: settings.retries.attempts,
        reused: link.reused,
        sent,
        responded: link.responded,
        replayable: exchange.requests.replayable,
        idempotent: isIdempotent(exchange.request.method),
        nonIdempotentAllowed: settings.retries.nonIdempotent,
      });
    if (!again) return exchange.fail(error);
    // Where the server gave the request back itself, it lives.
    this.distrustKept ||= link.reused && error.retry !== "always";
    context.observer.retried(exchange.summary.upstream ?? "", error);
    if (!this.tried.includes(endpoint)) this.tried.push(endpoint);
    if (this.group !== null) this.guarded();
    else exchange.guard("upstreamPeer", () => this.choosePeer());
  }

  private guarded(): void {
    this.exchange.guard("upstreamPeer", () => this.attempt());
  }

  /** The response is complete; the connection may serve again when the request is, too. */
  completed(requestComplete: boolean): void {
    this.settle("success");
    const link = this.link;
    this.link = null;
    if (link === null) return;
    if (requestComplete) link.release();
    else link.cancel();
  }

  /** The exchange ends without this attempt's answer. */
  abandon(): void {
    if (this.queued) {
      this.queued = false;
      this.group?.dequeue(this);
    }
    const link = this.link;
    if (link === null) {
      this.total.clear();
      this.queueing.clear();
      return;
    }
    this.settle("cancelled");
    this.link = null;
    this.exchange.upstreamSide = null;
    link.cancel();
  }

  /** The response's head was its answer: what follows is a tunnel, and takes the time that it takes. */
  stopClock(): void {
    this.total.clear();
  }

  private settle(outcome: "success" | "cancelled"): void {
    this.total.clear();
    this.queueing.clear();
    if (this.link === null) return;
    const now = this.exchange.context.transport.now();
    const answeredAt = (this.exchange.summary.firstByteAt || now) as Instant;
    this.endpoint?.requestEnded(now, this.startedAt, outcome, answeredAt);
  }

  private expired(code: "TOTAL_TIMEOUT" | "CONNECTION_LIMIT"): void {
    const message =
      code === "TOTAL_TIMEOUT"
        ? "the total time for this upstream is over"
        : "no connection came free in time";
    this.exchange.fail(new NetError(code, message, { source: "upstream" }));
  }
}
