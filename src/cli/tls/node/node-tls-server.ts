import { AsyncLocalStorage } from "node:async_hooks";
import { X509Certificate } from "node:crypto";
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from "node:tls";
import { NetError } from "../../../core/errors.ts";
import type { Stream, StreamHandler } from "../../../core/transport.ts";
import { CertificateFacts } from "../../../native/openssl/certificate-facts.ts";
import type { TlsEngine } from "../../../tls/engine.ts";
import type { TlsServer } from "../../../tls/server.ts";
import type { ServerCertificate, TlsServerConfig } from "../../../tls/server-config.ts";
import { ServerNames } from "../../../tls/server-names.ts";
import type { TlsAcceptOptions, TlsAcceptor } from "../../../tls/stream-api.ts";
import { NodeHandshake } from "./node-handshake.ts";
import { protocolOptions } from "./protocol-options.ts";

/** Node's ticket keys: 16 bytes of name, 16 for HMAC, 16 for AES. */
const NODE_TICKET_KEY = 48;

interface Contexts {
  readonly names: ServerNames<SecureContext>;
  readonly first: SecureContextOptions;
  /** By the certificate in DER, as hexadecimal. */
  readonly staples: ReadonlyMap<string, Buffer>;
}

type OcspAnswer = (error: Error | null, staple: Buffer | null) => void;

/**
 * TLS by `node:tls`, where OpenSSL cannot be called: the same configuration, over streams of `node:net`.
 * Of ticket keys the newest alone opens tickets, and a connection that ends without close_notify is
 * taken for one that ended well.
 */
export class NodeTlsServer implements TlsServer {
  readonly #config: TlsServerConfig;
  readonly #server: Server;
  /** Tells which connection of ours an event of the server is about. */
  readonly #current = new AsyncLocalStorage<NodeHandshake>();
  #certificates: readonly ServerCertificate[];
  #ticketKey: Buffer | null = null;
  #contexts: Contexts;

  /** Throws a NetError (EINVAL) that says what is wrong with which certificate. */
  constructor(config: TlsServerConfig) {
    this.#config = config;
    this.#certificates = config.certificates;
    this.#contexts = this.#makeContexts(config.certificates);
    const mode = config.clientAuthentication?.mode;
    this.#server = createServer({
      ...this.#contexts.first,
      ALPNProtocols: [...(config.alpn ?? [])],
      requestCert: mode !== undefined,
      // A certificate that is there has to be good, also where none is asked for: see `onSecured`.
      rejectUnauthorized: mode === "required",
      // Ours is shorter.
      handshakeTimeout: 600_000,
      SNICallback: (name, done) => this.#choose(name.toLowerCase(), done),
    });
    this.#server.on("secureConnection", (socket: TLSSocket) => {
      this.#current.getStore()?.onSecured(socket);
    });
    this.#server.on("tlsClientError", (error: Error) => {
      this.#current.getStore()?.onFailed(error);
    });
    this.#server.on("OCSPRequest", (leaf: Buffer, _issuer: Buffer, done: OcspAnswer) => {
      done(null, this.#contexts.staples.get(leaf.toString("hex")) ?? null);
    });
    const { keyLog } = config;
    if (keyLog !== undefined) {
      this.#server.on("keylog", (line: Buffer) => keyLog(line.toString("latin1").trimEnd()));
    }
  }

  engine(): TlsEngine {
    throw new TypeError("node:tls has no engine without streams");
  }

  accept(raw: Stream, options: TlsAcceptOptions, acceptor: TlsAcceptor): StreamHandler {
    return new NodeHandshake(raw, options, acceptor, (handshake, duplex) => {
      this.#current.run(handshake, () => this.#server.emit("connection", duplex));
    });
  }

  replaceCertificates(certificates: readonly ServerCertificate[]): void {
    this.#contexts = this.#makeContexts(certificates);
    this.#certificates = certificates;
    this.#server.setSecureContext(this.#contexts.first);
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKey = Buffer.from(keys[0]!.subarray(0, NODE_TICKET_KEY));
    this.replaceCertificates(this.#certificates);
  }

  close(): void {}

  [Symbol.dispose](): void {}

  #choose(name: string, done: (error: Error | null, context?: SecureContext) => void): void {
    const found = this.#contexts.names.find(name);
    if (found !== undefined) done(null, found);
    else if (this.#config.unknownName === "reject") done(new Error(`no certificate for ${name}`));
    else done(null);
  }

  #makeContexts(certificates: readonly ServerCertificate[]): Contexts {
    const shown = certificates
      .map((certificate, i) => ({
        certificate,
        leaf: leafOf(certificate, i),
      }))
      .map(({ certificate, leaf }) => ({
        certificate,
        leaf,
        names: certificate.names ?? new CertificateFacts(leaf).dnsNames,
      }));
    const staples = shown.flatMap(({ certificate: { ocspStaple }, leaf }) =>
      ocspStaple === undefined ? [] : [[leaf.toString("hex"), Buffer.from(ocspStaple)] as const],
    );
    const names = new ServerNames<SecureContext>();
    for (const name of new Set(shown.flatMap((one) => one.names))) {
      const members = shown.filter((one) => one.names.includes(name));
      names.set(name, createSecureContext(this.#options(members.map((one) => one.certificate))));
    }
    const alike = shown.filter((one) => one.names.join() === shown[0]!.names.join());
    const first = this.#options(alike.map((one) => one.certificate));
    checkContext(first);
    return { names, first, staples: new Map(staples) };
  }

  #options(members: readonly ServerCertificate[]): SecureContextOptions {
    const { clientAuthentication, tickets, sessionLifetime, sessionScope } = this.#config;
    return {
      ...protocolOptions(this.#config),
      cert: members.map(({ certificate }) => Buffer.from(certificate)),
      key: members.map(({ key }) => ({ pem: Buffer.from(key) })),
      ...(clientAuthentication !== undefined && { ca: [Buffer.from(clientAuthentication.ca)] }),
      ...(this.#ticketKey !== null && { ticketKeys: this.#ticketKey }),
      ...(tickets === 0 && { secureOptions: SSL_OP_NO_TICKET }),
      ...(sessionLifetime !== undefined && { sessionTimeout: sessionLifetime }),
      // At most 32 bytes (SSL_MAX_SID_CTX_LENGTH).
      sessionIdContext: (sessionScope ?? "").slice(0, 32),
    };
  }
}

/** node:crypto has it as a constant, and types it so. */
const SSL_OP_NO_TICKET = 1 << 14;

function leafOf({ certificate }: ServerCertificate, i: number): Buffer {
  try {
    return new X509Certificate(certificate).raw;
  } catch (cause) {
    throw invalid(`certificate ${i + 1} is no certificate`, cause);
  }
}

function checkContext(options: SecureContextOptions): void {
  try {
    createSecureContext(options);
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

const invalid = (message: string, cause: unknown): NetError =>
  new NetError("EINVAL", message, { source: "internal", cause });
