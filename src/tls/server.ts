import { NetError } from "../core/errors.ts";
import type { Stream, StreamHandler } from "../core/transport.ts";
import { PinnedMemory } from "../native/memory.ts";
import { answerAlpn } from "../native/openssl/callbacks.ts";
import { SslConnection } from "../native/openssl/connection.ts";
import type { SslContext } from "../native/openssl/context.ts";
import { opensslAvailable } from "../native/openssl/openssl.ts";
import { randomKey } from "../native/openssl/random-key.ts";
import type { ClientHello } from "./client-hello.ts";
import type { TlsEngine, TlsEngineOwner } from "./engine.ts";
import { chooseProtocol, protocolList } from "./protocol-names.ts";
import {
  type HelloHook,
  type ServerCertificate,
  TICKET_KEY_LENGTH,
  type TlsServerConfig,
} from "./server-config.ts";
import { ServerContexts } from "./server-contexts.ts";
import { type HelloAnswer, ServerEngine } from "./server-engine.ts";
import type { TlsAcceptOptions, TlsAcceptor } from "./stream-api.ts";
import { TicketKeys } from "./ticket-keys.ts";

/** The server side of TLS for one listener and one worker thread: certificates by name, ticket keys. */
export interface TlsServer {
  /** `onHello`, where given, is called with the parsed hello before the handshake begins. */
  engine(owner: TlsEngineOwner, onHello?: HelloHook): TlsEngine;
  /**
   * Shows other certificates from now on. Throws a NetError that says what is wrong with which pair;
   * then the old ones stay. Connections that live go on as they are.
   */
  replaceCertificates(certificates: readonly ServerCertificate[]): void;
  /**
   * Keys of `TICKET_KEY_LENGTH` bytes, the same in all workers: the first encrypts new tickets, the
   * others (those before it) still open old ones. Before the first call each server draws its own.
   */
  setTicketKeys(keys: readonly Uint8Array[]): void;
  /** Where there is no engine, who secures a stream instead: `acceptTls` asks. */
  accept?(raw: Stream, options: TlsAcceptOptions, acceptor: TlsAcceptor): StreamHandler;
  /** Live engines go on; none can be made. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Throws a NetError (EINVAL) that says what is wrong with which certificate, key or setting. */
export function createTlsServer(config: TlsServerConfig): TlsServer {
  const reason = opensslAvailable();
  if (reason !== null) throw new NetError("UNSUPPORTED", `TLS: ${reason}`, { source: "internal" });
  return new OpenSslServer(config);
}

/** Where a protocol's name lies in memory that lives as long as the server. */
interface Protocol {
  readonly address: number;
  readonly length: number;
}

const NO_PROTOCOL: Protocol = { address: 0, length: 0 };

class OpenSslServer implements TlsServer {
  readonly #config: TlsServerConfig;
  readonly #alpn: readonly string[];
  readonly #alpnMemory: PinnedMemory;
  readonly #protocols = new Map<string, Protocol>();
  readonly #ticketKeys = new TicketKeys([randomKey(TICKET_KEY_LENGTH)]);
  #contexts: ServerContexts;
  #closed = false;

  constructor(config: TlsServerConfig) {
    this.#config = config;
    this.#alpn = config.alpn ?? [];
    const list = protocolList(this.#alpn);
    this.#alpnMemory = new PinnedMemory(list.length);
    this.#alpnMemory.bytes.set(list);
    let at = 0;
    for (const name of this.#alpn) {
      const address = this.#alpnMemory.address + at + 1;
      this.#protocols.set(name, { address, length: name.length });
      at += 1 + name.length;
    }
    this.#contexts = this.#makeContexts(config.certificates);
  }

  engine(owner: TlsEngineOwner, onHello?: HelloHook): TlsEngine {
    if (this.#closed) throw new Error("the TLS server is closed");
    return new ServerEngine(owner, (hello) => this.#answer(hello), onHello ?? null);
  }

  replaceCertificates(certificates: readonly ServerCertificate[]): void {
    if (this.#closed) return;
    const before = this.#contexts;
    this.#contexts = this.#makeContexts(certificates);
    // Connections hold references of their own.
    before.close();
  }

  setTicketKeys(keys: readonly Uint8Array[]): void {
    this.#ticketKeys.replace(keys);
    if (!this.#closed) this.#contexts.setTicketKey(this.#ticketKeys.newest);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#contexts.close();
    this.#ticketKeys.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #makeContexts(certificates: readonly ServerCertificate[]): ServerContexts {
    const contexts = new ServerContexts(this.#config, certificates);
    contexts.setTicketKey(this.#ticketKeys.newest);
    return contexts;
  }

  #answer(hello: ClientHello): HelloAnswer | null {
    const context = this.#contextFor(hello.serverName);
    if (context === null) return null;
    const name = chooseProtocol(this.#alpn, hello.alpn);
    const protocol = name === null ? NO_PROTOCOL : this.#protocols.get(name)!;
    const ticketKey =
      hello.ticketName === null ? null : this.#ticketKeys.olderNamed(hello.ticketName);
    return {
      connect: () => new SslConnection(context, "server"),
      // Both sides of the memory: the engine keeps this closure, and with it the server.
      beforeHandshake: () => answerAlpn(protocol.address, protocol.length),
      withTicketKey: (handshake) => this.#withTicketKey(context, ticketKey, handshake),
    };
  }

  /** An old ticket is opened with the key that its context gets for this one call. */
  #withTicketKey(context: SslContext, older: Uint8Array | null, handshake: () => void): void {
    if (older === null || context.pointer === 0) {
      handshake();
      return;
    }
    context.setTicketKey(older);
    try {
      handshake();
    } finally {
      if (context.pointer !== 0) context.setTicketKey(this.#ticketKeys.newest);
    }
  }

  #contextFor(serverName: string | null): SslContext | null {
    if (this.#closed) return null;
    if (serverName === null) return this.#contexts.first;
    const found = this.#contexts.find(serverName);
    if (found !== null) return found;
    return this.#config.unknownName === "reject" ? null : this.#contexts.first;
  }
}
