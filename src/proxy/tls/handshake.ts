import { NetError } from "../../core/errors.ts";
import { after, type Instant, micros } from "../../core/time.ts";
import type { Stream, StreamHandler, Transport } from "../../core/transport.ts";
import { acceptTls } from "../../tls/accept.ts";
import type { ClientHello } from "../../tls/client-hello.ts";
import type { TlsServer } from "../../tls/server.ts";
import type { TlsAcceptOptions, TlsStream } from "../../tls/stream-api.ts";
import type { Challenges } from "../challenges.ts";
import { Deadline } from "../deadline.ts";
import type { ClientConnection } from "../sides.ts";
import type { ListenerTlsSettings } from "./settings.ts";

/** How a listener secures its streams, in one worker. */
export interface Securing {
  readonly server: TlsServer;
  readonly settings: ListenerTlsSettings;
  readonly challenges: Challenges;
}

/** Whom a handshake is for. */
export interface HandshakeOwner {
  /** It is complete; returns the stream's owner. */
  secured(stream: TlsStream, handshake: Handshake): StreamHandler;
  /**
   * The client named a server; returns who takes the stream over as it is, TLS and all: told of every
   * byte from the first. Null: it is terminated here.
   */
  passedThrough(serverName: string, stream: Stream, handshake: Handshake): StreamHandler | null;
  /** Letters came, as of plain HTTP; returns who takes the stream over. */
  unsecured(stream: Stream, handshake: Handshake): StreamHandler;
  /** The connection is gone before it was complete; null: cut off by us. */
  unfinished(handshake: Handshake, error: NetError | null): void;
}

/**
 * A client's connection on a TLS port until its handshake is complete. It looks at the first byte, so
 * that a client which speaks plain HTTP can be told; until that came it costs next to nothing.
 */
export class Handshake implements ClientConnection, StreamHandler {
  readonly #raw: Stream;
  readonly #transport: Transport;
  readonly #securing: Securing;
  readonly #owner: HandshakeOwner;
  readonly #until: Instant;
  readonly #deadline: Deadline;

  constructor(raw: Stream, transport: Transport, securing: Securing, owner: HandshakeOwner) {
    this.#raw = raw;
    this.#transport = transport;
    this.#securing = securing;
    this.#owner = owner;
    const { handshakeTimeout } = securing.settings;
    this.#until = after(transport.now(), handshakeTimeout);
    this.#deadline = new Deadline(this, transport);
    this.#deadline.set(transport.now(), handshakeTimeout);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.#deadline.dispose();
    const raw = this.#raw;
    const handler = isLetter(buf[start]!) ? this.#owner.unsecured(raw, this) : this.#begin();
    raw.handler = handler;
    handler.onData(buf, start, end);
  }

  onWritable(): void {}

  onEnd(): void {
    this.#raw.close();
  }

  onClose(error: NetError | null): void {
    this.#deadline.dispose();
    this.#owner.unfinished(this, error ?? closedSilently());
  }

  onDeadline(): void {
    this.#owner.unfinished(this, silent());
    this.#raw.abort();
  }

  /** It has a time limit of its own, which is short. */
  drain(): void {}

  abort(): void {
    this.#owner.unfinished(this, null);
    this.#raw.abort();
  }

  #begin(): StreamHandler {
    const { server, settings, challenges } = this.#securing;
    const asked = challenges.tlsServer !== null || settings.passthrough.length > 0;
    const options = {
      ...this.#accepting(server),
      ...(asked && { onHello: (hello: ClientHello, raw: Stream) => this.#onHello(hello, raw) }),
    };
    // TLS refuses nothing before it has seen a hello.
    return acceptTls(options, (stream) => this.#owner.secured(stream, this))(this.#raw)!;
  }

  /** Who takes the stream over in place of the listener's own TLS; null: nobody. */
  #onHello(hello: ClientHello, raw: Stream): StreamHandler | null {
    const { serverName } = hello;
    const validated = this.#validate(this.#securing.challenges, hello, raw);
    if (validated !== null || serverName === null) return validated;
    return this.#owner.passedThrough(serverName, raw, this);
  }

  #accepting(server: TlsServer): TlsAcceptOptions {
    return {
      server,
      transport: this.#transport,
      timeout: micros(Math.max(this.#until - this.#transport.now(), 1)),
      onFailure: (error: NetError) => this.#owner.unfinished(this, error),
    };
  }

  /** An authority looks whether a name is ours: it is shown a certificate, and that is all. */
  #validate(challenges: Challenges, hello: ClientHello, raw: Stream): StreamHandler | null {
    const server = challenges.serverFor(hello);
    if (server === null) return null;
    return acceptTls(
      this.#accepting(server),
      (stream) => new Validated(stream, this, this.#owner),
    )(raw);
  }
}

/** RFC 8737 §3: once the handshake is complete, the connection is closed. */
class Validated implements StreamHandler {
  readonly #handshake: Handshake;
  readonly #owner: HandshakeOwner;

  constructor(stream: Stream, handshake: Handshake, owner: HandshakeOwner) {
    this.#handshake = handshake;
    this.#owner = owner;
    stream.close();
  }

  onData(): void {}
  onWritable(): void {}
  onEnd(): void {}

  onClose(): void {
    this.#owner.unfinished(this.#handshake, null);
  }
}

/** Methods of HTTP begin with one; no record of TLS does. */
const isLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;

const closedSilently = (): NetError =>
  new NetError("TLS_HANDSHAKE", "TLS handshake: the client closed before it said anything", {
    source: "downstream",
  });

const silent = (): NetError =>
  new NetError("TLS_TIMEOUT", "TLS handshake: the client says nothing", { source: "downstream" });
