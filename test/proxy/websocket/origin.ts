import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";

/** A WebSocket server (the `ws` package) that sends back each message. */
export class EchoOrigin implements AsyncDisposable {
  readonly port: number;
  readonly sockets: WebSocket[] = [];
  /** What came, as text, each with "text" or "binary" in front. */
  readonly messages: string[] = [];
  /** The codes with which sockets were closed. */
  readonly closes: number[] = [];
  /** Sec-WebSocket-Extensions and other fields of each handshake. */
  readonly heads: Record<string, string | string[] | undefined>[] = [];
  readonly #http: Server;
  readonly #server: WebSocketServer;

  private constructor(http: Server, server: WebSocketServer) {
    this.#http = http;
    this.#server = server;
    this.port = (http.address() as AddressInfo).port;
    server.on("connection", (socket, request) => {
      this.sockets.push(socket);
      this.heads.push(request.headers);
      socket.on("error", () => {});
      socket.on("message", (data: Buffer, binary) => {
        const text = data.length > 1000 ? `${data.length} octets` : data.toString();
        this.messages.push(`${binary ? "binary" : "text"} ${text}`);
        socket.send(data, { binary });
      });
      socket.on("close", (code) => this.closes.push(code));
    });
  }

  static async start(options: ServerOptions = {}): Promise<EchoOrigin> {
    const http = createServer();
    const server = new WebSocketServer({ maxPayload: 64 << 20, ...options, server: http });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return new EchoOrigin(http, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    this.#server.close();
    this.#http.close();
    this.#http.closeAllConnections();
  }
}
