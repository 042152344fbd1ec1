import { allocBytes, bytesOf, latin1 } from "../../../src/core/bytes.ts";
import type { Stream, StreamHandler, Transport } from "../../../src/core/transport.ts";
import { Fields } from "../../../src/http/fields.ts";
import { DEFAULT_LIMITS, type H2Limits } from "../../../src/http/h2/limits.ts";
import type { RequestOwner, ServerOwner } from "../../../src/http/h2/owner.ts";
import { ServerSession } from "../../../src/http/h2/server-session.ts";
import type { H2Stream } from "../../../src/http/h2/stream.ts";
import { RequestHead, ResponseHead } from "../../../src/http/head.ts";

export interface PlannedAnswer {
  readonly status?: number;
  readonly body?: string;
  /** Announces the body's length. */
  readonly announced?: boolean;
  readonly trailer?: string;
}

export interface OriginBehaviour {
  /** A request has come whole. */
  readonly serve: (request: OriginRequest) => void;
  /** Its head has come; false refuses it. */
  readonly admit?: (count: number) => boolean;
  readonly limits?: Partial<H2Limits>;
}

/** The origin's side of an HTTP/2 connection in virtual time. */
export class SimulatedH2Origin implements StreamHandler, ServerOwner {
  readonly requests: OriginRequest[] = [];
  readonly session: ServerSession;
  readonly stream: Stream;
  readonly transport: Transport;
  private readonly behaviour: OriginBehaviour;
  private count = 0;

  constructor(stream: Stream, transport: Transport, behaviour: OriginBehaviour) {
    this.stream = stream;
    this.transport = transport;
    this.behaviour = behaviour;
    const limits = { ...DEFAULT_LIMITS, ...behaviour.limits };
    this.session = new ServerSession({ sink: stream, clock: transport, limits }, this);
    this.session.start();
  }

  onRequest(stream: H2Stream): RequestOwner | null {
    if (this.behaviour.admit?.(++this.count) === false) return null;
    const request = new OriginRequest(this, stream, this.behaviour.serve);
    this.requests.push(request);
    return request;
  }

  /** GOAWAY as it stands: `last` is the highest stream that was looked at. */
  goAway(last: number, code = 0): void {
    const frame = new DataView(new ArrayBuffer(17));
    frame.setUint8(2, 8);
    frame.setUint8(3, 7);
    frame.setUint32(9, last);
    frame.setUint32(13, code);
    this.stream.write(new Uint8Array(frame.buffer), 0, 17);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.session.receive(buf, start, end);
  }

  onWritable(): void {
    this.session.onWritable();
  }

  onEnd(): void {
    this.session.close();
    this.stream.end();
  }

  onClose(): void {
    this.session.close();
  }

  onFailure(): void {
    this.stream.close();
  }

  onQuiet(): void {}
}

export class OriginRequest implements RequestOwner {
  readonly request = new RequestHead();
  readonly origin: SimulatedH2Origin;
  readonly stream: H2Stream;
  body = "";
  /** The code of a reset that came. */
  reset: number | null = null;
  private readonly serve: (request: OriginRequest) => void;
  private rest: Uint8Array = allocBytes(0);
  private sent = 0;
  private trailers: Fields | null = null;
  private answering = false;

  constructor(
    origin: SimulatedH2Origin,
    stream: H2Stream,
    serve: (request: OriginRequest) => void,
  ) {
    this.origin = origin;
    this.stream = stream;
    this.serve = serve;
  }

  onHead(ended: boolean): void {
    if (ended) this.serve(this);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.body += latin1(buf, start, end);
    this.origin.session.consumed(this.stream, end - start);
  }

  onEnd(): void {
    this.serve(this);
  }

  onWritable(): void {
    this.push();
  }

  onMalformed(): void {
    throw new Error("a malformed request");
  }

  onReset({ code }: { readonly code: number }): void {
    this.reset = code;
  }

  head(status: number, body: number | null): void {
    const head = new ResponseHead();
    head.status = status;
    if (body !== null) head.fields.append("Content-Length", String(body));
    const framing = status < 200 ? "none" : body === null ? "chunked" : "length";
    if (status < 200) this.origin.session.sendInformational(this.stream, head);
    else this.origin.session.sendHead(this.stream, head, framing, body ?? -1);
    this.origin.session.flush();
  }

  answer({ status = 200, body = "", announced = false, trailer }: PlannedAnswer = {}): void {
    this.head(status, announced ? body.length : null);
    this.rest = bytesOf(body);
    if (trailer !== undefined) {
      this.trailers = new Fields();
      this.trailers.append("X-Trailer", trailer);
    }
    this.answering = true;
    this.push();
  }

  /** Content alone, without an end. */
  send(text: string): void {
    const bytes = bytesOf(text);
    this.origin.session.sendData(this.stream, bytes, 0, bytes.length);
    this.origin.session.flush();
  }

  cancel(code: number): void {
    this.origin.session.reset(this.stream, code);
    this.origin.session.flush();
  }

  private push(): void {
    if (!this.answering) return;
    const { session } = this.origin;
    while (this.sent < this.rest.length) {
      const end = Math.min(this.rest.length, this.sent + 5_000);
      const full = session.sendData(this.stream, this.rest, this.sent, end);
      this.sent = end;
      if (full) return session.flush();
    }
    this.answering = false;
    session.sendEnd(this.stream, this.trailers);
    session.flush();
  }
}
