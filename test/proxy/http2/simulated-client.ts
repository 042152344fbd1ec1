import { allocBytes, bytesOf, latin1 } from "../../../src/core/bytes.ts";
import type { NetError } from "../../../src/core/errors.ts";
import type { ConnectHandler, Stream, Transport } from "../../../src/core/transport.ts";
import type { Fields } from "../../../src/http/fields.ts";
import { ClientSession } from "../../../src/http/h2/client-session.ts";
import { H2Code } from "../../../src/http/h2/error-code.ts";
import { DEFAULT_LIMITS, type H2Limits } from "../../../src/http/h2/limits.ts";
import type { ClientOwner, ResponseOwner, StreamReset } from "../../../src/http/h2/owner.ts";
import type { H2Stream } from "../../../src/http/h2/stream.ts";
import { RequestHead, ResponseHead } from "../../../src/http/head.ts";
import { proxyAddress } from "../simulated.ts";

export interface PlannedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Announced by Content-Length. */
  readonly announced: boolean;
  /** Resets the stream when so many octets of the answer have come; null: reads it to its end. */
  readonly resetAfter: number | null;
}

/** A client of HTTP/2 in virtual time, which asks all it has to ask as the server lets it. */
export class SimulatedH2Client implements ConnectHandler, ClientOwner {
  readonly answers: SimulatedAnswer[] = [];
  readonly session: ClientSession;
  readonly stream: Stream;
  private readonly waiting: PlannedRequest[] = [];
  private closed = false;

  constructor(transport: Transport, limits: Partial<H2Limits>) {
    this.stream = transport.connect(proxyAddress, {}, this);
    const options = { sink: this.stream, clock: transport };
    this.session = new ClientSession(
      { ...options, limits: { ...DEFAULT_LIMITS, ...limits } },
      this,
    );
  }

  ask(...requests: readonly PlannedRequest[]): void {
    this.waiting.push(...requests);
    this.openStreams();
  }

  askAgain(answer: SimulatedAnswer): void {
    this.answers.splice(this.answers.indexOf(answer), 1);
    this.waiting.push(answer.request);
  }

  /** Everything was asked and has its end. */
  get done(): boolean {
    const all = this.waiting.length === 0 && this.answers.every(({ over }) => over);
    return this.closed || all;
  }

  private openStreams(): void {
    if (this.closed) return;
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const answer = new SimulatedAnswer(this, next);
      const stream = this.session.open(answer);
      if (stream === null) break;
      this.waiting.shift();
      this.answers.push(answer);
      answer.send(stream);
    }
    this.session.flush();
  }

  onConnect(): void {
    this.session.start();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.session.receive(buf, start, end);
    this.openStreams();
  }

  onWritable(): void {
    this.session.onWritable();
  }

  onEnd(): void {
    this.stream.end();
  }

  onClose(_error: NetError | null): void {
    this.closed = true;
    this.session.close();
  }

  onAvailable(): void {
    this.openStreams();
  }

  onFailure(): void {
    this.stream.close();
  }

  onQuiet(): void {}
}

/** One request with its answer. */
export class SimulatedAnswer implements ResponseOwner {
  readonly responseHead = new ResponseHead();
  readonly request: PlannedRequest;
  status = 0;
  body = "";
  trailers = "";
  ended = false;
  reset: StreamReset | null = null;
  private readonly client: SimulatedH2Client;
  private stream!: H2Stream;
  private rest: Uint8Array = allocBytes(0);
  private sent = 0;
  private left = false;

  constructor(client: SimulatedH2Client, request: PlannedRequest) {
    this.client = client;
    this.request = request;
  }

  get over(): boolean {
    return this.ended || this.left || this.reset !== null;
  }

  send(stream: H2Stream): void {
    this.stream = stream;
    const { method, path, body, announced } = this.request;
    const head = new RequestHead();
    head.method = method;
    head.target = path;
    head.fields.append("host", "h");
    if (announced) head.fields.append("content-length", String(body.length));
    const framing = body === "" && !announced ? "none" : announced ? "length" : "chunked";
    this.client.session.sendRequest(stream, head, "http", framing, body.length);
    if (framing === "none") return;
    this.rest = bytesOf(body);
    this.goOn();
  }

  private goOn(): void {
    const { session } = this.client;
    const { length } = this.rest;
    while (this.sent < length) {
      const to = Math.min(length, this.sent + 5_000);
      const full = session.sendData(this.stream, this.rest, this.sent, to);
      this.sent = to;
      if (full) return;
    }
    session.sendEnd(this.stream, null);
  }

  onHead(ended: boolean): void {
    const { status } = this.responseHead;
    if (status < 200) return;
    this.status = status;
    this.ended = ended;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.body += latin1(buf, start, end);
    const { session } = this.client;
    const { resetAfter } = this.request;
    if (resetAfter !== null && this.body.length >= resetAfter) {
      this.left = true;
      session.reset(this.stream, H2Code.cancel);
      return;
    }
    session.consumed(this.stream, end - start);
  }

  onEnd(trailers: Fields | null): void {
    this.ended = true;
    if (trailers !== null) this.trailers = [...trailers].map((pair) => pair.join(": ")).join("|");
  }

  onWritable(): void {
    this.goOn();
    this.client.session.flush();
  }

  onReset(reset: StreamReset): void {
    this.reset = reset;
    // Before it knows the server's SETTINGS a client may ask for too much.
    if (reset.unprocessed) this.client.askAgain(this);
  }
}
