import { allocBytes, copyBytes } from "../core/bytes.ts";
import type { SslConnection } from "../native/openssl/connection.ts";
import { type ClientHello, LONGEST_HELLO, parseClientHello } from "./client-hello.ts";
import type { TlsEngineOwner } from "./engine.ts";
import { refused } from "./faults.ts";
import { OpenSslEngine } from "./openssl-engine.ts";
import type { HelloHook } from "./server-config.ts";

/** How a server goes on with a client. */
export interface HelloAnswer {
  connect(): SslConnection;
  /** Lays out what callbacks will answer. */
  beforeHandshake(): void;
  /** Runs the step that looks at the client's ticket, with the key which that needs. */
  withTicketKey(handshake: () => void): void;
}

/** Records of 16 KiB with headers: what a hello of the greatest length may take. */
const MOST_BYTES = LONGEST_HELLO + 4 + 64 * 5;

// RFC 8446 §6: fatal (2) alerts in plaintext, as a record of the legacy version 3.3 or 3.1.
const ALERT_UNRECOGNIZED_NAME = alert(112);
const ALERT_DECODE_ERROR = alert(50);

/**
 * The server's side. It reads the hello itself, and chooses certificate, protocol and ticket key before
 * OpenSSL begins: so no callback has to decide anything, and a client that says nothing costs nothing.
 */
export class ServerEngine extends OpenSslEngine {
  readonly #answerTo: (hello: ClientHello) => HelloAnswer | null;
  readonly #onHello: HelloHook | null;
  #answer: HelloAnswer | null = null;
  #seen: Uint8Array | null = null;
  #serverName: string | null = null;

  constructor(
    owner: TlsEngineOwner,
    answerTo: (hello: ClientHello) => HelloAnswer | null,
    onHello: HelloHook | null,
  ) {
    super("server", "hello", owner);
    this.#answerTo = answerTo;
    this.#onHello = onHello;
  }

  start(): void {}

  override close(): void {
    this.#seen = null;
    super.close();
  }

  protected override get serverName(): string | null {
    return this.#serverName;
  }

  protected override receiveHello(bytes: Uint8Array, start: number, end: number): void {
    const seen = this.#seen;
    if (seen === null) {
      this.#tryHello(bytes, start, end);
      return;
    }
    const joined = allocBytes(seen.length + end - start);
    copyBytes(seen, 0, seen.length, joined, 0);
    copyBytes(bytes, start, end, joined, seen.length);
    this.#tryHello(joined, 0, joined.length);
  }

  protected override beforeHandshake(): void {
    this.#answer?.beforeHandshake();
  }

  protected override keepSession(): void {}

  #tryHello(bytes: Uint8Array, start: number, end: number): void {
    const hello = parseClientHello(bytes, start, end);
    if (hello === "not-tls") {
      this.#refuse(null, notTls(bytes, start, end));
    } else if (hello === "malformed" || (hello === "incomplete" && end - start > MOST_BYTES)) {
      this.#refuse(ALERT_DECODE_ERROR, "the ClientHello is malformed");
    } else if (hello === "incomplete") {
      this.#keep(bytes, start, end);
    } else this.#onWholeHello(hello, bytes, start, end);
  }

  #onWholeHello(hello: ClientHello, bytes: Uint8Array, start: number, end: number): void {
    if (this.#onHello !== null) {
      this.#keep(bytes, start, end);
      if (this.#onHello(hello, bytes, start, end) === "release") {
        this.close();
        return;
      }
      if (this.state !== "hello") return;
    }
    const answer = this.#answerTo(hello);
    if (answer === null) {
      this.#refuse(
        ALERT_UNRECOGNIZED_NAME,
        `no certificate for ${hello.serverName ?? "clients that name no host"}`,
      );
      return;
    }
    this.#seen = null;
    this.#answer = answer;
    this.#serverName = hello.serverName;
    this.ssl = answer.connect();
    this.state = "handshake";
    answer.withTicketKey(() => this.pump(bytes, start, end));
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (bytes === this.#seen) return;
    const seen = allocBytes(end - start);
    copyBytes(bytes, start, end, seen, 0);
    this.#seen = seen;
  }

  #refuse(record: Uint8Array | null, why: string): void {
    if (record !== null) this.owner.onCiphertext(record, 0, record.length);
    this.fail(refused("server", why));
  }
}

/** Words for whoever reads the log: a plain request is the usual mistake. */
function notTls(bytes: Uint8Array, start: number, end: number): string {
  const letters = end - start >= 3 && [0, 1, 2].every((i) => isUpper(bytes[start + i]!));
  return letters
    ? "what came looks like plain HTTP, and this port speaks TLS"
    : "what came is not TLS";
}

const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

function alert(description: number): Uint8Array {
  return Uint8Array.of(21, 3, 3, 0, 2, 2, description);
}
