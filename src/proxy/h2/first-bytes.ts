import { bytesOf } from "../../core/bytes.ts";
import type { NetError } from "../../core/errors.ts";
import type { Stream, StreamHandler } from "../../core/transport.ts";
import { PREFACE } from "../../http/h2/frame-type.ts";
import type { DownstreamConnection } from "../h1/downstream-connection.ts";
import type { ProxyListener } from "../server.ts";

const preface = bytesOf(PREFACE);

/**
 * Looks at what a client in plain sends first: the preface of HTTP/2 (prior knowledge, RFC 9113 §3.3),
 * or else HTTP/1.1, for which the connection stands ready. Then it is out of the way.
 */
export class FirstBytes implements StreamHandler {
  private readonly listener: ProxyListener;
  private readonly stream: Stream;
  private readonly connection: DownstreamConnection;
  /** Bytes that came and are the beginning of the preface: what they are is known. */
  private matched = 0;

  constructor(listener: ProxyListener, stream: Stream, connection: DownstreamConnection) {
    this.listener = listener;
    this.stream = stream;
    this.connection = connection;
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
  }

  private takeUp(
    owner: StreamHandler,
    before: number,
    buf: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.stream.handler = owner;
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
    this.stream.handler = this.connection;
    if (this.matched > 0) this.connection.onData(preface, 0, this.matched);
    if (!this.stream.closed) this.connection.onEnd();
  }

  onClose(error: NetError | null): void {
    this.connection.onClose(error);
  }
}
