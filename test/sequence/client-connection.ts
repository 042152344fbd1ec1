import type { NetError } from "../../src/core/errors.ts";
import { after, type Duration, millis, seconds } from "../../src/core/time.ts";
import type { ConnectHandler, Stream, TimerTarget } from "../../src/core/transport.ts";
import { ResponseReceiver } from "../../src/http/h1/response-receiver.ts";
import { ResponseHead } from "../../src/http/head.ts";
import type { Client } from "./client.ts";
import { Drip } from "./drip.ts";
import { requestMessage, tunnelContent } from "./messages.ts";
import type { Outcome } from "./outcome.ts";
import type { Leaving } from "./scenario.ts";

const limits = { requestLine: 65_536, head: 65_536, fields: 200, body: Number.POSITIVE_INFINITY };

/** A client expects 100 for so long before it sends the body all the same (RFC 9110 §10.1.1). */
const patience = millis(400);
/** One that reads nothing any more goes at last. */
const numbFor = seconds(60);

/** One connection of a client to the proxy. */
export class ClientConnection implements ConnectHandler {
  stream!: Stream;
  private readonly client: Client;
  private readonly leaving: Leaving | null;
  private readonly receiver = new ResponseReceiver(limits);
  private readonly head = new ResponseHead();
  /** Sent, and not answered yet. */
  private readonly outstanding: Outcome[] = [];
  private drip: Drip | null = null;
  private received = 0;
  /** No request follows on this connection. */
  private last = false;
  private leavesSoon = false;
  private connected = false;
  private numb = false;
  private tunnel: Outcome | null = null;
  /** The last that was answered whole. */
  private answered: Outcome | null = null;

  constructor(client: Client, leaving: Leaving | null) {
    this.client = client;
    this.leaving = leaving;
  }

  onConnect(): void {
    this.connected = true;
    if (this.leaving !== null && this.leaving.afterBytes === 0) this.planLeave();
    this.sendMore();
  }

  private sendMore(): void {
    if (this.drip !== null && !this.drip.complete) return;
    if (this.last || this.outstanding.length >= this.client.plan.depth) return;
    const next = this.client.peek();
    // What asks for a tunnel goes alone: behind it there may be no HTTP.
    const alone = next?.request.upgrade !== null || this.outstanding[0]?.request.upgrade !== null;
    if (next === null || (this.outstanding.length > 0 && alone)) return;
    this.client.take();
    this.send(next);
  }

  private send(outcome: Outcome): void {
    const { request } = outcome;
    const { connection, minor } = request;
    this.last = connection === "close" || (minor === 0 && connection !== "keep-alive");
    this.outstanding.push(outcome);
    if (this.outstanding.length === 1) this.receiver.begin(request.method);
    const { bytes, headLength } = requestMessage(request);
    const gate = request.expect ? headLength : bytes.length;
    outcome.sent = true;
    const { transport } = this.client;
    const drip = new Drip(this.stream, transport, bytes, request.pace, gate, () => {
      outcome.sentWhole = true;
      this.sendMore();
    });
    this.drip = drip;
    if (request.expect) this.later(patience, () => drip.openGate());
    drip.run();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.received += end - start;
    const { leaving } = this;
    if (leaving !== null && this.received >= leaving.afterBytes) this.planLeave();
    if (this.tunnel !== null) this.tunnel.keep(buf, start, end);
    else this.receive(buf, start, end);
    this.rest();
  }

  private rest(): void {
    const { plan, draw } = this.client;
    if (this.numb || this.stream.closed || !draw.chance(plan.restChance)) return;
    this.stream.pause();
    this.later(plan.rest, () => {
      if (!this.numb) this.stream.resume();
    });
  }

  private receive(buf: Uint8Array, start: number, end: number): void {
    let pos = start;
    while (!this.stream.closed) {
      const outcome = this.outstanding[0];
      if (outcome === undefined) {
        // Whatever comes unasked must be told of: it may be the answer to somebody else's request.
        if (pos < end) this.unasked(end - pos);
        return;
      }
      const event = this.receiver.receive(buf, pos, end, this.head);
      pos = this.receiver.pos;
      if (event === "head") this.onHead(outcome);
      else if (event === "data") {
        outcome.keep(buf, this.receiver.dataStart, this.receiver.dataEnd);
      } else if (event === "end") this.finish(outcome);
      else if (event === "paused" && this.tunnel !== null) {
        if (pos < end) this.tunnel.keep(buf, pos, end);
        return;
      } else if (event === "need-data") return;
      else {
        outcome.nonsense = this.receiver.error?.message ?? `${event} within a response`;
        this.stream.abort();
      }
    }
  }

  private unasked(count: number): void {
    const { answered } = this;
    // The body of a 408 to a HEAD of which the proxy does not know yet that it is one.
    const cutHead = answered?.status === 408 && answered.request.method === "HEAD";
    if (answered !== null && !cutHead) answered.nonsense = `${count} bytes that answer nothing`;
    this.stream.abort();
  }

  private onHead(outcome: Outcome): void {
    const { head } = this;
    if (head.status < 200 && head.status !== 101) {
      outcome.interim++;
      if (head.status === 100) this.drip?.openGate();
      return;
    }
    outcome.status = head.status;
    outcome.answers = head.headers.get("x-answer") ?? null;
    outcome.local = head.headers.get("x-local") !== undefined;
    outcome.declaredLength = Number(head.headers.get("content-length") ?? -1);
    outcome.untilClose = head.framing === "close";
    if (!head.keepAlive) this.expectNoMore();
    if (head.framing === "tunnel") this.startTunnel(outcome);
  }

  /** This answer is the last: what was sent behind its request goes on another connection. */
  private expectNoMore(): void {
    this.last = true;
    const lost = this.outstanding.splice(1);
    if (lost.length === 0) return;
    this.drip?.stop();
    for (const outcome of lost) {
      outcome.sent = false;
      outcome.sentWhole = false;
    }
    this.client.putBack(lost.length);
  }

  private finish(outcome: Outcome): void {
    outcome.complete = true;
    outcome.over = true;
    this.answered = outcome;
    outcome.trailer = this.receiver.trailers?.get("x-trailer") ?? null;
    this.outstanding.shift();
    // Answered before the body was let go: the rest would be of no use.
    if (this.outstanding.length === 0 && this.drip?.gated === true) this.last = true;
    const next = this.outstanding[0];
    if (next !== undefined) this.receiver.begin(next.request.method);
    if ((this.last || this.client.peek() === null) && this.outstanding.length === 0) {
      this.drip?.stop();
      this.stream.end();
    } else this.sendMore();
  }

  private startTunnel(outcome: Outcome): void {
    outcome.tunnel = true;
    this.tunnel = outcome;
    const { transport } = this.client;
    const { pace } = outcome.request;
    const up = tunnelContent(outcome.request);
    this.drip = new Drip(this.stream, transport, up, pace, up.length, () => this.stream.end());
    if (outcome.left) this.drip.stop();
    this.drip.run();
  }

  private planLeave(): void {
    const { leaving } = this;
    if (leaving === null || this.leavesSoon) return;
    this.leavesSoon = true;
    this.later(leaving.after, () => this.leave(leaving));
  }

  private leave({ by }: Leaving): void {
    if (this.stream.closed) return;
    for (const outcome of this.outstanding) outcome.left = true;
    if (this.tunnel !== null) this.tunnel.left = true;
    this.drip?.stop();
    this.last = true;
    if (by === "abort") return this.stream.abort();
    if (by === "end") return this.stream.end();
    this.numb = true;
    this.stream.pause();
    this.later(numbFor, () => this.stream.abort());
  }

  private later(time: Duration, run: () => void): void {
    const { transport } = this.client;
    const target: TimerTarget = { onTimer: run };
    transport.schedule(target, after(transport.now(), time));
  }

  onWritable(): void {}

  onEnd(): void {
    const outcome = this.outstanding[0];
    if (this.tunnel !== null) this.tunnel.tunnelEnded = true;
    else if (outcome?.untilClose && this.receiver.eof() === "end") {
      this.finish(outcome);
    }
    // A tunnel may end in one direction and go on in the other.
    if (this.tunnel === null || this.drip?.stopped === true) {
      this.drip?.stop();
      this.stream.end();
    }
  }

  onClose(error: NetError | null): void {
    this.drip?.stop();
    for (const outcome of this.outstanding) outcome.over = true;
    this.client.closed(!this.connected && error !== null);
  }
}
