import { createHash } from "node:crypto";
import { bytesOf } from "../../core/bytes.ts";
import { after, type Clock, type Duration, seconds } from "../../core/time.ts";
import type { Stream, StreamHandler, Timer, Timers, TimerTarget } from "../../core/transport.ts";
import { BodyWriter } from "../../http/h1/body-writer.ts";
import type { H1Limits } from "../../http/h1/limits.ts";
import { RequestReceiver } from "../../http/h1/request-receiver.ts";
import { RequestHead, ResponseHead } from "../../http/head.ts";
import { CHARGEN_BLOCK } from "./chargen.ts";
import { type Service, ServiceConnection, ServiceCounters } from "./service.ts";

const LIMITS: H1Limits = {
  requestLine: 8_192,
  head: 32_768,
  fields: 100,
  body: Number.POSITIVE_INFINITY,
};
/** The longest body of `/bytes/N`: 1 TiB. */
const MOST_BYTES = 2 ** 40;
const CONTINUE = bytesOf("HTTP/1.1 100 Continue\r\n\r\n");

/** For a request to begin, for all of its head, for more of its body, and for the peer to end at last. */
const PATIENCE = seconds(30);
/** For more of an answer to be taken. */
const SLOWEST = seconds(300);

/** What the page shows, made anew for each request. */
export interface StatusSource {
  html(): string;
  json(): string;
}

/**
 * A small HTTP/1.1 server straight on a transport: `/` shows the host, `/status.json` the same as data,
 * `/bytes/N` sends N bytes, and a PUT or POST to `/sum` tells length and SHA-256 of its body. Who asks
 * nothing for half a minute is let go, who stops within a request gets a 408.
 */
export class HttpService implements Service {
  readonly name = "http";
  readonly counters = new ServiceCounters();
  readonly #status: StatusSource;
  readonly #timers: Timers & Clock;

  constructor(status: StatusSource, timers: Timers & Clock) {
    this.#status = status;
    this.#timers = timers;
  }

  accept(stream: Stream): StreamHandler {
    return new HttpConnection(stream, this.counters, this.#status, this.#timers);
  }

  datagrams(): null {
    return null;
  }
}

/** What may be done with a path; null: there is none. */
function methodsOf(path: string): readonly string[] | null {
  if (path === "/sum") return ["PUT", "POST"];
  const readable = path === "/" || path === "/status.json" || downloadOf(path) !== null;
  return readable ? ["GET", "HEAD"] : null;
}

/** The length in `/bytes/N`, or null. */
function downloadOf(path: string): number | null {
  const digits = /^\/bytes\/(\d{1,13})$/.exec(path)?.[1];
  return digits === undefined ? null : Math.min(Number(digits), MOST_BYTES);
}

class HttpConnection extends ServiceConnection implements TimerTarget {
  readonly #status: StatusSource;
  readonly #receiver = new RequestReceiver(LIMITS);
  readonly #request = new RequestHead();
  readonly #response = new ResponseHead();
  readonly #body = new BodyWriter();
  #sum = createHash("sha256");
  #length = 0;
  /** Bytes of `/bytes/N` that are still to be written. */
  #left = 0;
  /** There is no request after the one that is being answered. */
  #ended = false;
  #finished = false;
  #phase: "idle" | "head" | "body" = "idle";
  readonly #clock: Clock;
  readonly #timer: Timer;

  constructor(
    stream: Stream,
    counters: ServiceCounters,
    status: StatusSource,
    timers: Timers & Clock,
  ) {
    super(stream, counters);
    this.#status = status;
    this.#clock = timers;
    this.#timer = timers.schedule(this, after(timers.now(), PATIENCE));
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.counters.bytesIn += end - start;
    const receiver = this.#receiver;
    if (this.#phase === "idle") this.#enter("head");
    else if (this.#phase === "body") this.#wait(PATIENCE);
    for (let at = start; !this.#finished && !this.stream.closed; at = receiver.pos) {
      switch (receiver.receive(buf, at, end, this.#request)) {
        case "head":
          this.#enter("body");
          this.#begin();
          break;
        case "data":
          this.#length += receiver.dataEnd - receiver.dataStart;
          if (this.#isSum) this.#sum.update(buf.subarray(receiver.dataStart, receiver.dataEnd));
          break;
        case "end":
          this.#answer();
          // What is pipelined behind a download would have to be kept: such a client is cut off.
          if (this.#left > 0 && receiver.pos < end) return this.stream.abort();
          receiver.next();
          if (this.#ended) return;
          if (this.#left === 0) this.#enter(receiver.pos < end ? "head" : "idle");
          break;
        case "error":
          this.#fail(receiver.error?.status ?? 400, receiver.error?.message ?? "bad request");
          return;
        default:
          return;
      }
    }
  }

  /** The rest of a download. */
  override onWritable(): void {
    if (this.#left > 0) this.#wait(SLOWEST);
    while (this.#left > 0 && !this.stream.closed) {
      const length = Math.min(this.#left, CHARGEN_BLOCK.length);
      this.#left -= length;
      this.counters.bytesOut += length;
      if (this.#body.data(this.stream, CHARGEN_BLOCK, 0, length)) break;
    }
    if (this.#left > 0 || this.stream.closed) return;
    this.stream.resume();
    if (this.#ended) this.#finish();
    else this.#enter("idle");
  }

  override onClose(): void {
    this.#timer.cancel();
    super.onClose();
  }

  onTimer(): void {
    if (this.stream.closed) return;
    if (this.#left > 0 || this.#finished) this.stream.abort();
    else if (this.#phase === "idle") this.#finish();
    else this.#fail(408, "the request did not come in time");
  }

  override onEnd(): void {
    this.#ended = true;
    if (this.#left === 0) this.#finish();
  }

  get #isSum(): boolean {
    return this.#request.path === "/sum";
  }

  #enter(phase: "idle" | "head" | "body"): void {
    this.#phase = phase;
    if (!this.#finished) this.#wait(PATIENCE);
  }

  #wait(patience: Duration): void {
    this.#timer.reschedule(after(this.#clock.now(), patience));
  }

  #begin(): void {
    this.#length = 0;
    if (this.#isSum) this.#sum = createHash("sha256");
    if (this.#request.expectContinue) this.stream.write(CONTINUE, 0, CONTINUE.length);
  }

  #answer(): void {
    const { path, method } = this.#request;
    const allowed = methodsOf(path);
    if (allowed === null) return this.#send(404, "text/plain", `no ${path} here; try /\n`);
    if (!allowed.includes(method)) {
      const allow = allowed.join(", ");
      return this.#send(405, "text/plain", `${path} is for ${allow}\n`, allow);
    }
    if (this.#isSum) {
      const sum = this.#sum.digest("hex");
      return this.#send(200, "application/json", `{"length":${this.#length},"sha256":"${sum}"}\n`);
    }
    if (path === "/status.json") return this.#send(200, "application/json", this.#status.json());
    const length = downloadOf(path);
    if (length !== null) return this.#download(length);
    this.#send(200, "text/html; charset=utf-8", this.#status.html());
  }

  #send(status: number, type: string, text: string, allow?: string): void {
    const bytes = Buffer.from(text);
    this.#head(status, type, bytes.length, allow);
    if (this.#request.method !== "HEAD") {
      this.#body.data(this.stream, bytes, 0, bytes.length);
      this.counters.bytesOut += bytes.length;
    }
    if (!this.#request.keepAlive) this.#finish();
  }

  /** Nothing more is read until it is written: the next answer comes after it. */
  #download(length: number): void {
    this.#head(200, "application/octet-stream", length);
    this.#ended = !this.#request.keepAlive;
    if (this.#request.method === "HEAD") {
      if (this.#ended) this.#finish();
      return;
    }
    this.#left = length;
    this.stream.pause();
    this.onWritable();
  }

  #head(status: number, type: string, length: number, allow?: string): void {
    const head = this.#response;
    head.clear();
    head.status = status;
    head.headers.set("Server", "millrace");
    head.headers.set("Content-Type", type);
    head.headers.set("Content-Length", String(length));
    if (allow !== undefined) head.headers.set("Allow", allow);
    if (!this.#request.keepAlive) head.headers.set("Connection", "close");
    head.writeTo(this.stream);
    this.#body.begin("length", length);
  }

  #fail(status: number, why: string): void {
    this.#request.keepAlive = false;
    this.#send(status, "text/plain", `${why}\n`);
  }

  /** Nothing is sent after this, and nothing more read as a request. */
  #finish(): void {
    this.#ended = true;
    if (this.#finished) return;
    this.#finished = true;
    this.#wait(PATIENCE);
    this.stream.end();
  }
}
