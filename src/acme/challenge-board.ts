/** What is to be answered at `/.well-known/acme-challenge/TOKEN` (RFC 8555 §8.3). */
export interface HttpAnswer {
  readonly kind: "http-01";
  readonly token: string;
  readonly keyAuthorization: string;
}

/** The certificate to show a client that names the host and offers `acme-tls/1` alone (RFC 8737 §3). */
export interface TlsAnswer {
  readonly kind: "tls-alpn-01";
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export type ChallengeAnswer = HttpAnswer | TlsAnswer;

/** Resolves once every worker answers so, and nothing else. */
export type PublishAnswers = (answers: readonly ChallengeAnswer[]) => Promise<void>;

/** The answers that stand now, of all orders under way: they are published as a whole. */
export class ChallengeBoard {
  readonly #publish: PublishAnswers;
  readonly #answers = new Set<ChallengeAnswer>();

  constructor(publish: PublishAnswers) {
    this.#publish = publish;
  }

  /** Newest last. */
  get answers(): readonly ChallengeAnswer[] {
    return [...this.#answers];
  }

  /** Resolves once the answer is given everywhere. */
  async put(answer: ChallengeAnswer): Promise<void> {
    this.#answers.add(answer);
    await this.#publish(this.answers);
  }

  /** Takes answers back; what is not there is no matter. */
  async remove(answers: readonly ChallengeAnswer[]): Promise<void> {
    const gone = answers.filter((answer) => this.#answers.delete(answer));
    if (gone.length > 0) await this.#publish(this.answers);
  }
}
