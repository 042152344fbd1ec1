import type { SocketAddress } from "../../core/address.ts";
import type { NetError } from "../../core/errors.ts";
import { after, type Instant, micros, seconds } from "../../core/time.ts";
import type {
  ByteSink,
  Stream,
  StreamHandler,
  Transport,
  TurnTarget,
} from "../../core/transport.ts";
import { ClientSession } from "../../http/h2/client-session.ts";
import { Faults, type H2Fault } from "../../http/h2/fault.ts";
import type { H2Limits } from "../../http/h2/limits.ts";
import { DEFAULT_LIMITS } from "../../http/h2/limits.ts";
import type { ClientOwner } from "../../http/h2/owner.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import type { TlsConnection } from "../../tls/engine.ts";
import { securityOf } from "../connect.ts";
import { Deadline } from "../deadline.ts";
import type { Exchange } from "../exchange.ts";
import type { ProxyContext } from "../server.ts";
import type { UpstreamSettings, UpstreamTimeouts } from "../settings.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import type { SharedConnection } from "../upstream/shared-connections.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { UpstreamStream } from "./upstream-stream.ts";

/** Requests at a time on one connection; also as many as go out before the server said what it takes. */
export const streamsPerConnection = 100;

/** A server that owes something, and of which nothing is heard for so long, is asked by PING. */
const silence = seconds(15);

/** What is written last must leave within this. */
const lastWords = seconds(5);

const limits: H2Limits = {
  ...DEFAULT_LIMITS,
  concurrentStreams: streamsPerConnection,
  pingTimeout: seconds(10),
  // Each request has its own deadlines, by its upstream's settings.
  stallTimeout: micros(Number.POSITIVE_INFINITY),
};

const never = Number.POSITIVE_INFINITY;
const now = micros(0);

/** A request that waits for the server's first SETTINGS: it depends on what they say. */
export interface SettingsWaiter {
  settled(session: UpstreamSession): void;
  unsettled(error: NetError | null): void;
}

/**
 * An HTTP/2 connection to an endpoint: streams of many exchanges on one machine. What they write in a
 * turn goes out at its end.
 */
export class UpstreamSession
  implements StreamHandler, ClientOwner, ByteSink, TurnTarget, SharedConnection
{
  readonly endpoint: Endpoint;
  readonly scheme: "http" | "https";
  readonly source = "upstream";
  readonly machine: ClientSession;
  listed = false;
  /** The server's SETTINGS have come. */
  settled = false;
  /** What is known of why the connection is lost. */
  lost: NetError | null = null;
  private readonly context: ProxyContext;
  private readonly group: Upstream | null;
  private readonly settings: UpstreamSettings;
  private readonly stream: Stream;
  private readonly deadline: Deadline;
  /** Requests on it: with a stream, without one yet, or as a tunnel. */
  private active = 0;
  /** Those without a stream yet, or which will never get one. */
  private readonly pending: UpstreamStream[] = [];
  private readonly refused: UpstreamStream[] = [];
  private waiters: SettingsWaiter[] = [];
  /** Sides that are over: at rest until nobody up the stack can hold them any more, then for reuse. */
  private readonly resting: UpstreamStream[] = [];
  private readonly spares: UpstreamStream[] = [];
  /** Commands on the machine need no flush of their own: one follows at the end of its work. */
  private working = false;
  private flushDue = false;
  private retired = false;
  private finishDue = false;
  /** The last frame is written. */
  private closing = false;
  private heardAt: Instant;
  private quietAt: Instant;

  /** On a stream that stands; it is this session's from now on. */
  constructor(
    context: ProxyContext,
    endpoint: Endpoint,
    group: Upstream | null,
    settings: UpstreamSettings,
    stream: Stream,
  ) {
    this.context = context;
    this.endpoint = endpoint;
    this.group = group;
    this.settings = settings;
    this.stream = stream;
    this.scheme = endpoint.tls === null ? "http" : "https";
    const clock = context.transport;
    this.heardAt = clock.now();
    this.quietAt = this.heardAt;
    this.deadline = new Deadline(this, clock);
    this.machine = new ClientSession({ sink: this, clock, limits }, this);
    stream.handler = this;
    context.observer.upstreamConnected(endpoint.upstream);
    this.working = true;
    this.machine.start();
    this.worked();
  }

  get transport(): Transport {
    return this.context.transport;
  }

  get tls(): TlsConnection | null {
    return securityOf(this.endpoint, this.stream);
  }

  get remote(): SocketAddress {
    return this.stream.remote;
  }

  get local(): SocketAddress {
    return this.stream.local;
  }

  // ---- requests ----------------------------------------------------------------------------------

  get room(): number {
    if (this.retired || this.closing || this.stream.closed) return 0;
    return this.machine.available - this.pending.length;
  }

  /** Requests are on it, and it lives. */
  get busy(): boolean {
    return this.active > 0 && !this.closing && !this.stream.closed;
  }

  /** Nothing is on it, and nothing will be unless it is asked. */
  get idle(): boolean {
    return this.active === 0;
  }

  /** A place for a request, while there is room. */
  join(exchange: Exchange, timeouts: UpstreamTimeouts, reused: boolean): UpstreamStream {
    const side = this.spares.pop() ?? new UpstreamStream(this);
    side.begin(exchange, timeouts, reused);
    this.active++;
    side.place = this.pending.push(side) - 1;
    return side;
  }

  /** Calls back when the server's SETTINGS have come. */
  awaitSettings(waiter: SettingsWaiter): void {
    this.waiters.push(waiter);
  }

  /** Waits no more. */
  forget(waiter: SettingsWaiter): void {
    this.waiters = this.waiters.filter((other) => other !== waiter);
  }

  /** A stream for a side that joined; null: there is none any more, of which the side hears soon. */
  openFor(side: UpstreamStream): H2Stream | null {
    this.leavePending(side);
    const { machine } = this;
    if (machine.openStreams === 0) this.heardAt = this.context.transport.now();
    const stream = this.retired || this.closing ? null : machine.open(side);
    if (stream === null) {
      this.refused.push(side);
      this.flushSoon();
    }
    return stream;
  }

  private leavePending(side: UpstreamStream): void {
    if (side.place < 0) return;
    const last = this.pending.pop()!;
    if (last !== side) {
      this.pending[side.place] = last;
      last.place = side.place;
    }
    side.place = -1;
  }

  /** A side's exchange is through with it. */
  release(side: UpstreamStream, reusable: boolean): void {
    this.leavePending(side);
    this.active--;
    if (reusable) {
      this.resting.push(side);
      this.flushSoon();
    }
    this.offer();
    if (this.active === 0 && this.machine.openStreams === 0) this.quiet();
  }

  /** There may be room for others. */
  private offer(): void {
    this.endpoint.sessions?.offer(this);
    this.group?.released(this.endpoint);
  }

  // ---- what the stream tells ---------------------------------------------------------------------

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.closing) return;
    this.heardAt = this.context.transport.now();
    this.working = true;
    this.machine.receive(buf, start, end);
    this.worked();
  }

  onWritable(): void {
    this.working = true;
    this.machine.onWritable();
    this.worked();
  }

  onEnd(): void {
    if (this.closing) return;
    this.giveUp(null);
    this.finish();
  }

  onClose(error: NetError | null): void {
    this.closing = true;
    this.deadline.dispose();
    this.giveUp(error);
    this.endpoint.sessions?.remove(this);
    this.endpoint.connectionClosed();
    this.context.observer.upstreamClosed(this.endpoint.upstream);
    this.group?.released(this.endpoint);
  }

  /** The machine's bytes, on their way to the transport. */
  write(buf: Uint8Array, start: number, end: number): boolean {
    const { stream } = this;
    return !stream.closed && !this.closing && stream.write(buf, start, end);
  }

  // ---- what the machine tells --------------------------------------------------------------------

  onAvailable(): void {
    if (!this.settled) {
      this.settled = true;
      const { waiters } = this;
      this.waiters = [];
      for (const waiter of waiters) waiter.settled(this);
    }
    this.offer();
  }

  onFailure(fault: H2Fault): void {
    this.giveUp(null);
    // Who does not answer does not read.
    if (fault === Faults.pingTimeout) this.stream.abort();
    else this.finish();
  }

  onQuiet(): void {
    if (this.active === 0) this.quiet();
  }

  // ---- for its streams ---------------------------------------------------------------------------

  /** Has what was commanded sent at the end of the turn. */
  flushSoon(): void {
    if (this.flushDue) return;
    this.flushDue = true;
    this.context.transport.atTurnEnd(this);
  }

  onTurnEnd(): void {
    this.flushDue = false;
    for (let side = this.refused.pop(); side !== undefined; side = this.refused.pop()) side.lost();
    for (let side = this.resting.pop(); side !== undefined; side = this.resting.pop()) {
      this.spares.push(side);
    }
    if (this.stream.closed) return;
    this.working = true;
    this.machine.flush();
    this.worked();
  }

  // ---- the end -----------------------------------------------------------------------------------

  retire(): void {
    if (this.retired || this.stream.closed) return;
    this.retired = true;
    this.machine.drain();
    if (this.active === 0 && this.machine.openStreams === 0) this.finish();
    else this.flushSoon();
  }

  /** Without requests: kept for others where that is allowed. */
  private quiet(): void {
    this.quietAt = this.context.transport.now();
    const { context, endpoint } = this;
    const unwanted = endpoint.retired || context.draining || !endpoint.mayIdle;
    if (this.retired || this.machine.finished) this.finish();
    else if (unwanted) this.retire();
    else if (!this.working) this.watch();
  }

  /** Whoever is on it hears that it is lost. */
  private giveUp(error: NetError | null): void {
    this.lost ??= error;
    this.machine.close();
    for (let side = this.pending.at(-1); side !== undefined; side = this.pending.at(-1)) {
      side.lost();
    }
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter.unsettled(error);
  }

  /** Closes when what is written has left. */
  private finish(): void {
    if (this.closing || this.stream.closed) return;
    if (this.working) {
      this.finishDue = true;
      return;
    }
    this.machine.flush();
    this.closing = true;
    this.endpoint.sessions?.remove(this);
    this.deadline.set(this.context.transport.now(), lastWords);
    this.stream.close();
  }

  // ---- deadlines ---------------------------------------------------------------------------------

  private worked(): void {
    this.working = false;
    if (this.finishDue) this.finish();
    if (!this.closing && !this.stream.closed) this.watch();
  }

  private watch(): void {
    const at = Math.min(this.dueAt(), this.machine.nextTimeout());
    if (at === never) this.deadline.clear();
    else this.deadline.set(at as Instant, now);
  }

  private dueAt(): number {
    if (this.machine.openStreams > 0) return after(this.heardAt, silence);
    if (this.active > 0) return never;
    return after(this.quietAt, this.settings.timeouts.idle);
  }

  onDeadline(at: Instant): void {
    if (this.closing) return this.stream.abort();
    this.working = true;
    if (this.machine.nextTimeout() <= at) this.machine.handleTimeout();
    if (!this.finishDue && !this.stream.closed && this.dueAt() <= at) {
      if (this.machine.openStreams > 0) {
        this.heardAt = at;
        this.machine.ping();
      } else this.retire();
    }
    this.machine.flush();
    this.worked();
  }
}
