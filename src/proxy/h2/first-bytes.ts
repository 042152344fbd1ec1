import { bytesOf } from "../../core/bytes.ts";
import type { NetError } from "../../core/errors.ts";
import type { Clock, Instant } from "../../core/time.ts";
import type { Stream, StreamHandler, Timers } from "../../core/transport.ts";
import { PREFACE } from "../../http/h2/frame-type.ts";
import { Deadline, type DeadlineOwner } from "../deadline.ts";
import type { DownstreamConnection } from "../h1/downstream-connection.ts";
import type { ProxyListener } from "../server.ts";

const preface = bytesOf(PREFACE);

/**
 * Looks at what a client in plain sends first: the preface of HTTP/2 (prior knowledge, RFC 9113 §3.3),
 * or else HTTP/1.1, for which the connection stands ready. Then it is out of the way. The preface may take
 * as long as a head, counted from its first byte; who takes longer is cut.
 */
export class FirstBytes implements StreamHandler, DeadlineOwner {
  private readonly listener: ProxyListener;
  private readonly stream: Stream;
  private readonly connection: DownstreamConnection;
  private readonly clock: Clock & Timers;
  /** Bytes that came and are the beginning of the preface: what they are is known. */
  private matched = 0;
  /** For the rest of the preface; null until a part of it came alone. */
  private deadline: Deadline | null = null;

  constructor(
    listener: ProxyListener,
    stream: Stream,
    connection: DownstreamConnection,
    clock: Clock & Timers,
  ) {
    this.listener = listener;
    this.stream = stream;
    this.connection = connection;
    this.clock = clock;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    const before = this.matched;
    let at = start;
    while (at < end && this.matched < preface.length && buf[at] === preface[this.matched]) {
      at++;
      this.matched++;
    }
    if (this.matched === preface.length) this.takeUp(this.http2(), before, buf, start, end);
    else if (at < end) this.takeUp(this.http1(), before, buf, start, end);
    else if (this.deadline === null && this.matched > 0) this.awaitRest();
  }

  private awaitRest(): void {
    this.deadline = new Deadline(this, this.clock);
    this.deadline.set(this.clock.now(), this.listener.settings.timeouts.head);
  }

  onDeadline(_now: Instant): void {
    this.stream.abort();
  }

  private takeUp(
    owner: StreamHandler,
    before: number,
    buf: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.stream.handler = owner;
    this.deadline?.dispose();
    if (before > 0) owner.onData(preface, 0, before);
    if (!this.stream.closed) owner.onData(buf, start, end);
  }

  private http1(): StreamHandler {
    return this.connection;
  }

  private http2(): StreamHandler {
    this.connection.giveUp();
    return this.listener.http2(this.stream, null, this.connection);
  }

  onWritable(): void {
    this.connection.onWritable();
  }

  onEnd(): void {
    this.deadline?.dispose();
    this.stream.handler = this.connection;
    if (this.matched > 0) this.connection.onData(preface, 0, this.matched);
    if (!this.stream.closed) this.connection.onEnd();
  }

  onClose(error: NetError | null): void {
    this.deadline?.dispose();
    this.connection.onClose(error);
  }
}
