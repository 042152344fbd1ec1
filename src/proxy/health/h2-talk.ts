import type { ByteSink, Transport } from "../../core/transport.ts";
import { decodeHealthResponse, encodeHealthRequest } from "../../grpc/health.ts";
import { frameMessage } from "../../grpc/message-frame.ts";
import { MessageReader } from "../../grpc/message-reader.ts";
import { GRPC_STATUS_NAMES, GrpcStatus, parseGrpcStatus } from "../../grpc/status.ts";
import type { Fields } from "../../http/fields.ts";
import { ClientSession } from "../../http/h2/client-session.ts";
import type { H2Fault } from "../../http/h2/fault.ts";
import { DEFAULT_LIMITS } from "../../http/h2/limits.ts";
import type { ClientOwner, ResponseOwner, StreamReset } from "../../http/h2/owner.ts";
import type { H2Stream } from "../../http/h2/stream.ts";
import { type RequestHead, ResponseHead } from "../../http/head.ts";
import type { HealthCheck } from "./settings.ts";
import { type ProbeTalk, type Verdict, verdictOfStatus } from "./verdict.ts";

/** What an answer of grpc.health.v1 has at most; it is two bytes long. */
const longest = 1024;

/** A check over HTTP/2, by gRPC or by a plain request. */
export class H2Talk implements ProbeTalk, ClientOwner, ResponseOwner {
  readonly responseHead = new ResponseHead();
  private readonly check: HealthCheck;
  private readonly request: RequestHead;
  private readonly scheme: "http" | "https";
  private readonly verdict: Verdict;
  private readonly session: ClientSession;
  private readonly reader = new MessageReader(longest);
  private stream: H2Stream | null = null;
  private message: Uint8Array | null = null;

  constructor(
    check: HealthCheck,
    request: RequestHead,
    scheme: "http" | "https",
    sink: ByteSink,
    transport: Transport,
    verdict: Verdict,
  ) {
    this.check = check;
    this.request = request;
    this.scheme = scheme;
    this.verdict = verdict;
    this.session = new ClientSession({ sink, clock: transport, limits: DEFAULT_LIMITS }, this);
  }

  start(): void {
    const { check, request, scheme, session } = this;
    session.start();
    const stream = session.open(this);
    this.stream = stream;
    if (stream === null) return;
    if (check.kind === "http") session.sendRequest(stream, request, scheme, "none", -1);
    else {
      session.sendRequest(stream, request, scheme, "chunked", -1);
      const message = frameMessage(encodeHealthRequest(check.service));
      session.sendData(stream, message, 0, message.length);
      session.sendEnd(stream, null);
    }
    session.flush();
  }

  receive(buf: Uint8Array, start: number, end: number): void {
    this.session.receive(buf, start, end);
  }

  end(): void {
    this.session.close();
    this.verdict("closed the connection without an answer");
  }

  onHead(ended: boolean): void {
    const { status } = this.responseHead;
    if (status < 200) return;
    if (this.check.kind === "http") this.verdict(verdictOfStatus(this.check, status));
    else if (status !== 200) this.verdict(`answered ${status}`);
    else if (ended) this.judge(this.responseHead.fields);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.stream !== null) this.session.consumed(this.stream, end - start);
    const keep = { onMessage: (_flags: number, message: Uint8Array) => (this.message = message) };
    if (this.reader.read(buf, start, end, keep) === "too-large") this.verdict("answered too much");
  }

  onEnd(trailers: Fields | null): void {
    this.judge(trailers ?? this.responseHead.fields);
  }

  private judge(fields: Fields): void {
    const status = parseGrpcStatus(fields.get("grpc-status"));
    if (status !== GrpcStatus.OK) {
      return this.verdict(`answered ${GRPC_STATUS_NAMES[status] ?? `grpc-status ${status}`}`);
    }
    const health = this.message === null ? null : decodeHealthResponse(this.message);
    this.verdict(health === "serving" ? null : `says ${health ?? "nothing"}`);
  }

  onReset(_reset: StreamReset): void {
    this.verdict("reset the request");
  }

  onFailure(fault: H2Fault): void {
    this.verdict(`broke the rules of HTTP/2 (${fault.reason})`);
  }

  onWritable(): void {}

  onQuiet(): void {}

  onAvailable(): void {}
}
