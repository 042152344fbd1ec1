import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket, TlsOptions } from "node:tls";
import type { IssuedPair } from "../../../src/tls/testing/authority.ts";

/** Node's HTTPS server on a free port: answers with what it knows of its connection. */
export class SecureOrigin implements AsyncDisposable {
  readonly port: number;
  /** Handshakes, of which some resumed. */
  connections = 0;
  resumed = 0;
  readonly names: (string | false)[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("secureConnection", (socket) => {
      this.connections++;
      if (socket.isSessionReused()) this.resumed++;
      this.names.push(socket.servername ?? false);
    });
  }

  static async start(pair: IssuedPair, options: TlsOptions = {}): Promise<SecureOrigin> {
    const server = createServer({ cert: pair.certificate, key: pair.key, ...options });
    server.on("request", (request: IncomingMessage, response) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate();
      response.end(`${peer.subject?.CN ?? "nobody"} on ${SecureOrigin.#number(request)}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new SecureOrigin(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  static readonly #numbers = new WeakMap<object, number>();
  static #last = 0;

  /** Tells connections apart. */
  static #number({ socket }: IncomingMessage): number {
    let number = SecureOrigin.#numbers.get(socket);
    if (number === undefined) {
      number = ++SecureOrigin.#last;
      SecureOrigin.#numbers.set(socket, number);
    }
    return number;
  }
}
