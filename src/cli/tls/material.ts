import { randomBytes } from "node:crypto";
import type { EffectiveConfig } from "../../config/effective.ts";
import type { ListenerTlsSettings } from "../../proxy/tls/settings.ts";
import { type ServerCertificate, TICKET_KEY_LENGTH } from "../../tls/server-config.ts";
import { type CertificatePair, readCertificates, readPair } from "./certificate-pair.ts";
import { FileProblem, readBytes } from "./file-problem.ts";

/** What workers need of files to speak TLS. Plain data: it crosses to worker threads. */
export interface TlsMaterial {
  /** In the order of the configuration's listeners; null for those in plain. */
  readonly listeners: readonly (ListenerMaterial | null)[];
  /** Newest first. */
  readonly ticketKeys: readonly Uint8Array[];
}

export interface ListenerMaterial {
  readonly certificates: readonly ServerCertificate[];
  /** PEM; null: no certificates of clients are asked for. */
  readonly clientCa: string | null;
}

/** A listener's files as they were read. */
export interface ListenerFiles {
  readonly pairs: readonly CertificatePair[];
  readonly clientCa: string | null;
}

export const usesTls = (config: EffectiveConfig): boolean =>
  config.listeners.some(({ settings }) => settings.tls !== null);

/** Reads all of it, with a new ticket key. Throws FileProblem. `now` in milliseconds. */
export function readMaterial(config: EffectiveConfig, now: number): TlsMaterial {
  const listeners = config.listeners.map(({ settings }) =>
    settings.tls === null ? null : materialOf(readListener(settings.tls, now)),
  );
  return { listeners, ticketKeys: [new Uint8Array(randomBytes(TICKET_KEY_LENGTH))] };
}

/** Reads and checks the files of a listener's TLS. Throws FileProblem. */
export function readListener(tls: ListenerTlsSettings, now: number): ListenerFiles {
  return {
    pairs: tls.certificates.map((files) => readPair(files, now)),
    clientCa: tls.clientCertificates === null ? null : readAuthorities(tls.clientCertificates.ca),
  };
}

export const materialOf = ({ pairs, clientCa }: ListenerFiles): ListenerMaterial => ({
  certificates: pairs.map(({ material }) => material),
  clientCa,
});

/** PEM of authorities, checked. Throws FileProblem. */
export function readAuthorities(path: string): string {
  const text = readBytes(path, "the authorities' certificates").toString("latin1");
  readCertificates(text, path);
  return text;
}

/** All that is wrong, and what is worth a warning, in the files that a configuration names. */
export function checkFiles(
  config: EffectiveConfig,
  now: number,
): { readonly problems: readonly string[]; readonly warnings: readonly string[] } {
  const problems = new Set<string>();
  const warnings = new Set<string>();
  const attempt = (read: () => readonly string[]): void => {
    try {
      for (const warning of read()) warnings.add(warning);
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      problems.add(error.message);
    }
  };
  for (const { settings } of config.listeners) {
    const { tls } = settings;
    if (tls === null) continue;
    for (const files of tls.certificates) attempt(() => readPair(files, now).warnings);
    const { clientCertificates } = tls;
    if (clientCertificates !== null) {
      attempt(() => {
        readAuthorities(clientCertificates.ca);
        return [];
      });
    }
  }
  return { problems: [...problems], warnings: [...warnings] };
}
