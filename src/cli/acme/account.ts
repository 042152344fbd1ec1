import { Agent } from "node:https";
import { getCACertificates } from "node:tls";
import type * as acme from "acme-client";
import type { CertificateAuthority, IssuedPair } from "../../acme/authority.ts";
import type { ChallengeBoard } from "../../acme/challenge-board.ts";
import type { AcmeSettings } from "../../acme/settings.ts";
import type { AccountFile } from "./account-file.ts";
import { AcmeProblem, PROBLEM, requestScope, sendRequest } from "./acme-request.ts";
import { Order } from "./order.ts";

export interface AccountOptions {
  readonly settings: Pick<AcmeSettings, "directory" | "email" | "challenge">;
  /** PEM: whom the directory's certificate must come from; null: the system's authorities. */
  readonly ca: string | null;
  readonly file: AccountFile;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  readonly tell: (text: string) => void;
}

/** One order takes at most so long, in milliseconds: then it counts as failed. */
const ORDER_TIMEOUT = 5 * 60_000;

type Library = typeof acme;

/** An account at an authority, by the acme-client library, which is loaded when first needed. */
export class Account implements CertificateAuthority {
  readonly #options: AccountOptions;
  readonly #agent: Agent;
  #client: Promise<acme.Client> | null = null;

  constructor(options: AccountOptions) {
    this.#options = options;
    const trusted = options.ca ?? [...getCACertificates("default"), ...getCACertificates("system")];
    this.#agent = new Agent({ ca: trusted, keepAlive: true, maxSockets: 4, timeout: 60_000 });
  }

  issue(names: readonly string[], board: ChallengeBoard): Promise<IssuedPair> {
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(ORDER_TIMEOUT)]);
    const scope = { agent: this.#agent, signal, retryAfter: 0 };
    return requestScope.run(scope, async () => {
      try {
        return await this.#order(names, board);
      } catch (error) {
        // The authority has lost our account, as one for tests does at each start.
        const lost = error instanceof AcmeProblem && error.type === `${PROBLEM}accountDoesNotExist`;
        if (!lost) throw error;
        this.#client = null;
        return await this.#order(names, board, "new");
      }
    });
  }

  async #order(
    names: readonly string[],
    board: ChallengeBoard,
    account: "known" | "new" = "known",
  ): Promise<IssuedPair> {
    const library = await loadLibrary();
    this.#client ??= this.#open(library, account);
    const client = await this.#client.catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return new Order(client, library.crypto, this.#options.settings.challenge, board).issue(names);
  }

  async #open(library: Library, account: "known" | "new"): Promise<acme.Client> {
    const { settings, file, tell } = this.#options;
    const { directory, email } = settings;
    const record = account === "new" ? null : file.record();
    const client = new library.Client({
      directoryUrl: directory,
      accountKey: file.key(),
      ...(record !== null && { accountUrl: record.url }),
    });
    if (record !== null && record.email === email) return client;
    const contact = email === null ? [] : [`mailto:${email}`];
    await client.createAccount({ termsOfServiceAgreed: true, contact });
    file.write({ url: client.getAccountUrl(), email });
    if (record === null) {
      const terms = await client.getTermsOfServiceUrl();
      const agreed = terms ? `, agreeing to ${terms}` : "";
      tell(`ACME: account at ${new URL(directory).host}${agreed}`);
    }
    return client;
  }
}

let library: Promise<Library> | null = null;

/** Some 20 MB of memory, which only those pay who order certificates. */
function loadLibrary(): Promise<Library> {
  library ??= import("acme-client").then((loaded) => {
    const { default: whole } = loaded as unknown as { readonly default: Library };
    whole.axios.defaults.adapter = sendRequest;
    return whole;
  });
  return library;
}
