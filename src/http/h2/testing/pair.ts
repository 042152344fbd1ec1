import { RequestHead } from "../../request-head.ts";
import { ClientSession } from "../client-session.ts";
import { DEFAULT_LIMITS, type H2Limits } from "../limits.ts";
import { ServerSession } from "../server-session.ts";
import { BufferSink, SessionLog, StreamLog, VirtualClock } from "./recorder.ts";

/** A client and a server session, wired in memory. What one wrote moves when a test says so. */
export class Pair {
  readonly clock = new VirtualClock();
  readonly clientSink = new BufferSink();
  readonly serverSink = new BufferSink();
  readonly clientLog = new SessionLog();
  readonly serverLog = new SessionLog();
  readonly client: ClientSession;
  readonly server: ServerSession;

  constructor(limits: Partial<H2Limits> = {}, serverLimits: Partial<H2Limits> = limits) {
    const { clock } = this;
    this.client = new ClientSession(
      { sink: this.clientSink, clock, limits: { ...DEFAULT_LIMITS, ...limits } },
      this.clientLog,
    );
    this.server = new ServerSession(
      { sink: this.serverSink, clock, limits: { ...DEFAULT_LIMITS, ...serverLimits } },
      this.serverLog,
    );
    this.client.start();
  }

  /** Moves everything both ways, in pieces of the given sizes, until nothing is left. */
  settle(sizes: readonly number[] = []): void {
    let piece = 0;
    for (let round = 0; round < 10_000; round++) {
      this.client.flush();
      this.server.flush();
      const up = this.clientSink.take();
      const down = this.serverSink.take();
      if (up.length + down.length === 0) return;
      for (const [bytes, session] of [
        [up, this.server],
        [down, this.client],
      ] as const) {
        for (let at = 0; at < bytes.length; ) {
          const to = Math.min(bytes.length, at + (sizes[piece++ % sizes.length] ?? bytes.length));
          // Each piece lies amid garbage, so that a read beyond it would show.
          const buf = new Uint8Array(to - at + 16).fill(0x5a);
          buf.set(bytes.subarray(at, to), 7);
          session.receive(buf, 7, 7 + to - at);
          at = to;
        }
      }
    }
    throw new Error("the pair does not settle");
  }

  /** Opens a stream and sends a head; `length`: -1 for a body without length, 0 for none. */
  request(target = "/", length = 0, fields: readonly [string, string][] = []): StreamLog {
    const log = new StreamLog(false);
    const stream = this.client.open(log);
    if (stream === null) throw new Error("no stream available");
    log.stream = stream;
    const head = new RequestHead();
    head.method = length === 0 ? "GET" : "POST";
    head.target = target;
    head.fields.append("Host", "a.example");
    for (const [name, value] of fields) head.fields.append(name, value);
    if (length > 0) head.fields.append("Content-Length", String(length));
    const framing = length === 0 ? "none" : length < 0 ? "chunked" : "length";
    this.client.sendRequest(stream, head, "http", framing, length);
    return log;
  }
}
