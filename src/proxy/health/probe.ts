import type { NetError } from "../../core/errors.ts";
import type { Duration } from "../../core/time.ts";
import type { ConnectHandler, Stream, Transport } from "../../core/transport.ts";
import { HEALTH_CHECK_PATH } from "../../grpc/health.ts";
import { RequestHead } from "../../http/head.ts";
import { connectEndpoint, securityOf } from "../connect.ts";
import type { UpstreamSettings } from "../settings.ts";
import type { Endpoint } from "../upstream/endpoint.ts";
import { H1Talk } from "./h1-talk.ts";
import { H2Talk } from "./h2-talk.ts";
import type { HealthCheck } from "./settings.ts";
import type { ProbeTalk, Verdict } from "./verdict.ts";

/**
 * One check of an endpoint, on a connection of its own: so it also says whether new ones can be had, and
 * takes none from requests. It speaks as requests do: HTTP/2 where the upstream's `protocol` or the
 * handshake says so; gRPC in plain always does.
 */
export class Probe implements ConnectHandler {
  private readonly check: HealthCheck;
  private readonly endpoint: Endpoint;
  private readonly settings: UpstreamSettings;
  private readonly transport: Transport;
  private readonly verdict: Verdict;
  private readonly stream: Stream;
  private talk: ProbeTalk | null = null;
  private over = false;

  /** `verdict` is called once, never before this returned, and not at all after `cancel`. */
  constructor(
    check: HealthCheck,
    timeout: Duration,
    endpoint: Endpoint,
    settings: UpstreamSettings,
    transport: Transport,
    verdict: Verdict,
  ) {
    this.check = check;
    this.endpoint = endpoint;
    this.settings = settings;
    this.transport = transport;
    this.verdict = verdict;
    const timeouts = { ...settings.timeouts, connect: timeout };
    const old = settings.protocol === "http1" && check.kind === "http";
    this.stream = connectEndpoint(
      { transport },
      endpoint,
      timeouts,
      old ? "http/1.1" : "any",
      this,
    );
  }

  cancel(): void {
    this.over = true;
    this.stream.abort();
  }

  onConnect(): void {
    const { check, endpoint, settings, stream, transport } = this;
    const security = securityOf(endpoint, stream);
    const wanted = settings.protocol === "http2" || check.kind === "grpc";
    const h2 = security === null ? wanted : security.alpn === "h2";
    const judge: Verdict = (failure) => this.judged(failure);
    if (h2) {
      const scheme = security === null ? "http" : "https";
      this.talk = new H2Talk(check, this.request(), scheme, stream, transport, judge);
    } else if (check.kind === "http") this.talk = new H1Talk(check, this.request(), stream, judge);
    else return this.judged("does not speak HTTP/2");
    this.talk.start();
  }

  private request(): RequestHead {
    const { check, endpoint, settings } = this;
    const head = new RequestHead();
    const own = typeof settings.host === "object" ? settings.host.literal : hostOf(endpoint);
    head.fields.append("Host", (check.kind === "http" && check.host) || own);
    head.fields.append("User-Agent", "millrace-health-check");
    if (check.kind === "http") {
      head.target = check.path;
      return head;
    }
    head.target = HEALTH_CHECK_PATH;
    head.method = "POST";
    head.fields.append("Content-Type", "application/grpc");
    head.fields.append("TE", "trailers");
    return head;
  }

  private judged(failure: string | null): void {
    if (this.over) return;
    this.over = true;
    this.verdict(failure);
    if (!this.stream.closed) this.stream.close();
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!this.over) this.talk?.receive(buf, start, end);
  }

  onWritable(): void {}

  onEnd(): void {
    if (!this.over) this.talk?.end();
  }

  onClose(error: NetError | null): void {
    this.judged(error?.message ?? "closed the connection without an answer");
  }
}

/** What a request without a client's Host is sent with. */
const hostOf = ({ address, name }: Endpoint): string =>
  address.kind === "unix" ? "localhost" : name;
