import { NetError } from "../core/errors.ts";
import { type Clock, type Duration, type Instant, seconds } from "../core/time.ts";
import type { Stream, StreamHandler, Timers } from "../core/transport.ts";
import { Deadline } from "./deadline.ts";
import type { DetachedStream } from "./sides.ts";

/** What a tunnel was opened as: by Upgrade (or extended CONNECT) to WebSocket, to something else, by CONNECT,
 * or as TLS that is passed through. */
export type TunnelKind = "websocket" | "upgrade" | "connect" | "passthrough";

/** Bytes that a finished tunnel carried, and what ended it. */
export interface TunnelEnd {
  readonly fromClient: number;
  readonly fromUpstream: number;
  readonly error: NetError | null;
}

export interface TunnelOptions {
  readonly client: DetachedStream;
  readonly upstream: DetachedStream;
  readonly clock: Clock & Timers;
  /** Idle for so long: it ends. */
  readonly timeout: Duration;
  /** What carries the bytes of one direction. */
  readonly side: (stream: Stream, from: "client" | "upstream") => TunnelSide;
  readonly onEnd: (end: TunnelEnd, tunnel: Tunnel) => void;
}

/** What a tunnel is left with: a code of RFC 6455 §7.4, WebSocket being the one protocol that has it. */
export interface Goodbye {
  readonly code: number;
  /** ASCII. */
  readonly reason: string;
}

export const goingAway: Goodbye = { code: 1001, reason: "" };

/** A fault of ours. */
export const brokenDown: Goodbye = { code: 1011, reason: "" };

/** How long those at both ends may take to answer a goodbye, or to close after theirs, before they are cut. */
const goodbyeTime = seconds(5);

/**
 * Two streams joined (Upgrade, CONNECT): backpressure and half-close cross in both directions; when both
 * ended, or either broke, the other closes. Where its protocol has a goodbye, `leave` says it.
 */
export class Tunnel {
  private readonly client: TunnelSide;
  private readonly upstream: TunnelSide;
  private readonly deadline: Deadline;
  private readonly onEnd: TunnelOptions["onEnd"];
  private readonly clock: Clock;
  private readonly timeout: Duration;
  private open = 2;
  private leaving = false;
  /** 1 once an end has said goodbye of itself and the other is to answer, 2 once both are to close. */
  private ending: 0 | 1 | 2 = 0;
  private error: NetError | null = null;

  constructor({ client, upstream, clock, timeout, side, onEnd }: TunnelOptions) {
    this.onEnd = onEnd;
    this.clock = clock;
    this.timeout = timeout;
    this.deadline = new Deadline(this, clock);
    this.client = side(client.stream, "client");
    this.upstream = side(upstream.stream, "upstream");
    this.client.join(this, this.upstream);
    this.upstream.join(this, this.client);
    client.stream.handler = this.client;
    upstream.stream.handler = this.upstream;
    this.touch();
    // First this, for what follows may be so much that it pauses them again.
    client.stream.resume();
    upstream.stream.resume();
    this.client.takeUp(client);
    this.upstream.takeUp(upstream);
  }

  get over(): boolean {
    return this.open === 0;
  }

  /** Cuts both sides. */
  abort(): void {
    this.client.stream.abort();
    this.upstream.stream.abort();
  }

  /**
   * Says goodbye to both sides as soon as that is possible, and closes each when it has answered; those
   * that take too long are cut. Nothing where the protocol has no goodbye; false then.
   */
  leave(toClient: Goodbye, toUpstream: Goodbye, error: NetError | null): boolean {
    if (!this.client.polite) return false;
    this.error ??= error;
    if (this.leaving || this.over) return true;
    this.leaving = true;
    this.deadline.set(this.clock.now(), goodbyeTime);
    this.client.leave(toUpstream);
    this.upstream.leave(toClient);
    this.settle();
    return true;
  }

  /** It cannot go on: a goodbye where there is a way to say it, and both sides are cut where not. */
  fail(goodbye: Goodbye, error: NetError): void {
    if (this.leave(goodbye, goodbye, error)) return;
    this.error ??= error;
    this.abort();
  }

  touch(): void {
    if (!this.leaving && this.ending === 0) this.deadline.set(this.clock.now(), this.timeout);
  }

  /** A goodbye was said or answered: a side that has heard and said it needs its stream no more. */
  settle(): void {
    if (!this.leaving) return this.expectEnd();
    if (this.client.finished && this.upstream.told) this.client.stream.close();
    if (this.upstream.finished && this.client.told) this.upstream.stream.close();
  }

  private expectEnd(): void {
    const { client, upstream } = this;
    if (!client.polite) return;
    const both = client.finished && upstream.finished;
    const reached = both ? 2 : client.closing || upstream.closing ? 1 : 0;
    if (reached <= this.ending) return;
    this.ending = reached;
    this.deadline.set(this.clock.now(), goodbyeTime);
  }

  closed(error: NetError | null): void {
    this.error ??= error;
    this.open--;
    if (this.open > 0) return;
    this.deadline.dispose();
    const { client, error: cause, upstream } = this;
    const end = { fromClient: client.bytes, fromUpstream: upstream.bytes, error: cause };
    this.onEnd(end, this);
  }

  onDeadline(_now: Instant): void {
    if (this.leaving || this.ending > 0) return this.cut();
    const error = new NetError("BETWEEN_BYTES_TIMEOUT", "nothing moved in the tunnel", {
      source: "internal",
    });
    this.fail({ ...goingAway, reason: "idle" }, error);
  }

  /** The time for goodbyes is over. */
  private cut(): void {
    for (const { stream } of [this.client, this.upstream]) {
      if (stream.queued > 0) stream.abort();
      else stream.close();
    }
  }
}

/** Why a side's stream is paused; it flows when no reason is left. */
export const OtherFull = 1;
export const HookBusy = 2;

/** One direction of a tunnel: reads from `stream`, writes to that of the other side. */
export class TunnelSide implements StreamHandler {
  readonly stream: Stream;
  /** Bytes that came. */
  bytes = 0;
  /** Whether `leave` does something. */
  readonly polite: boolean = false;
  /** Whoever sends here has said its goodbye. */
  closing = false;
  /** The same, or it ended. */
  finished = false;
  /** The other side's peer has heard a goodbye, ours or the one that it was sent. */
  told = false;
  protected tunnel!: Tunnel;
  protected other!: TunnelSide;
  protected holds = 0;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  join(tunnel: Tunnel, other: TunnelSide): void {
    this.tunnel = tunnel;
    this.other = other;
  }

  /** What had come before the tunnel stood. */
  takeUp({ rest, ended }: DetachedStream): void {
    if (rest !== null && rest.length > 0) this.onData(rest, 0, rest.length);
    if (ended) this.onEnd();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    this.tunnel.touch();
    this.forward(buf, start, end);
  }

  protected forward(buf: Uint8Array, start: number, end: number): void {
    if (this.other.stream.write(buf, start, end)) this.hold(OtherFull);
  }

  /** Says goodbye to the other side. */
  leave(_goodbye: Goodbye): void {}

  protected hold(reason: number): void {
    if (this.holds === 0) this.stream.pause();
    this.holds |= reason;
  }

  protected release(reason: number): void {
    if ((this.holds & reason) === 0) return;
    this.holds &= ~reason;
    if (this.holds === 0) this.flow();
  }

  /** No reason is left to wait. */
  protected flow(): void {
    this.stream.resume();
  }

  onWritable(): void {
    this.tunnel.touch();
    this.other.release(OtherFull);
  }

  onEnd(): void {
    this.finished = true;
    // Nothing can be said to it any more.
    this.told = true;
    this.other.stream.end();
    this.tunnel.settle();
  }

  onClose(error: NetError | null): void {
    this.finished = true;
    this.told = true;
    // A clean close after both FINs leaves the other side to finish by itself; a break does not.
    if (error !== null) this.other.stream.abort();
    this.tunnel.closed(error);
  }
}
