import type { EffectiveConfig } from "../../config/effective.ts";
import type { ListenerTlsSettings, UpstreamTlsSettings } from "../../proxy/tls/settings.ts";
import type { TlsKeyPair } from "../../tls/protocol-settings.ts";
import type { ServerCertificate } from "../../tls/server-config.ts";
import { type CertificatePair, readCertificates, readPair } from "./certificate-pair.ts";
import { FileProblem, readBytes } from "./file-problem.ts";
import { SystemAuthorities } from "./system-authorities.ts";

/** What workers need of files to speak TLS. Plain data: it crosses to worker threads. */
export interface TlsMaterial {
  /** In the order of the configuration's listeners; null for those in plain. */
  readonly listeners: readonly (ListenerMaterial | null)[];
  /** In the order of the upstreams; null for those in plain. */
  readonly upstreams: readonly (UpstreamMaterial | null)[];
  /** Newest first. */
  readonly ticketKeys: readonly Uint8Array[];
}

export interface ListenerMaterial {
  readonly certificates: readonly ServerCertificate[];
  /** PEM; null: no certificates of clients are asked for. */
  readonly clientCa: string | null;
}

export interface UpstreamMaterial {
  /** PEM; the same list, the system's, for all that name none. */
  readonly ca: readonly string[];
  readonly certificate: TlsKeyPair | null;
}

/** A listener's files as they were read. */
export interface ListenerFiles {
  readonly pairs: readonly CertificatePair[];
  readonly clientCa: string | null;
}

export const usesTls = (config: EffectiveConfig): boolean =>
  config.listeners.some(({ settings }) => settings.tls !== null) ||
  config.upstreams.some(({ tls }) => tls !== null);

/** Of all upstreams, in their order. Throws FileProblem. `now` in milliseconds. */
export function readUpstreams(
  config: EffectiveConfig,
  now: number,
): readonly (UpstreamMaterial | null)[] {
  const system = new SystemAuthorities();
  return config.upstreams.map(({ tls }) => (tls === null ? null : readUpstream(tls, system, now)));
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

/** Reads and checks the files of an upstream's TLS. Throws FileProblem. */
export function readUpstream(
  tls: UpstreamTlsSettings,
  system: SystemAuthorities,
  now: number,
): UpstreamMaterial {
  const { certificate, ca, verify } = tls;
  return {
    ca: ca !== null ? [readAuthorities(ca)] : verify ? system.pem : [],
    certificate: certificate === null ? null : readPair(asFiles(certificate), now).material,
  };
}

const asFiles = ({ cert, key }: { readonly cert: string; readonly key: string }) => ({
  cert,
  key,
  names: null,
  staple: null,
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
  for (const { settings, acme } of config.listeners) {
    const { tls } = settings;
    if (tls === null) continue;
    const ca = acme?.ca ?? null;
    if (ca !== null) {
      attempt(() => {
        readAuthorities(ca);
        return [];
      });
    }
    for (const files of tls.certificates) attempt(() => readPair(files, now).warnings);
    const { clientCertificates } = tls;
    if (clientCertificates !== null) {
      attempt(() => {
        readAuthorities(clientCertificates.ca);
        return [];
      });
    }
  }
  const system = new SystemAuthorities();
  for (const { tls } of config.upstreams) {
    if (tls === null) continue;
    attempt(() => {
      readUpstream({ ...tls, verify: false }, system, now);
      return [];
    });
  }
  return { problems: [...problems], warnings: [...warnings] };
}
