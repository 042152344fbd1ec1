import { appendFileSync } from "node:fs";
import type { EffectiveConfig } from "../../config/effective.ts";
import { NetError } from "../../core/errors.ts";
import type { PeerTls } from "../../proxy/peer.ts";
import type { ListenerSettings, UpstreamProtocol } from "../../proxy/settings.ts";
import { offers } from "../../proxy/tls/offers.ts";
import type {
  ListenerTlsSettings,
  TlsProtocol,
  UpstreamTlsSettings,
} from "../../proxy/tls/settings.ts";
import type { TlsClient } from "../../tls/client.ts";
import type { TlsClientConfig } from "../../tls/client-config.ts";
import type { TlsProtocolSettings } from "../../tls/protocol-settings.ts";
import type { TlsServer } from "../../tls/server.ts";
import type { TlsMakers } from "./makers.ts";
import type { ListenerMaterial, TlsMaterial, UpstreamMaterial } from "./material.ts";
import type { TlsNews } from "./news.ts";
import { SystemAuthorities } from "./system-authorities.ts";

/** One worker's TLS: a server for each listener that speaks it, a client for each upstream. */
export class WorkerTls {
  /** By the upstream's name. */
  readonly clients: ReadonlyMap<string, TlsClient>;
  readonly #servers: readonly (TlsServer | null)[];

  /** Throws a NetError that says what is wrong with which certificate or setting. */
  constructor(config: EffectiveConfig, material: TlsMaterial, makers: TlsMakers) {
    this.#servers = config.listeners.map(({ settings, acme }, i) => {
      const files = material.listeners[i] ?? null;
      const { tls } = settings;
      return tls === null || files === null
        ? null
        : openServer(
            makers,
            settings,
            tls,
            files,
            material,
            acme !== null || passthroughAlone(tls),
          );
    });
    const clients = new Map<string, TlsClient>();
    for (const [i, { name, protocol, tls }] of config.upstreams.entries()) {
      const files = material.upstreams[i] ?? null;
      if (tls === null || files === null) continue;
      clients.set(name, makers.client(clientConfig(tls, files, protocol)));
    }
    this.clients = clients;
  }

  /** Of a listener, by its place in the configuration; null: it speaks in plain. */
  server(listener: number): TlsServer | null {
    return this.#servers[listener] ?? null;
  }

  /** `notice` hears of certificates that the engine does not take: those before stay in use. */
  take(news: TlsNews, notice: (text: string) => void): void {
    if (news.kind === "ticket-keys") {
      for (const server of this.#servers) server?.setTicketKeys(news.keys);
      return;
    }
    try {
      this.#servers[news.listener]?.replaceCertificates(news.certificates);
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      notice(`new certificates were refused, the old ones stay in use: ${error.message}`);
    }
  }
}

/** Whoever names somebody else is refused. */
const passthroughAlone = ({ certificates, passthrough }: ListenerTlsSettings): boolean =>
  certificates.length === 0 && passthrough.length > 0;

function openServer(
  makers: TlsMakers,
  { name, http2 }: ListenerSettings,
  tls: ListenerTlsSettings,
  { certificates, clientCa }: ListenerMaterial,
  { ticketKeys }: TlsMaterial,
  awaitsCertificates: boolean,
): TlsServer {
  const { clientCertificates, tickets, unknownName } = tls;
  const server = makers.server({
    ...protocolSettings(tls),
    certificates,
    awaitsCertificates,
    alpn: http2 === null ? ["http/1.1"] : ["h2", "http/1.1"],
    unknownName,
    ...(clientCertificates !== null &&
      clientCa !== null && {
        clientAuthentication: { mode: clientCertificates.mode, ca: clientCa },
      }),
    tickets: tickets?.count ?? 0,
    ...(tickets !== null && { sessionLifetime: Math.ceil(tickets.lifetime / 1e6) }),
    // A client's certificate that one listener has taken is none that another would.
    sessionScope: name,
  });
  server.setTicketKeys(ticketKeys);
  return server;
}

function clientConfig(
  tls: UpstreamTlsSettings,
  { ca, certificate }: UpstreamMaterial,
  protocol: UpstreamProtocol,
): TlsClientConfig {
  return {
    ...protocolSettings(tls),
    ca,
    verify: tls.verify ? "full" : "none",
    alpn: offers[protocol],
    ...(certificate !== null && { certificate }),
  };
}

/** What a program asks of a peer by address. */
export function peerClientConfig({ verify = true, ca, certificate }: PeerTls): TlsClientConfig {
  return {
    ca: ca !== undefined ? [ca] : verify ? system.pem : [],
    verify: verify ? "full" : "none",
    alpn: ["h2", "http/1.1"],
    ...(certificate !== undefined && { certificate }),
  };
}

const system = new SystemAuthorities();

/** Settings of the engine, with what the policy decides left out. */
export function protocolSettings(protocol: TlsProtocol): TlsProtocolSettings {
  const { policy, minVersion, maxVersion, ciphers, cipherSuites, groups, keyLog } = protocol;
  return {
    policy,
    ...(minVersion !== null && { minVersion }),
    ...(maxVersion !== null && { maxVersion }),
    ...(ciphers !== null && { ciphers }),
    ...(cipherSuites !== null && { cipherSuites }),
    ...(groups !== null && { groups }),
    ...(keyLog !== null && { keyLog: (line: string) => logKey(keyLog, line) }),
  };
}

/** Debugging alone pays for a write that waits. */
function logKey(path: string, line: string): void {
  appendFileSync(path, `${line}\n`, { mode: 0o600 });
}
