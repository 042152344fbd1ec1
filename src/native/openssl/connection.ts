import { NetError } from "../../core/errors.ts";
import { PinnedMemory } from "../memory.ts";
import { withBytes } from "./borrowed.ts";
import { keyLogTo } from "./callbacks.ts";
import * as C from "./constants.ts";
import type { SslContext } from "./context.ts";
import { NO_FAILURE, type OpenSslFailure, takeFailure } from "./error-queue.ts";
import { type OpenSsl, openssl } from "./functions.ts";
import { live } from "./live-objects.ts";
import {
  type RecordInput,
  type RecordOutput,
  recordInput,
  recordOutput,
} from "./record-buffers.ts";
import { SslSession } from "./session.ts";

/** What a call came to: it did its work · it wants bytes that have not come · close_notify · an error. */
export type Outcome = "done" | "want-input" | "ended" | "failed";

/** Names of ciphers by the address of OpenSSL's constant description. */
const cipherNames = new Map<number, string>();

let scratchMemory: PinnedMemory | null = null;
/** For results by pointer; lives as long as the thread. */
const scratch = (): PinnedMemory => (scratchMemory ??= new PinnedMemory(16 + 256));

/**
 * An SSL, owned: freed by `close`, after which no method may be called. It reads what `recordInput` was
 * lent before the call, and writes to `recordOutput`, after `begin`.
 */
export class SslConnection {
  readonly #o: OpenSsl = openssl();
  readonly #input: RecordInput = recordInput();
  readonly #output: RecordOutput = recordOutput();
  readonly #keyLog: ((line: string) => void) | null;
  #ssl: number;
  /** After "failed": why. */
  failure: OpenSslFailure = NO_FAILURE;

  constructor(context: SslContext, role: "server" | "client") {
    const o = this.#o;
    this.#keyLog = context.keyLog;
    if (context.pointer === 0) throw new Error("the TLS context is closed");
    o.ERR_clear_error();
    this.#ssl = o.SSL_new(context.pointer);
    if (this.#ssl === 0) throw outOfMemory();
    live.connections++;
    // The SSL takes a reference to each.
    o.BIO_up_ref(this.#input.bio);
    o.BIO_up_ref(this.#output.bio);
    o.SSL_set_bio(this.#ssl, this.#input.bio, this.#output.bio);
    if (role === "server") o.SSL_set_accept_state(this.#ssl);
    else o.SSL_set_connect_state(this.#ssl);
  }

  get closed(): boolean {
    return this.#ssl === 0;
  }

  /** As a client: the name for SNI. Before the handshake. */
  setServerName(name: string): void {
    this.#o.setConnectionText(this.#ssl, C.SSL_CTRL_SET_TLSEXT_HOSTNAME, 0, plain(name));
  }

  /** As a client: offers these protocols instead of the context's, as `SslContext.offerAlpn`. */
  offerAlpn(list: Uint8Array): void {
    const failed = withBytes(list, (address) =>
      this.#o.SSL_set_alpn_protos(this.#ssl, address, list.length),
    );
    if (failed !== 0) throw new NetError("EINVAL", "not ALPN protocols", { source: "internal" });
  }

  /** As a client: the name that the peer's certificate must bear. Before the handshake. */
  expectName(name: string, isIp: boolean): void {
    const o = this.#o;
    const parameters = o.SSL_get0_param(this.#ssl);
    o.X509_VERIFY_PARAM_set_hostflags(parameters, C.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const done = isIp
      ? o.X509_VERIFY_PARAM_set1_ip_asc(parameters, plain(name))
      : o.SSL_set1_host(this.#ssl, plain(name));
    if (done !== 1) throw new NetError("EINVAL", `not a name: ${name}`, { source: "internal" });
  }

  /** As a client: tries to resume. Before the handshake. */
  resume(session: SslSession): void {
    if (session.pointer !== 0) this.#o.SSL_set_session(this.#ssl, session.pointer);
  }

  /**
   * Begins a call or several: makes room for what they write, and empties the queue of errors, which
   * Node shares. Returns the output's length; what lies behind it afterwards is ours to send.
   */
  begin(): number {
    this.#o.ERR_clear_error();
    return this.beginWrite();
  }

  /** The same for `write` and `shutdown`, whose results say enough. */
  beginWrite(): number {
    this.#output.prepare();
    keyLogTo(this.#keyLog);
    return this.#output.length;
  }

  handshake(): Outcome {
    const result = this.#o.SSL_do_handshake(this.#ssl);
    return result === 1 ? "done" : this.#why();
  }

  /**
   * Decrypts at most one record to memory of at least 16 KiB: its length, or 0; then `readOutcome`
   * tells why. The range must be valid.
   */
  read(address: number, capacity: number): number {
    const n = this.#o.SSL_read(this.#ssl, address, capacity);
    return n > 0 ? n : 0;
  }

  /** After a read of 0 bytes. */
  readOutcome(): Outcome {
    return this.#why();
  }

  /** Encrypts all of it. False where the connection has failed. The range must be valid. */
  write(address: number, length: number): boolean {
    if (this.#o.SSL_write(this.#ssl, address, length) === length) return true;
    this.failure = takeFailure();
    return false;
  }

  /** Writes our close_notify, once. */
  shutdown(): void {
    this.#o.SSL_shutdown(this.#ssl);
  }

  /** 0x0303 or 0x0304. */
  get version(): number {
    return this.#o.SSL_version(this.#ssl);
  }

  get resumed(): boolean {
    return this.#o.SSL_session_reused(this.#ssl) === 1;
  }

  get cipher(): string {
    const cipher = this.#o.SSL_get_current_cipher(this.#ssl);
    let name = cipherNames.get(cipher);
    if (name === undefined) {
      name = cipher === 0 ? "" : this.#o.SSL_CIPHER_get_name(cipher);
      cipherNames.set(cipher, name);
    }
    return name;
  }

  /** The protocol that ALPN settled, as latin-1 text; null where there is none. */
  get alpn(): string | null {
    const out = scratch();
    out.words[2] = 0;
    this.#o.SSL_get0_alpn_selected(this.#ssl, out.address, out.address + 8);
    const length = out.words[2]!;
    if (length <= 0 || length > 255) return null;
    const from = Number(out.bytes.readBigUInt64LE(0));
    this.#o.memcpy(out.address + 16, from, length);
    return out.bytes.toString("latin1", 16, 16 + length);
  }

  /** X509_V_OK, or why the peer's certificate was not accepted. */
  get verifyFailure(): string | null {
    const result = this.#o.SSL_get_verify_result(this.#ssl);
    return result === C.X509_V_OK ? null : this.#o.X509_verify_cert_error_string(result);
  }

  /** The peer's certificate in DER form, as a copy; null where it sent none. */
  peerCertificate(): Uint8Array | null {
    const o = this.#o;
    const certificate = o.SSL_get1_peer_certificate(this.#ssl);
    if (certificate === 0) return null;
    try {
      return this.#derOf(certificate);
    } finally {
      o.X509_free(certificate);
    }
  }

  /** A client's: what the server has shown, accepted or not, in DER form; null where that is not kept. */
  shownCertificate(): Uint8Array | null {
    const chain = this.#o.SSL_get_peer_cert_chain(this.#ssl);
    const leaf = chain === 0 ? 0 : this.#o.OPENSSL_sk_value(chain, 0);
    return leaf === 0 ? null : this.#derOf(leaf);
  }

  #derOf(certificate: number): Uint8Array | null {
    const o = this.#o;
    const length = o.i2d_X509(certificate, 0);
    if (length <= 0) return null;
    const copy = new PinnedMemory(length);
    const pointer = scratch();
    pointer.bytes.writeBigUInt64LE(BigInt(copy.address), 0);
    o.i2d_X509(certificate, pointer.address);
    return Uint8Array.from(copy.bytes.subarray(0, length));
  }

  /** The session as it stands now, whose owner the caller becomes; null where it cannot be resumed. */
  session(): SslSession | null {
    const pointer = this.#o.SSL_get1_session(this.#ssl);
    if (pointer === 0) return null;
    const session = new SslSession(pointer);
    if (session.resumable) return session;
    session.close();
    return null;
  }

  close(): void {
    if (this.#ssl === 0) return;
    // Or OpenSSL spoils the session, which others may resume.
    this.#o.SSL_set_shutdown(this.#ssl, C.SSL_SENT_SHUTDOWN | C.SSL_RECEIVED_SHUTDOWN);
    this.#o.SSL_free(this.#ssl);
    this.#ssl = 0;
    live.connections--;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * After a call without a result. In the middle of a message the SSL says that it wants to read even
   * where it has failed, and a fatal alert marks it as close_notify does: what failed left an entry in
   * the queue of errors, which was empty before.
   */
  #why(): Outcome {
    const failure = takeFailure();
    if (failure.reason === "") {
      if (this.#o.SSL_want(this.#ssl) === C.SSL_READING) return "want-input";
      const told = this.#o.SSL_get_shutdown(this.#ssl);
      if ((told & C.SSL_RECEIVED_SHUTDOWN) !== 0) return "ended";
    }
    this.failure = failure;
    return "failed";
  }
}

const outOfMemory = (): NetError =>
  new NetError("TLS_HANDSHAKE", "OpenSSL has no memory for a connection", { source: "internal" });

/** C's strings end at the first zero byte. */
function plain(name: string): string {
  if (!name.includes("\0")) return name;
  throw new NetError("EINVAL", "a name with a zero byte", { source: "internal" });
}
