import { NetError } from "../core/errors.ts";
import type { Clock, Duration, Instant } from "../core/time.ts";
import type { Stream, StreamHandler, Timers } from "../core/transport.ts";
import { Deadline } from "./deadline.ts";
import type { DetachedStream } from "./sides.ts";

/** Bytes that a finished tunnel carried, and what ended it. */
export interface TunnelEnd {
  readonly fromClient: number;
  readonly fromUpstream: number;
  readonly error: NetError | null;
}

/**
 * Two streams joined as bytes (Upgrade, CONNECT): backpressure and half-close cross in both
 * directions; when both ended, or either broke, the other closes. Idle for `timeout`: both are cut.
 */
export class Tunnel {
  private readonly client: TunnelSide;
  private readonly upstream: TunnelSide;
  private readonly deadline: Deadline;
  private readonly onEnd: (end: TunnelEnd) => void;
  private readonly clock: Clock;
  private readonly timeout: Duration;
  private open = 2;
  private error: NetError | null = null;

  constructor(
    client: DetachedStream,
    upstream: DetachedStream,
    clock: Clock & Timers,
    timeout: Duration,
    onEnd: (end: TunnelEnd) => void,
  ) {
    this.onEnd = onEnd;
    this.clock = clock;
    this.timeout = timeout;
    this.deadline = new Deadline(this, clock);
    this.client = new TunnelSide(this, client.stream, upstream.stream);
    this.upstream = new TunnelSide(this, upstream.stream, client.stream);
    client.stream.handler = this.client;
    upstream.stream.handler = this.upstream;
    this.touch();
    // First this, for what follows may be so much that it pauses them again.
    client.stream.resume();
    upstream.stream.resume();
    this.client.takeUp(client);
    this.upstream.takeUp(upstream);
  }

  /** Cuts both sides. */
  abort(): void {
    this.client.stream.abort();
    this.upstream.stream.abort();
  }

  touch(): void {
    this.deadline.set(this.clock.now(), this.timeout);
  }

  closed(error: NetError | null): void {
    this.error ??= error;
    this.open--;
    if (this.open > 0) return;
    this.deadline.dispose();
    this.onEnd({
      fromClient: this.client.bytes,
      fromUpstream: this.upstream.bytes,
      error: this.error,
    });
  }

  onDeadline(_now: Instant): void {
    this.error ??= new NetError("BETWEEN_BYTES_TIMEOUT", "nothing moved in the tunnel", {
      source: "internal",
    });
    this.abort();
  }
}

class TunnelSide implements StreamHandler {
  readonly stream: Stream;
  bytes = 0;
  private readonly tunnel: Tunnel;
  private readonly other: Stream;

  constructor(tunnel: Tunnel, stream: Stream, other: Stream) {
    this.tunnel = tunnel;
    this.stream = stream;
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
    if (this.other.write(buf, start, end)) this.stream.pause();
  }

  onWritable(): void {
    this.tunnel.touch();
    this.other.resume();
  }

  onEnd(): void {
    this.other.end();
  }

  onClose(error: NetError | null): void {
    // A clean close after both FINs leaves the other side to finish by itself; a break does not.
    if (error !== null) this.other.abort();
    this.tunnel.closed(error);
  }
}
