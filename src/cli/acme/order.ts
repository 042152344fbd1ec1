import type * as acme from "acme-client";
import { AcmeFailure, type IssuedPair } from "../../acme/authority.ts";
import type { ChallengeAnswer, ChallengeBoard } from "../../acme/challenge-board.ts";
import type { ChallengeType } from "../../acme/settings.ts";
import { describeProblem, requestScope } from "./acme-request.ts";

/** Milliseconds between looks at what the authority has come to, from the first to the last. */
const FIRST_PAUSE = 250;
const LAST_PAUSE = 5_000;
/** However long it asks us to wait before the next look. */
const LONGEST_PAUSE = 60_000;

/** One order, from the names to the certificate: RFC 8555 §7.4. */
export class Order {
  readonly #client: acme.Client;
  readonly #crypto: acme.CryptoInterface;
  readonly #challenge: ChallengeType;
  readonly #board: ChallengeBoard;

  constructor(
    client: acme.Client,
    crypto: acme.CryptoInterface,
    challenge: ChallengeType,
    board: ChallengeBoard,
  ) {
    this.#client = client;
    this.#crypto = crypto;
    this.#challenge = challenge;
    this.#board = board;
  }

  /** Rejects with an AcmeFailure, or with an Error of the client. */
  async issue(names: readonly string[]): Promise<IssuedPair> {
    const client = this.#client;
    let order = await client.createOrder({
      identifiers: names.map((value) => ({ type: "dns", value })),
    });
    const authorizations = await client.getAuthorizations(order);
    const proven = await Promise.allSettled(authorizations.map((one) => this.#authorize(one)));
    for (const one of proven) if (one.status === "rejected") throw one.reason;
    order = await this.#settled(order, "pending");
    const key = await this.#crypto.createPrivateEcdsaKey("P-256");
    const [, request] = await this.#crypto.createCsr({ altNames: [...names] }, key);
    order = await client.finalizeOrder(order, request);
    order = await this.#settled(order, "processing");
    return { key: key.toString("latin1"), certificate: await client.getCertificate(order) };
  }

  /** Proves one name, unless the authority remembers it from before (§7.1.3). */
  async #authorize(authorization: acme.Authorization): Promise<void> {
    if (authorization.status === "valid") return;
    const name = authorization.identifier.value;
    const challenge = authorization.challenges.find(({ type }) => type === this.#challenge);
    if (challenge === undefined) {
      const offered = authorization.challenges.map(({ type }) => type).join(", ");
      throw new AcmeFailure(
        "refused",
        `${name}: the authority offers ${offered}, not ${this.#challenge}`,
      );
    }
    const proof = await this.#client.getChallengeKeyAuthorization(challenge);
    const answer = await this.#answer(authorization, challenge.token, proof);
    try {
      await this.#board.put(answer);
      await this.#client.completeChallenge(challenge);
      await this.#validated(authorization);
    } finally {
      await this.#board.remove([answer]);
    }
  }

  async #answer(
    authorization: acme.Authorization,
    token: string,
    keyAuthorization: string,
  ): Promise<ChallengeAnswer> {
    if (this.#challenge === "http-01") return { kind: "http-01", token, keyAuthorization };
    const [key, certificate] = await this.#crypto.createAlpnCertificate(
      authorization,
      keyAuthorization,
      await this.#crypto.createPrivateEcdsaKey("P-256"),
    );
    return {
      kind: "tls-alpn-01",
      name: authorization.identifier.value.toLowerCase(),
      certificate: certificate.toString("latin1"),
      key: key.toString("latin1"),
    };
  }

  /** §7.5.1: looks at an authorization until it is decided. */
  async #validated({ url, identifier }: acme.Authorization): Promise<void> {
    const pauses = new Pauses();
    for (;;) {
      const [now] = await this.#client.getAuthorizations({ authorizations: [url] } as acme.Order);
      if (now?.status === "valid") return;
      if (now?.status !== "pending") {
        const why = now?.challenges.flatMap(({ error }) => (error ? problemText(error) : []));
        const words = why === undefined || why.length === 0 ? `it is ${now?.status}` : why.join();
        throw new AcmeFailure("refused", `${identifier.value} was not proven: ${words}`);
      }
      await pauses.next();
    }
  }

  /** Waits as long as the order is in that state; RFC 8555 §7.1.6. */
  async #settled(order: acme.Order, state: "pending" | "processing"): Promise<acme.Order> {
    const pauses = new Pauses();
    let now = order;
    // A new order may still say "pending" when its authorizations are all valid.
    if (state === "pending") now = await this.#client.getOrder(now);
    while (now.status === state) {
      await pauses.next();
      now = await this.#client.getOrder(now);
    }
    if (now.status !== "invalid") return now;
    const { error } = now as { readonly error?: object };
    throw new AcmeFailure("refused", error ? problemText(error) : "the order has become invalid");
  }
}

const problemText = (error: object): string =>
  describeProblem(error as Readonly<Record<string, unknown>>);

/** Ever longer, or as the authority says; ends with the order's signal. */
class Pauses {
  #pause = FIRST_PAUSE;

  async next(): Promise<void> {
    const scope = requestScope.getStore();
    const asked = Math.min(scope?.retryAfter ?? 0, LONGEST_PAUSE);
    const pause = Math.max(this.#pause, asked);
    this.#pause = Math.min(this.#pause * 2, LAST_PAUSE);
    const signal = scope?.signal;
    await new Promise<void>((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        reject(new AcmeFailure("unreachable", "the authority did not decide in time"));
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, pause);
      if (signal?.aborted) stop();
      else signal?.addEventListener("abort", stop, { once: true });
    });
  }
}
