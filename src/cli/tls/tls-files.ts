import { randomBytes } from "node:crypto";
import type { EffectiveConfig } from "../../config/effective.ts";
import { toMillis } from "../../core/time.ts";
import { type ServerCertificate, TICKET_KEY_LENGTH } from "../../tls/server-config.ts";
import type { Report } from "../report.ts";
import type { CertificatePair } from "./certificate-pair.ts";
import { FileProblem } from "./file-problem.ts";
import { FileWatch } from "./file-watch.ts";
import { materialOf, readListener, readUpstreams, type TlsMaterial } from "./material.ts";
import type { TlsNews } from "./news.ts";
import { TicketKeyRing } from "./ticket-key-ring.ts";

/** Beyond it Node's timers fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** A certificate in use. */
export interface CertificateInUse {
  readonly listener: string;
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly validTo: number;
}

/** A certificate that is not in a file of the configuration's. */
export interface IssuedCertificate {
  /** Where it is kept. */
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly validTo: number;
  readonly material: ServerCertificate;
}

/** Who hears of changes, once they are found good. */
export interface TlsFilesOwner {
  readonly report: Report;
  publish(news: TlsNews): void;
}

/**
 * The main thread's side of TLS: the files of a configuration as they were read last, and the ticket
 * keys. It watches the certificates: a good change goes to the workers, a wrong one is reported and what
 * was there before stays in use. Authorities are read once.
 */
export class TlsFiles {
  readonly #config: EffectiveConfig;
  readonly #owner: TlsFilesOwner;
  readonly #ring: TicketKeyRing;
  #material: TlsMaterial;
  #pairs: readonly (readonly CertificatePair[])[];
  #issued: readonly (readonly IssuedCertificate[])[];
  #watch: FileWatch | null = null;
  #rotation: NodeJS.Timeout | null = null;

  /** Reads everything. Throws FileProblem. */
  constructor(config: EffectiveConfig, owner: TlsFilesOwner) {
    this.#config = config;
    this.#owner = owner;
    const all = config.listeners.flatMap(({ settings }) => settings.tls ?? []);
    this.#ring = new TicketKeyRing(
      all.flatMap(({ tickets }) => tickets ?? []),
      () => new Uint8Array(randomBytes(TICKET_KEY_LENGTH)),
    );
    const now = Date.now();
    const files = config.listeners.map(({ settings }) =>
      settings.tls === null ? null : readListener(settings.tls, now),
    );
    this.#pairs = files.map((one) => one?.pairs ?? []);
    this.#issued = files.map(() => []);
    this.#material = {
      listeners: files.map((one) => (one === null ? null : materialOf(one))),
      upstreams: readUpstreams(config, now),
      ticketKeys: this.#ring.keys,
    };
  }

  /** What a worker that starts now begins with. */
  get material(): TlsMaterial {
    return this.#material;
  }

  get certificates(): readonly CertificateInUse[] {
    return this.#config.listeners.flatMap(({ settings }, i) => {
      const listener = settings.name;
      const inFiles = this.#pairs[i]!.map(({ validTo }, j) => ({
        listener,
        file: settings.tls!.certificates[j]!.cert,
        validTo,
      }));
      return [
        ...inFiles,
        ...this.#issued[i]!.map(({ file, validTo }) => ({ listener, file, validTo })),
      ];
    });
  }

  /** Begins to watch the files and to rotate ticket keys. */
  start(): void {
    const paths = this.#config.listeners.flatMap(({ settings }) =>
      (settings.tls?.certificates ?? []).flatMap(({ cert, key, staple }) =>
        staple === null ? [cert, key] : [cert, key, staple],
      ),
    );
    if (paths.length > 0) this.#watch = new FileWatch(paths, () => this.reload());
    // What changed while the workers started.
    this.reload();
    const { every } = this.#ring;
    if (every === null) return;
    this.#rotation = setInterval(() => this.#rotate(), Math.min(toMillis(every), longestTimerMs));
    this.#rotation.unref();
  }

  close(): void {
    this.#watch?.close();
    if (this.#rotation !== null) clearInterval(this.#rotation);
  }

  /** Reads the certificates again; whatever did not change is left alone. */
  reload(): void {
    for (const i of this.#config.listeners.keys()) this.#reloadListener(i);
  }

  #reloadListener(i: number): void {
    const { name, tls } = this.#config.listeners[i]!.settings;
    if (tls === null) return;
    const { report } = this.#owner;
    try {
      const { pairs } = readListener(tls, Date.now());
      if (!differ(pairs, this.#pairs[i]!)) return;
      for (const warning of pairs.flatMap((pair) => pair.warnings)) report.warn(warning);
      this.#take(i, pairs);
      report.info(`listener ${name}: new certificates are in use`);
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      report.error(`${error.message}; listener ${name} keeps the certificates that it had`);
    }
  }

  #take(i: number, pairs: readonly CertificatePair[]): void {
    this.#pairs = this.#pairs.with(i, pairs);
    this.#show(i);
  }

  /** A listener, by its place, shows these after those in its files. */
  takeIssued(i: number, issued: readonly IssuedCertificate[]): void {
    this.#issued = this.#issued.with(i, issued);
    this.#show(i);
  }

  #show(i: number): void {
    const certificates = [...this.#pairs[i]!, ...this.#issued[i]!].map(({ material }) => material);
    const { listeners } = this.#material;
    const material = { ...listeners[i]!, certificates };
    this.#material = { ...this.#material, listeners: listeners.with(i, material) };
    this.#owner.publish({ kind: "certificates", listener: i, certificates });
  }

  #rotate(): void {
    this.#ring.rotate();
    const { keys } = this.#ring;
    this.#material = { ...this.#material, ticketKeys: keys };
    this.#owner.publish({ kind: "ticket-keys", keys });
  }
}

const differ = (a: readonly CertificatePair[], b: readonly CertificatePair[]): boolean =>
  a.some(({ material }, i) => {
    const before = b[i]!.material;
    return (
      material.certificate !== before.certificate ||
      material.key !== before.key ||
      String(material.ocspStaple) !== String(before.ocspStaple)
    );
  });
