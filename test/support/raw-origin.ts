import { createServer, type Server, type Socket } from "node:net";
import { freePort } from "./ports.ts";

/** One connection that a proxy opened to the origin. */
export interface OriginConnection {
  readonly socket: Socket;
  /** Counts from 1 over the origin's life. */
  readonly number: number;
  /** All bytes so far, as latin1. */
  received: string;
  /** Set once the peer half-closed or closed, or reset. */
  ended: "open" | "closed" | "reset";
}

/** Called when bytes arrive; answers through `connection.socket`, in any way it likes. */
export type OriginScript = (connection: OriginConnection, chunk: Buffer) => void;

/**
 * An origin that misbehaves to order: it sees raw bytes and answers raw bytes, cuts connections,
 * stays silent.
 *
 *     await using origin = await RawOrigin.start((c) => c.socket.end("HTTP/1.1 200 OK\r\n\r\nhi"));
 */
export class RawOrigin implements AsyncDisposable {
  readonly port: number;
  readonly connections: OriginConnection[] = [];
  readonly #server: Server;

  private constructor(port: number, server: Server, script: OriginScript) {
    this.port = port;
    this.#server = server;
    server.on("connection", (socket) => {
      const number = this.connections.length + 1;
      const connection: OriginConnection = { socket, number, received: "", ended: "open" };
      this.connections.push(connection);
      socket.setNoDelay(true);
      socket.on("data", (chunk: Buffer) => {
        connection.received += chunk.toString("latin1");
        script(connection, chunk);
      });
      socket.on("end", () => {
        if (connection.ended === "open") connection.ended = "closed";
      });
      socket.on("error", () => {
        connection.ended = "reset";
      });
      socket.on("close", () => {
        if (connection.ended === "open") connection.ended = "closed";
      });
    });
  }

  static async start(script: OriginScript): Promise<RawOrigin> {
    const port = await freePort();
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    return new RawOrigin(port, server, script);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
