import { join } from "node:path";
import { AcmeFailure, type CertificateAuthority } from "../../acme/authority.ts";
import { type AttemptResult, CertificateKeeper } from "../../acme/certificate-keeper.ts";
import { type ChallengeAnswer, ChallengeBoard } from "../../acme/challenge-board.ts";
import { Renewals, type WallClock } from "../../acme/renewals.ts";
import type { AcmeSettings } from "../../acme/settings.ts";
import type { EffectiveConfig } from "../../config/effective.ts";
import { toMillis } from "../../core/time.ts";
import { SystemRng } from "../../drivers/system-rng.ts";
import type { MetricFamily } from "../../telemetry/exposition.ts";
import type { Report } from "../report.ts";
import { readAuthorities } from "../tls/material.ts";
import type { IssuedCertificate } from "../tls/tls-files.ts";
import { Account } from "./account.ts";
import { AccountFile } from "./account-file.ts";
import { acmeFamilies, OrderCounts } from "./acme-metrics.ts";
import { FileStore, fileName } from "./file-store.ts";
import { PrivateFolder } from "./private-files.ts";
import { attemptWords, missingWords } from "./words.ts";

/** Whom it works for. */
export interface AcmeOwner {
  readonly report: Report;
  /** A listener, by its place in the configuration, has these certificates now. */
  show(listener: number, certificates: readonly IssuedCertificate[]): void;
  /** Resolves once every worker answers so. */
  answer(answers: readonly ChallengeAnswer[]): Promise<void>;
}

/** One certificate and the listeners that show it. */
interface Wanted {
  readonly keeper: CertificateKeeper;
  readonly file: string;
  readonly listeners: number[];
}

/** The main thread's side of ACME: keeps what listeners ask for, from storage and from authorities. */
export class AcmeRun {
  readonly #owner: AcmeOwner;
  readonly #stopping = new AbortController();
  readonly #board: ChallengeBoard;
  readonly #rng = new SystemRng();
  readonly #accounts = new Map<string, CertificateAuthority>();
  readonly #wanted = new Map<string, Wanted>();
  readonly #counts = new OrderCounts();
  readonly #renewals: Renewals;

  /** Reads what storage has, and shows it. Throws AcmeFailure where storage cannot be read. */
  constructor(config: EffectiveConfig, owner: AcmeOwner, clock: WallClock = systemClock) {
    this.#owner = owner;
    this.#board = new ChallengeBoard((answers) => this.#publish(answers));
    for (const [i, { acme }] of config.listeners.entries()) {
      for (const names of acme?.certificates ?? []) this.#want(i, names, acme!);
    }
    for (const i of config.listeners.keys()) this.#show(i);
    const keepers = [...this.#wanted.values()].map(({ keeper }) => keeper);
    this.#renewals = new Renewals(keepers, clock, (keeper, result) => this.#tell(keeper, result));
  }

  /** What is to be answered at this moment: for workers that start. */
  get answers(): readonly ChallengeAnswer[] {
    return this.#board.answers;
  }

  get families(): readonly MetricFamily[] {
    return acmeFamilies(
      [...this.#wanted.values()].map(({ keeper }) => keeper),
      this.#counts,
    );
  }

  /** Begins to order what is missing or due; workers have to serve by now. */
  start(): void {
    for (const { keeper } of this.#wanted.values()) {
      const words = missingWords(keeper, Date.now());
      if (words !== null) this.#owner.report.warn(words);
    }
    this.#renewals.start();
  }

  stop(): void {
    this.#renewals.stop();
    this.#stopping.abort();
  }

  async #publish(answers: readonly ChallengeAnswer[]): Promise<void> {
    try {
      await this.#owner.answer(answers);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new AcmeFailure("local", `challenges cannot be answered: ${why}`, 0, error);
    }
  }

  /** Listeners that want the same have the same. */
  #want(listener: number, names: readonly string[], acme: AcmeSettings): void {
    const path = join(acme.storage, folderOf(acme.directory));
    const file = join(path, `${fileName(names)}.pem`);
    const before = this.#wanted.get(file);
    if (before !== undefined) {
      before.listeners.push(listener);
      return;
    }
    const folder = new PrivateFolder(path, (text) => this.#owner.report.warn(`ACME: ${text}`));
    const keeper = new CertificateKeeper(names, {
      authority: this.#account(acme, folder),
      store: new FileStore(folder),
      board: this.#board,
      rng: this.#rng,
      renewBefore: acme.renewBefore === null ? null : toMillis(acme.renewBefore),
    });
    this.#wanted.set(file, { keeper, file, listeners: [listener] });
  }

  #account(acme: AcmeSettings, folder: PrivateFolder): CertificateAuthority {
    const { directory, email, challenge, ca } = acme;
    const key = JSON.stringify([folder.path, email, challenge, ca]);
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const account = new Account({
      settings: { directory, email, challenge },
      ca: ca === null ? null : readAuthorities(ca),
      file: new AccountFile(folder),
      signal: this.#stopping.signal,
      tell: (text) => this.#owner.report.info(text),
    });
    this.#accounts.set(key, account);
    return account;
  }

  #tell(keeper: CertificateKeeper, result: AttemptResult): void {
    const { report } = this.#owner;
    this.#counts[result.kind]++;
    const words = attemptWords(keeper, result, Date.now());
    if (result.kind === "issued") report.info(words);
    else if (keeper.certificate === null) report.error(words);
    else report.warn(words);
    if (result.kind !== "issued") return;
    for (const wanted of this.#wanted.values()) {
      if (wanted.keeper === keeper) for (const i of wanted.listeners) this.#show(i);
    }
  }

  #show(listener: number): void {
    const shown = [...this.#wanted.values()].filter(({ listeners }) =>
      listeners.includes(listener),
    );
    const issued = shown.flatMap(({ keeper: { certificate: pair }, file }) => {
      if (pair === null) return [];
      const { certificate, key, validTo } = pair;
      return [{ file, validTo, material: { certificate, key } }];
    });
    if (issued.length > 0) this.#owner.show(listener, issued);
  }
}

/** Authorities do not share accounts. */
const folderOf = (directory: string): string =>
  directory.replace(/^https:\/\//, "").replace(/[^\w.-]+/g, "-");

const systemClock: WallClock = {
  now: () => Date.now(),
  schedule: (delay, task) => {
    const timer = setTimeout(task, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
