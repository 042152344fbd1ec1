import { bytesOf } from "../../src/core/bytes.ts";
import { after, type Duration, millis } from "../../src/core/time.ts";
import type { Stream, StreamHandler } from "../../src/core/transport.ts";
import { RequestReceiver } from "../../src/http/h1/request-receiver.ts";
import { RequestHead } from "../../src/http/head.ts";
import { masked } from "./content.ts";
import { Drip } from "./drip.ts";
import { answerMessage, endsConnection, tunnelMask } from "./messages.ts";
import type { Arrival, Origin } from "./origin.ts";
import type { Behaviour, Nonsense } from "./scenario.ts";

const limits = { requestLine: 65_536, head: 65_536, fields: 200, body: Number.POSITIVE_INFINITY };

const nonsenseOf: Record<Exclude<Nonsense, "surplus">, string> = {
  "status-line": "HTTP/1.1 2x0 What\r\n\r\n",
  "two-lengths": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
  "chunk-size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n",
  switch: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n",
};

/** The origin's side of one connection from the proxy. */
export class OriginConnection implements StreamHandler {
  private readonly origin: Origin;
  private readonly stream: Stream;
  private readonly receiver = new RequestReceiver(limits);
  private readonly head = new RequestHead();
  private arrival: Arrival | null = null;
  private plan: Behaviour | null = null;
  private drip: Drip | null = null;
  private tunnel = false;
  private ended = false;
  private served = 0;
  /** It has lost patience, or its senses: what still comes is too late. */
  private leaving = false;

  constructor(origin: Origin, stream: Stream) {
    this.origin = origin;
    this.stream = stream;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.leaving) return this.stream.abort();
    if (this.tunnel) {
      const echo = masked(buf.subarray(start, end), tunnelMask);
      this.stream.write(echo, 0, echo.length);
      return;
    }
    this.receive(buf, start, end);
    const { plan } = this;
    if (plan === null || this.stream.closed || !this.origin.draw.chance(plan.restChance)) return;
    this.stream.pause();
    this.later(plan.rest, () => this.stream.resume());
  }

  private receive(buf: Uint8Array, start: number, end: number): void {
    let pos = start;
    while (!this.stream.closed) {
      const event = this.receiver.receive(buf, pos, end, this.head);
      pos = this.receiver.pos;
      if (event === "head") this.onHead();
      else if (event === "data") {
        const { dataStart, dataEnd } = this.receiver;
        this.arrival?.pieces.push(Uint8Array.prototype.slice.call(buf, dataStart, dataEnd));
      } else if (event === "end") this.onRequestEnd();
      else if (event === "error") {
        this.violation(`the proxy sent nonsense: ${this.receiver.error?.message}`);
        return this.stream.abort();
      } else {
        if (event === "paused" && pos < end) this.violation("the proxy pipelined");
        return;
      }
    }
  }

  private onHead(): void {
    const id = this.head.path.slice(1);
    if (this.drip !== null) this.violation(`/${id} came on a connection that had ended`);
    const arrival = this.origin.log.arrived(this.head.method, id);
    if (arrival === null) return this.stream.abort();
    if (this.head.headers.get("x-id") !== id) this.violation(`/${id} came with another's fields`);
    this.arrival = arrival;
    const { behaviours } = arrival.request;
    this.plan = behaviours[Math.min(arrival.number, behaviours.length - 1)]!;
    if (this.plan.early && this.plan.status !== 101) this.answer();
  }

  private onRequestEnd(): void {
    const { arrival, plan } = this;
    if (arrival === null || plan === null) return;
    arrival.complete = true;
    arrival.trailer = this.receiver.trailers?.get("x-trailer") ?? null;
    if (this.drip === null) this.answer();
    else if (this.drip.complete) this.next();
  }

  private answer(): void {
    const { arrival, plan } = this;
    if (arrival === null || plan === null) return;
    const { transport } = this.origin;
    const bytes = this.wordsOf(arrival, plan);
    const done = () => this.onAnswered(plan);
    const drip = new Drip(this.stream, transport, bytes, plan.pace, bytes.length, done);
    arrival.cut = (plan.pace.death?.at ?? bytes.length) < bytes.length;
    this.drip = drip;
    if (plan.delay === millis(0)) drip.run();
    else this.later(plan.delay, () => drip.run());
  }

  private wordsOf(arrival: Arrival, plan: Behaviour): Uint8Array {
    const { nonsense } = plan;
    const good = answerMessage(arrival.request, arrival.number, plan).bytes;
    if (nonsense === null) return good;
    if (nonsense === "surplus") return Buffer.concat([good, bytesOf("and more\r\n\r\n")]);
    return bytesOf(nonsenseOf[nonsense]);
  }

  private onAnswered(plan: Behaviour): void {
    const { arrival } = this;
    if (arrival === null) return;
    if (plan.status === 101 && plan.nonsense === null) {
      this.tunnel = true;
      if (this.ended) this.stream.end();
      return;
    }
    if (endsConnection(arrival.request, plan) || this.ended || plan.nonsense !== null) {
      this.leaving = plan.nonsense !== null;
      this.stream.end();
    } else if (arrival.complete) this.next();
  }

  /** Ready for another request; may lose patience with waiting for it. */
  private next(): void {
    const { plan } = this;
    this.arrival = null;
    this.plan = null;
    this.drip = null;
    this.receiver.next();
    this.served++;
    if (plan === null || plan.idle === null) return;
    const { served } = this;
    this.later(plan.idle, () => {
      if (this.served !== served || this.arrival !== null || this.stream.closed) return;
      this.leaving = true;
      this.stream.end();
    });
  }

  private later(time: Duration, run: () => void): void {
    const { transport } = this.origin;
    transport.schedule({ onTimer: run }, after(transport.now(), time));
  }

  private violation(what: string): void {
    this.origin.log.violations.push(what);
  }

  onWritable(): void {}

  onEnd(): void {
    this.ended = true;
    if (this.tunnel || this.drip === null || this.drip.stopped) this.stream.end();
  }

  onClose(): void {
    this.drip?.stop();
  }
}
