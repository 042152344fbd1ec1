import type { ByteSink } from "../../core/transport.ts";
import type { H1Limits } from "../../http/h1/limits.ts";
import { ResponseReceiver } from "../../http/h1/response-receiver.ts";
import { type RequestHead, ResponseHead } from "../../http/head.ts";
import type { HealthCheck } from "./settings.ts";
import { type ProbeTalk, type Verdict, verdictOfStatus } from "./verdict.ts";

const limits: H1Limits = { requestLine: 8192, head: 32 * 1024, fields: 256, body: 0 };

/** A check by HTTP/1.1: the head of the answer is all that is read. */
export class H1Talk implements ProbeTalk {
  private readonly check: HealthCheck & { kind: "http" };
  private readonly request: RequestHead;
  private readonly sink: ByteSink;
  private readonly verdict: Verdict;
  private readonly receiver = new ResponseReceiver({ ...limits, body: Infinity });
  private readonly head = new ResponseHead();

  constructor(
    check: HealthCheck & { kind: "http" },
    request: RequestHead,
    sink: ByteSink,
    verdict: Verdict,
  ) {
    this.check = check;
    this.request = request;
    this.sink = sink;
    this.verdict = verdict;
  }

  start(): void {
    this.request.fields.append("Connection", "close");
    this.receiver.begin("GET");
    this.request.writeTo(this.sink);
  }

  receive(buf: Uint8Array, start: number, end: number): void {
    let at = start;
    for (;;) {
      const event = this.receiver.receive(buf, at, end, this.head);
      at = this.receiver.pos;
      if (event === "head" && this.head.status < 200 && this.head.status !== 101) continue;
      if (event === "head") this.verdict(verdictOfStatus(this.check, this.head.status));
      else if (event !== "need-data") this.verdict("answered no HTTP");
      return;
    }
  }

  end(): void {
    this.verdict("closed the connection without an answer");
  }
}
