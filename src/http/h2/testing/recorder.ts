import { allocBytes, copyBytes, latin1 } from "../../../core/bytes.ts";
import type { Clock, Instant } from "../../../core/time.ts";
import type { ByteSink } from "../../../core/transport.ts";
import type { Fields } from "../../fields.ts";
import { RequestHead } from "../../request-head.ts";
import { ResponseHead } from "../../response-head.ts";
import type { H2Fault } from "../fault.ts";
import type {
  ClientOwner,
  RequestOwner,
  ResponseOwner,
  ServerOwner,
  StreamReset,
} from "../owner.ts";
import type { H2Stream } from "../stream.ts";

export class VirtualClock implements Clock {
  at = 1_000_000;

  now(): Instant {
    return this.at as Instant;
  }

  advance(microseconds: number): void {
    this.at += microseconds;
  }
}

/** Keeps what is written, and says that it is full when told to. */
export class BufferSink implements ByteSink {
  full = false;
  #pieces: Uint8Array[] = [];

  write(buf: Uint8Array, start: number, end: number): boolean {
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.#pieces.push(piece);
    return this.full;
  }

  /** Everything written since the last call. */
  take(): Uint8Array {
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    return all;
  }
}

const fieldsOf = (fields: Fields): string =>
  [...fields].map(([name, value]) => `${name}: ${value}`).join("|");

/** Writes down what the owner of a stream hears; content is joined. */
export class StreamLog implements RequestOwner, ResponseOwner {
  readonly request = new RequestHead();
  readonly responseHead = new ResponseHead();
  events: string[] = [];
  body = "";
  ended = false;
  reset: StreamReset | null = null;
  malformed: H2Fault | null = null;
  writable = 0;
  /** Octets of content that were not consumed. */
  held = 0;
  stream: H2Stream | null = null;
  onHeard: ((what: string) => void) | null = null;
  readonly #server: boolean;

  constructor(server: boolean) {
    this.#server = server;
  }

  onHead(ended: boolean): void {
    this.#alive();
    const head = this.#server ? this.request : this.responseHead;
    const first = this.#server
      ? `${this.request.method} ${this.request.target}`
      : String(this.responseHead.status);
    const framing = head.framing === "length" ? `length ${head.contentLength}` : head.framing;
    this.#heard(`head ${first} [${fieldsOf(head.fields)}] ${framing}`);
    if (ended) {
      this.ended = true;
      this.#heard("end");
    }
  }

  onMalformed(fault: H2Fault): void {
    this.#alive();
    this.malformed = fault;
    this.#heard(`malformed ${fault.reason}`);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.#alive();
    if (end <= start) throw new Error("empty data");
    this.body += latin1(buf, start, end);
    this.held += end - start;
    this.onHeard?.("data");
  }

  onEnd(trailers: Fields | null): void {
    this.#alive();
    this.ended = true;
    this.#heard(trailers === null ? "end" : `end [${fieldsOf(trailers)}]`);
  }

  onWritable(): void {
    this.writable++;
    this.onHeard?.("writable");
  }

  onReset(reset: StreamReset): void {
    if (this.reset !== null) throw new Error("a second reset");
    this.reset = reset;
    const why = reset.fault === null ? `code ${reset.code}` : reset.fault.reason;
    this.#heard(`reset by ${reset.by}: ${why}${reset.unprocessed ? ", unprocessed" : ""}`);
  }

  #alive(): void {
    if (this.reset !== null || this.ended) throw new Error("an event behind the last");
  }

  #heard(event: string): void {
    this.events.push(event);
    this.onHeard?.(event);
  }
}

/** Owns a session of either role. */
export class SessionLog implements ServerOwner, ClientOwner {
  readonly streams: StreamLog[] = [];
  failure: H2Fault | null = null;
  quiet = 0;
  available = 0;
  refuse = false;
  /** Runs for each request that begins, before its head. */
  onStream: ((log: StreamLog) => void) | null = null;

  onRequest(stream: H2Stream): StreamLog | null {
    if (this.refuse) return null;
    const log = new StreamLog(true);
    log.stream = stream;
    this.streams.push(log);
    this.onStream?.(log);
    return log;
  }

  onFailure(fault: H2Fault): void {
    if (this.failure !== null) throw new Error("a second failure");
    this.failure = fault;
  }

  onQuiet(): void {
    this.quiet++;
  }

  onAvailable(): void {
    this.available++;
  }
}
