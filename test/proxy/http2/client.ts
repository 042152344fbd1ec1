import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";

export interface H2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders | null;
  /** Statuses of interim responses. */
  readonly interim: readonly number[];
}

/** Node's own HTTP/2 client, in plain by prior knowledge. Disposing of it destroys the connection. */
export class H2Client implements AsyncDisposable {
  readonly session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on("error", () => {});
  }

  static async connect(port: number, options?: SecureClientSessionOptions): Promise<H2Client> {
    const session = connect(`http://127.0.0.1:${port}`, options);
    await once(session, "connect");
    return new H2Client(session);
  }

  /** Opens a stream; without a body its end goes with the head. */
  open(headers: OutgoingHttpHeaders = {}, endStream = true): ClientHttp2Stream {
    const stream = this.session.request({ ":path": "/", ...headers }, { endStream });
    stream.on("error", () => {});
    return stream;
  }

  async ask(headers: OutgoingHttpHeaders = {}, body?: string | Buffer): Promise<H2Answer> {
    const stream = this.open(headers, body === undefined);
    const answer = answerOf(stream);
    if (body !== undefined) stream.end(body);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session.destroyed) return;
    const closed = once(this.session, "close");
    this.session.destroy();
    await closed;
  }
}

/** The whole answer; rejects when the stream is reset before its end. */
export async function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  const interim: number[] = [];
  const chunks: Buffer[] = [];
  let headers: IncomingHttpHeaders | null = null;
  let trailers: IncomingHttpHeaders | null = null;
  stream.on("headers", (head) => interim.push(head[":status"]!));
  stream.on("response", (head) => (headers = head));
  stream.on("trailers", (fields) => (trailers = fields));
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve, reject) => {
    stream.on("end", resolve);
    stream.on("close", () => {
      if (stream.rstCode !== 0) reject(new Error(`reset with code ${stream.rstCode}`));
      else resolve();
    });
  });
  if (headers === null) throw new Error("no response");
  const head = headers as IncomingHttpHeaders & { ":status": number };
  return { status: head[":status"], headers: head, body: Buffer.concat(chunks), trailers, interim };
}
