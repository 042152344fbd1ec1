import { allocBytes, copyBytes } from "../core/bytes.ts";
import type { NetError } from "../core/errors.ts";
import type { Outcome, SslConnection } from "../native/openssl/connection.ts";
import { givePlaintext, takePlaintext } from "../native/openssl/plaintext.ts";
import {
  type RecordInput,
  type RecordOutput,
  recordInput,
  recordOutput,
} from "../native/openssl/record-buffers.ts";
import { addressOfRange } from "../native/openssl/source-bytes.ts";
import type { TlsConnection, TlsEngine, TlsEngineOwner, TlsState } from "./engine.ts";
import { broken, handshakeError, protocolError, truncated } from "./faults.ts";
import { Negotiated } from "./negotiated.ts";

/** Ciphertext or plaintext for one call into OpenSSL, so that what comes of it has a bound. */
const PIECE = 64 * 1024;
/** The longest plaintext of a record (RFC 8446 §5.1): a read must have that much room. */
const LONGEST_PLAINTEXT = 16 * 1024;
/** What a paused engine keeps at most; who feeds more does not heed the pause. */
const MOST_HELD = 1024 * 1024;

/**
 * A `TlsEngine` on an `SslConnection`, which it owns from the moment that the role makes it until
 * `close` or failure. One call into OpenSSL a record, plus one where a record is cut: OpenSSL reads the
 * bytes where they lie, and what it writes is lent from where it wrote it.
 */
export abstract class OpenSslEngine implements TlsEngine {
  readonly role: "server" | "client";
  state: TlsState;
  connection: TlsConnection | null = null;
  protected ssl: SslConnection | null = null;
  protected readonly owner: TlsEngineOwner;
  readonly #input: RecordInput = recordInput();
  readonly #output: RecordOutput = recordOutput();
  #paused = false;
  /** In `#pump`: what is resumed goes on there. */
  #pumping = false;
  /** Ciphertext that came while paused, or was left over by a pause. */
  #held: Uint8Array | null = null;
  #ended = false;
  #peerEnded = false;
  #peerEndTold = false;
  #sessionKept = false;

  constructor(role: "server" | "client", state: TlsState, owner: TlsEngineOwner) {
    this.role = role;
    this.state = state;
    this.owner = owner;
  }

  abstract start(): void;

  /** Bytes of a client whose hello is not whole yet. */
  protected abstract receiveHello(bytes: Uint8Array, start: number, end: number): void;

  /** Before each call that goes on with the handshake. */
  protected abstract beforeHandshake(): void;

  /** Before the connection is freed, or once data has come. */
  protected abstract keepSession(ssl: SslConnection): void;

  receive(bytes: Uint8Array, start: number, end: number): void {
    if (start >= end) return;
    if (this.state === "hello") this.receiveHello(bytes, start, end);
    else if (this.state === "handshake" || this.state === "open") {
      const paused = this.#paused && this.state === "open";
      if (paused || this.#held !== null || this.#pumping) this.#hold(bytes, start, end);
      else this.#pump(bytes, start, end);
    }
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    const { ssl } = this;
    if (this.state !== "open" || ssl === null || this.#ended) {
      throw new Error(this.#ended ? "write after end" : "write without a handshake");
    }
    for (let at = start; at < end; ) {
      const to = Math.min(at + PIECE, end);
      // TLS inside of TLS: what OpenSSL reads must not be where it writes.
      const copy = this.#output.owns(bytes) ? copyOf(bytes, at, to) : null;
      const address =
        copy === null ? addressOfRange(bytes, at, to) : addressOfRange(copy, 0, copy.length);
      const from = ssl.beginWrite();
      const written = ssl.write(address, to - at);
      this.#flush(from);
      if (!written) {
        this.fail(protocolError(this.role, ssl));
        return;
      }
      at = to;
    }
  }

  end(): void {
    const { ssl } = this;
    if (this.state !== "open" || ssl === null || this.#ended) return;
    this.#ended = true;
    const from = ssl.beginWrite();
    ssl.shutdown();
    this.#flush(from);
  }

  receiveEnd(): void {
    const { state } = this;
    if (state === "failed" || state === "closed" || this.#peerEnded) return;
    // RFC 8446 §6.1: without close_notify nobody knows whether this was all.
    this.fail(truncated(this.role, state === "open"));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#pumping) return;
    const held = this.#held;
    this.#held = null;
    if (held !== null) this.#pump(held, 0, held.length);
    else this.#tellPeerEnd();
  }

  /** Something waits for `resume`. */
  get holding(): boolean {
    return this.#held !== null || (this.#peerEnded && !this.#peerEndTold);
  }

  close(): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#free();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Goes on with the handshake by bytes that the role has looked at. */
  protected pump(bytes: Uint8Array, start: number, end: number): void {
    this.#pump(bytes, start, end);
  }

  /** A client's first flight. */
  protected beginHandshake(): void {
    this.#input.clear();
    const outcome = this.#handshake(this.ssl!);
    if (outcome !== "want-input") this.#failHandshake();
  }

  /** Frees the connection, then tells. An alert has been handed out before. */
  protected fail(error: NetError): void {
    if (this.state === "failed" || this.state === "closed") return;
    this.state = "failed";
    this.#free();
    this.owner.onError(error);
  }

  #free(): void {
    const { ssl } = this;
    this.#held = null;
    if (ssl === null) return;
    if (this.connection !== null) this.#keepEarly(ssl);
    if (this.connection instanceof Negotiated) this.connection.detach();
    this.ssl = null;
    ssl.close();
  }

  /** Feeds all of it, piece by piece, until it is used up, a pause comes or the state forbids. */
  #pump(bytes: Uint8Array, start: number, end: number): void {
    this.#pumping = true;
    try {
      let at = start;
      while (at < end && (this.state === "handshake" || this.state === "open")) {
        if (this.#paused && this.state === "open") {
          this.#hold(bytes, at, end);
          break;
        }
        const to = Math.min(at + PIECE, end);
        // Each time anew: callbacks may have run other connections through the same buffers.
        this.#input.lend(addressOfRange(bytes, at, to), to - at);
        at = this.state === "open" ? this.#read(to) : this.#advance(to);
      }
    } finally {
      this.#input.clear();
      this.#pumping = false;
    }
    if (this.#held !== null && !this.#paused && this.state === "open") this.resume();
    else this.#tellPeerEnd();
  }

  /** A step of the handshake with the input that was lent: where in it to go on, `to` for nowhere. */
  #advance(to: number): number {
    const ssl = this.ssl!;
    const outcome = this.#handshake(ssl);
    const at = to - this.#input.remaining;
    if (outcome === "want-input") return to;
    if (outcome !== "done") {
      this.#failHandshake();
      return to;
    }
    this.state = "open";
    this.connection = new Negotiated(ssl, this.serverName);
    this.owner.onHandshake();
    return at;
  }

  /** What SNI named. */
  protected abstract readonly serverName: string | null;

  #handshake(ssl: SslConnection): Outcome {
    this.beforeHandshake();
    const from = ssl.begin();
    const outcome = ssl.handshake();
    const remaining = this.#input.remaining;
    if (this.#output.length > from) this.#flush(from);
    // A transport calls nothing back from its `write`, so the input is as it was.
    if (remaining !== this.#input.remaining) throw new Error("the owner called back from a write");
    return outcome;
  }

  #failHandshake(): void {
    this.fail(handshakeError(this.role, this.ssl!));
  }

  /** Decrypts the records of the input that was lent: where to go on. */
  #read(to: number): number {
    const ssl = this.ssl!;
    const input = this.#input;
    const plaintext = takePlaintext();
    try {
      const from = ssl.begin();
      let length = 0;
      let outcome: Outcome = "done";
      do {
        const n = ssl.read(plaintext.address + length, plaintext.length - length);
        if (n === 0) outcome = ssl.readOutcome();
        length += n;
        // A record is read whole, and nothing beyond it: with the input used up nothing is left.
      } while (
        outcome === "done" &&
        input.remaining > 0 &&
        plaintext.length - length >= LONGEST_PLAINTEXT
      );
      const at = to - input.remaining;
      this.#flush(from);
      if (outcome === "ended") this.#peerEnded = true;
      const error = outcome === "failed" ? protocolError(this.role, ssl) : null;
      if (length > 0) {
        this.#keepEarly(ssl);
        this.owner.onPlaintext(plaintext.bytes, 0, length);
      }
      if (error !== null) this.fail(error);
      // RFC 8446 §6.1: what comes after close_notify is ignored.
      return this.#peerEnded ? Number.MAX_SAFE_INTEGER : at;
    } finally {
      givePlaintext(plaintext);
    }
  }

  /** A ticket comes with the first data, and the connection may live for hours (RFC 8446 §4.6.1). */
  #keepEarly(ssl: SslConnection): void {
    if (this.#sessionKept) return;
    this.#sessionKept = true;
    this.keepSession(ssl);
  }

  #tellPeerEnd(): void {
    if (!this.#peerEnded || this.#peerEndTold || this.#paused || this.state !== "open") return;
    this.#peerEndTold = true;
    this.owner.onPeerEnd();
  }

  #flush(from: number): void {
    const output = this.#output;
    const to = output.length;
    if (to === from) return;
    output.beginLoan();
    try {
      this.owner.onCiphertext(output.bytes, from, to);
    } finally {
      output.endLoan();
    }
  }

  #hold(bytes: Uint8Array, start: number, end: number): void {
    const had = this.#held?.length ?? 0;
    if (had + end - start > MOST_HELD) {
      this.fail(broken(this.role, "too much came during a pause"));
      return;
    }
    const held = allocBytes(had + end - start);
    if (this.#held !== null) copyBytes(this.#held, 0, had, held, 0);
    copyBytes(bytes, start, end, held, had);
    this.#held = held;
  }
}

function copyOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = allocBytes(end - start);
  copyBytes(bytes, start, end, copy, 0);
  return copy;
}
