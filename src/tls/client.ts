import { parseIp, type SocketAddress } from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import type { ConnectHandler, Transport } from "../core/transport.ts";
import { SslConnection } from "../native/openssl/connection.ts";
import { SSL_VERIFY_NONE, SSL_VERIFY_PEER } from "../native/openssl/constants.ts";
import { SslContext } from "../native/openssl/context.ts";
import { opensslAvailable } from "../native/openssl/openssl.ts";
import { readCertificates, readKeyPair } from "../native/openssl/pem.ts";
import type { TlsClientConfig, TlsTarget } from "./client-config.ts";
import { ClientEngine } from "./client-engine.ts";
import type { TlsEngine, TlsEngineOwner } from "./engine.ts";
import { applySettings } from "./policy.ts";
import { protocolList } from "./protocol-names.ts";
import { SessionCache } from "./session-cache.ts";
import type { TlsConnectOptions, TlsStream } from "./stream-api.ts";

/** The client side of TLS for one upstream and one worker thread: trust, identity, kept sessions. */
export interface TlsClient {
  engine(target: TlsTarget, owner: TlsEngineOwner): TlsEngine;
  /** Where there is no engine, who connects instead: `connectTls` asks. */
  connect?(
    transport: Transport,
    address: SocketAddress,
    options: TlsConnectOptions,
    handler: ConnectHandler,
  ): TlsStream;
  /** Live engines go on; none can be made. */
  close(): void;
  [Symbol.dispose](): void;
}

const DEFAULT_SESSIONS = 256;

/** Throws a NetError (EINVAL) that says what is wrong with which certificate, key or setting. */
export function createTlsClient(config: TlsClientConfig): TlsClient {
  const reason = opensslAvailable();
  if (reason !== null) throw new NetError("UNSUPPORTED", `TLS: ${reason}`, { source: "internal" });
  return new OpenSslClient(config);
}

class OpenSslClient implements TlsClient {
  readonly #context: SslContext;
  readonly #verify: boolean;
  readonly #sessions: SessionCache;
  #closed = false;

  constructor(config: TlsClientConfig) {
    this.#verify = config.verify !== "none";
    this.#sessions = new SessionCache(config.sessions ?? DEFAULT_SESSIONS);
    this.#context = new SslContext(config.keyLog ?? null);
    try {
      configure(this.#context, config);
    } catch (error) {
      this.#context.close();
      throw error;
    }
  }

  engine(target: TlsTarget, owner: TlsEngineOwner): TlsEngine {
    if (this.#closed) throw new Error("the TLS client is closed");
    const { serverName } = target;
    const verifyName = target.verifyName ?? serverName;
    if (this.#verify && verifyName === "") throw invalid("a name is needed to verify");
    // RFC 6066 §3: addresses are not sent.
    const sent = serverName === "" || isIp(serverName) ? null : serverName.toLowerCase();
    const offer = target.alpn === undefined ? null : protocolList(target.alpn);
    const key = JSON.stringify([sent, verifyName, target.sessionKey ?? ""]);
    return new ClientEngine(owner, sent, {
      connect: () => this.#connect(sent, verifyName, key, offer),
      keepSession: (ssl) => this.#keepSession(ssl, key),
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sessions.clear();
    this.#context.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #connect(
    serverName: string | null,
    verifyName: string,
    key: string,
    offer: Uint8Array | null,
  ): SslConnection {
    const ssl = new SslConnection(this.#context, "client");
    try {
      if (serverName !== null) ssl.setServerName(serverName);
      if (this.#verify) ssl.expectName(plainIp(verifyName), isIp(verifyName));
      if (offer !== null) ssl.offerAlpn(offer);
      const session = this.#sessions.find(key);
      if (session !== null) ssl.resume(session);
      return ssl;
    } catch (error) {
      ssl.close();
      throw error;
    }
  }

  #keepSession(ssl: SslConnection, key: string): void {
    if (this.#closed) return;
    const session = ssl.session();
    if (session !== null) this.#sessions.keep(key, session);
  }
}

function configure(context: SslContext, config: TlsClientConfig): void {
  applySettings(context, config);
  context.setVerify(config.verify === "none" ? SSL_VERIFY_NONE : SSL_VERIFY_PEER);
  config.ca.forEach((pem, i) => {
    context.trust(readCertificates(pem, `authority ${i + 1}`), false);
  });
  if (config.alpn !== undefined && config.alpn.length > 0) {
    context.offerAlpn(protocolList(config.alpn));
  }
  if (config.certificate === undefined) return;
  const { certificate, key, passphrase } = config.certificate;
  const pair = readKeyPair(certificate, key, passphrase, "the client's certificate");
  try {
    context.addKeyPair(pair, null);
  } finally {
    pair.key.fill(0);
  }
}

/** An IPv6 address may come in brackets, as in a URL. */
const plainIp = (name: string): string => name.replace(/^\[(.*)\]$/, "$1");

const isIp = (name: string): boolean => parseIp(plainIp(name)) !== null;

const invalid = (message: string): NetError =>
  new NetError("EINVAL", message, { source: "internal" });
