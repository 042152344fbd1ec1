import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { AddressInfo } from "node:net";

export type Serve = (stream: ServerHttp2Stream, head: IncomingHttpHeaders, flags: number) => void;

/** Node's own HTTP/2 server, in plain by prior knowledge. */
export class H2Origin implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  /** Requests that came, as "METHOD path". */
  readonly asked: string[] = [];
  readonly server: Http2Server;

  private constructor(server: Http2Server) {
    this.server = server;
  }

  static async start(serve: Serve, options: ServerOptions = {}): Promise<H2Origin> {
    const server = createServer(options);
    const origin = new H2Origin(server);
    server.on("session", (session) => {
      origin.sessions.push(session);
      session.on("error", () => {});
    });
    server.on("stream", (stream, head, flags) => {
      stream.on("error", () => {});
      origin.asked.push(`${head[":method"]} ${head[":path"]}`);
      serve(stream as ServerHttp2Stream, head, flags);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return origin;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

/** The whole body of a request. */
export async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
