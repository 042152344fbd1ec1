import { once } from "node:events";
import type { ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import * as ws from "ws";
import type { H2Client } from "../http2/client.ts";
import { H2Origin } from "../http2-upstream/origin.ts";

type Stream = ClientHttp2Stream | ServerHttp2Stream;

interface Deflate {
  accept(params: readonly Record<string, readonly (string | true)[]>[]): unknown;
}

/** What `ws` has and its types do not tell: a socket may be given a stream of any making. */
interface Internals extends ws.WebSocket {
  _isServer: boolean;
  _extensions: Record<string, unknown>;
  setSocket(stream: Stream, head: Buffer, options: object): void;
}
const { PerMessageDeflate } = ws as unknown as {
  PerMessageDeflate: new (options: object) => Deflate;
};

/** Fresh ones: what takes them changes them. */
const noTakeover = () => ({
  server_no_context_takeover: [true as const],
  client_no_context_takeover: [true as const],
});

/** A WebSocket of the `ws` package over a stream that is one already (RFC 8441). */
export function webSocketOver(
  stream: Stream,
  role: "client" | "server",
  deflate: boolean,
): ws.WebSocket {
  const Socket = ws.WebSocket as unknown as new (
    address: null,
    protocols: undefined,
    options: object,
  ) => Internals;
  const socket = new Socket(null, undefined, { autoPong: true, closeTimeout: 5000 });
  socket._isServer = role === "server";
  if (deflate) {
    const extension = new PerMessageDeflate({ isServer: role === "server", threshold: 0 });
    extension.accept([noTakeover()]);
    socket._extensions["permessage-deflate"] = extension;
  }
  socket.on("error", () => {});
  socket.setSocket(stream, Buffer.alloc(0), { maxPayload: 1 << 26, allowSynchronousEvents: true });
  return socket;
}

/** Opens a stream by extended CONNECT; also the fields that answered it. */
export async function openStream(
  client: H2Client,
  deflate: boolean,
): Promise<{ stream: ClientHttp2Stream; head: IncomingHttpHeaders }> {
  const stream = client.open(
    {
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "http",
      ":authority": "h",
      ":path": "/chat?x",
      "sec-websocket-version": "13",
      ...(deflate && { "sec-websocket-extensions": "permessage-deflate; client_max_window_bits" }),
    },
    false,
  );
  const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
  return { stream, head };
}

/** The same with a WebSocket over it. */
export async function openWebSocket(
  client: H2Client,
  deflate: boolean,
): Promise<{ socket: ws.WebSocket; head: IncomingHttpHeaders }> {
  const { head, stream } = await openStream(client, deflate);
  const agreed = head["sec-websocket-extensions"] !== undefined;
  return { socket: webSocketOver(stream, "client", agreed), head };
}

/** An origin of HTTP/2 that takes WebSockets, and sends back each message. */
export class H2EchoOrigin implements AsyncDisposable {
  readonly messages: string[] = [];
  readonly closes: number[] = [];
  readonly heads: IncomingHttpHeaders[] = [];
  #origin!: H2Origin;

  static async start(deflate: boolean): Promise<H2EchoOrigin> {
    const echo = new H2EchoOrigin();
    const settings = { enableConnectProtocol: true };
    echo.#origin = await H2Origin.start((stream, head) => echo.#accept(stream, head, deflate), {
      settings,
    });
    return echo;
  }

  #accept(stream: ServerHttp2Stream, head: IncomingHttpHeaders, deflate: boolean): void {
    this.heads.push(head);
    const offered = String(head["sec-websocket-extensions"] ?? "");
    const agreed = deflate && offered.includes("permessage-deflate");
    const answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    stream.respond({ ":status": 200, ...(agreed && { "sec-websocket-extensions": answer }) });
    const socket = webSocketOver(stream, "server", agreed);
    socket.on("message", (data: Buffer, binary) => {
      this.messages.push(`${binary ? "binary" : "text"} ${data.length}`);
      socket.send(data, { binary });
    });
    socket.on("close", (code) => this.closes.push(code));
  }

  get port(): number {
    return this.#origin.port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#origin[Symbol.asyncDispose]();
  }
}
