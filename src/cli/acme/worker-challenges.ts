import type { ChallengeAnswer } from "../../acme/challenge-board.ts";
import { ACME_PROTOCOL, type Challenges } from "../../proxy/challenges.ts";
import type { TlsServer } from "../../tls/server.ts";
import type { Driver } from "../worker-protocol.ts";

/** One worker's answers to challenges: makes of what the main thread tells what its proxy gives. */
export class WorkerChallenges {
  readonly #challenges: Challenges;
  readonly #driver: Driver;
  #server: TlsServer | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(challenges: Challenges, driver: Driver = "epoll") {
    this.#challenges = challenges;
    this.#driver = driver;
  }

  /** Gives these answers from now on, and no others. Rejects with what the TLS engine says. */
  take(answers: readonly ChallengeAnswer[]): Promise<void> {
    const taken = this.#last.then(() => this.#take(answers));
    this.#last = taken.catch(() => {});
    return taken;
  }

  async #take(answers: readonly ChallengeAnswer[]): Promise<void> {
    const challenges = this.#challenges;
    const http = answers.filter((answer) => answer.kind === "http-01");
    const tls = answers.filter((answer) => answer.kind === "tls-alpn-01");
    challenges.tokens =
      http.length === 0
        ? null
        : new Map(http.map(({ token, keyAuthorization }) => [token, keyAuthorization]));
    challenges.tlsServer = tls.length === 0 ? null : await this.#openServer();
    challenges.tlsNames = new Set(tls.map(({ name }) => name));
    const certificates = tls.map(({ name, certificate, key }) => ({
      certificate,
      key,
      names: [name],
    }));
    this.#server?.replaceCertificates(certificates);
  }

  async #openServer(): Promise<TlsServer> {
    if (this.#server !== null) return this.#server;
    const { tlsMakers } = await import("../tls/makers.ts");
    const { server } = await tlsMakers(this.#driver);
    this.#server = server({
      certificates: [],
      awaitsCertificates: true,
      alpn: [ACME_PROTOCOL],
      unknownName: "reject",
      tickets: 0,
    });
    return this.#server;
  }
}
