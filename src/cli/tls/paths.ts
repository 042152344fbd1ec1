import { resolve } from "node:path";
import type { EffectiveConfig } from "../../config/effective.ts";
import type {
  CertificateFiles,
  ListenerTlsSettings,
  UpstreamTlsSettings,
} from "../../proxy/tls/settings.ts";

/** The configuration with the paths of TLS files made absolute: they are relative to `folder`. */
export function withAbsolutePaths(config: EffectiveConfig, folder: string): EffectiveConfig {
  const absolute = <T extends string | null>(path: T): T =>
    (path === null ? null : resolve(folder, path)) as T;
  const pair = (files: CertificateFiles): CertificateFiles => ({
    ...files,
    cert: absolute(files.cert),
    key: absolute(files.key),
    staple: absolute(files.staple),
  });
  const listenerTls = (tls: ListenerTlsSettings): ListenerTlsSettings => ({
    ...tls,
    certificates: tls.certificates.map(pair),
    clientCertificates: tls.clientCertificates && {
      ...tls.clientCertificates,
      ca: absolute(tls.clientCertificates.ca),
    },
    keyLog: absolute(tls.keyLog),
  });
  const upstreamTls = (tls: UpstreamTlsSettings): UpstreamTlsSettings => ({
    ...tls,
    ca: absolute(tls.ca),
    certificate: tls.certificate && {
      cert: absolute(tls.certificate.cert),
      key: absolute(tls.certificate.key),
    },
    keyLog: absolute(tls.keyLog),
  });
  return {
    ...config,
    upstreams: config.upstreams.map((upstream) => ({
      ...upstream,
      tls: upstream.tls && upstreamTls(upstream.tls),
    })),
    listeners: config.listeners.map((listener) => ({
      ...listener,
      acme: listener.acme && {
        ...listener.acme,
        storage: absolute(listener.acme.storage),
        ca: absolute(listener.acme.ca),
      },
      settings: {
        ...listener.settings,
        tls: listener.settings.tls && listenerTls(listener.settings.tls),
      },
    })),
  };
}
