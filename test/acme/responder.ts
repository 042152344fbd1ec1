import { createServer, type Server } from "node:http";
import {
  createSecureContext,
  createServer as createTlsServer,
  type Server as TlsServer,
} from "node:tls";
import type { ChallengeAnswer } from "../../src/acme/challenge-board.ts";

/** Answers challenges in place of a proxy, by Node's own servers. */
export class Responder implements Disposable {
  httpPort = 0;
  tlsPort = 0;
  answers: readonly ChallengeAnswer[] = [];
  /** What is answered over HTTP in place of the truth. */
  lie: string | null = null;
  /** Tokens and names that were asked for. */
  readonly asked: string[] = [];
  readonly #http: Server;
  readonly #tls: TlsServer;

  private constructor() {
    this.#http = createServer((request, response) => {
      const token = request.url?.split("/").at(-1) ?? "";
      this.asked.push(token);
      const found = this.answers.find((one) => one.kind === "http-01" && one.token === token);
      if (found?.kind !== "http-01") response.writeHead(404).end();
      else response.end(this.lie ?? found.keyAuthorization);
    });
    this.#tls = createTlsServer({
      ALPNProtocols: ["acme-tls/1"],
      SNICallback: (name, done) => {
        this.asked.push(name);
        const found = this.answers.find((one) => one.kind === "tls-alpn-01" && one.name === name);
        if (found?.kind !== "tls-alpn-01") done(new Error(`nothing for ${name}`));
        else done(null, createSecureContext({ cert: found.certificate, key: found.key }));
      },
    });
    this.#tls.on("tlsClientError", () => {});
  }

  static async start(): Promise<Responder> {
    const responder = new Responder();
    responder.httpPort = await listen(responder.#http);
    responder.tlsPort = await listen(responder.#tls);
    return responder;
  }

  readonly publish = async (answers: readonly ChallengeAnswer[]): Promise<void> => {
    this.answers = answers;
  };

  [Symbol.dispose](): void {
    this.#http.closeAllConnections();
    this.#http.close();
    this.#tls.close();
  }
}

function listen(server: Server | TlsServer): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}
