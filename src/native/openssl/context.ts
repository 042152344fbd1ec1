import { NetError } from "../../core/errors.ts";
import { withBytes, withPointer } from "./borrowed.ts";
import {
  addStaple,
  alpnCallback,
  keyLogCallback,
  removeStaple,
  stapleCallback,
} from "./callbacks.ts";
import * as C from "./constants.ts";
import { takeFailure } from "./error-queue.ts";
import { type OpenSsl, openssl } from "./functions.ts";
import { live } from "./live-objects.ts";
import type { Certificate, KeyPair } from "./pem.ts";

/** Length of a ticket key: name, HMAC key and AES key, in this order (s3_lib.c). */
export const TICKET_KEY_BYTES = 80;

/**
 * An SSL_CTX, owned: its pointer is good until `close`. A connection holds a reference of its own, so a
 * context may be closed while connections made from it live.
 *
 * Setters throw a NetError (EINVAL) with OpenSSL's reason.
 */
export class SslContext {
  /** Takes the key log's lines. */
  readonly keyLog: ((line: string) => void) | null;
  readonly #o: OpenSsl = openssl();
  #pointer: number;
  /** X509 pointers under which this context has laid down staples. */
  readonly #stapled: number[] = [];

  constructor(keyLog: ((line: string) => void) | null) {
    const o = this.#o;
    this.keyLog = keyLog;
    o.ERR_clear_error();
    this.#pointer = o.SSL_CTX_new(o.TLS_method());
    if (this.#pointer === 0) throw this.#failed("SSL_CTX_new");
    live.contexts++;
    // An idle connection gives its buffers back, 33 KiB.
    o.SSL_CTX_ctrl(this.#pointer, C.SSL_CTRL_MODE, C.SSL_MODE_RELEASE_BUFFERS, 0);
    // Tickets carry all there is; sessions of clients are kept by us.
    o.SSL_CTX_ctrl(this.#pointer, C.SSL_CTRL_SET_SESS_CACHE_MODE, C.SSL_SESS_CACHE_OFF, 0);
    o.SSL_CTX_set_options(this.#pointer, C.SSL_OP_NO_RENEGOTIATION + C.SSL_OP_NO_COMPRESSION);
    if (keyLog !== null) o.SSL_CTX_set_keylog_callback(this.#pointer, keyLogCallback());
  }

  /** 0 once closed. */
  get pointer(): number {
    return this.#pointer;
  }

  setVersions(min: number, max: number): void {
    this.#control(C.SSL_CTRL_SET_MIN_PROTO_VERSION, min, "minimum version");
    this.#control(C.SSL_CTRL_SET_MAX_PROTO_VERSION, max, "maximum version");
  }

  setCiphers(list: string): void {
    this.#check(this.#o.SSL_CTX_set_cipher_list(this.#pointer, text(list)), `ciphers ${list}`);
  }

  setCipherSuites(list: string): void {
    const done = this.#o.SSL_CTX_set_ciphersuites(this.#pointer, text(list));
    this.#check(done, `cipher suites ${list}`);
  }

  setGroups(list: string): void {
    const done = this.#o.setText(this.#pointer, C.SSL_CTRL_SET_GROUPS_LIST, 0, text(list));
    this.#check(done, `groups ${list}`);
  }

  /**
   * Lets our order of ciphers decide, but for a client that puts ChaCha20 first: it has no instructions
   * for AES.
   */
  preferOwnCiphers(): void {
    const options = C.SSL_OP_CIPHER_SERVER_PREFERENCE + C.SSL_OP_PRIORITIZE_CHACHA;
    this.#o.SSL_CTX_set_options(this.#pointer, options);
  }

  /** Shows a certificate: one a kind of key, a second RSA one replaces the first. */
  addKeyPair(pair: KeyPair, staple: Uint8Array | null): void {
    const o = this.#o;
    const certificate = readX509(o, pair.leaf);
    try {
      this.#check(o.SSL_CTX_use_certificate(this.#pointer, certificate), "certificate");
      this.#useKey(pair.key);
      this.#check(o.SSL_CTX_check_private_key(this.#pointer), "private key");
      for (const link of pair.chain) this.#addToChain(link);
      if (staple === null) return;
      addStaple(certificate, staple);
      this.#stapled.push(certificate);
      o.SSL_CTX_callback_ctrl(this.#pointer, C.SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB, stapleCallback());
    } finally {
      // The context holds a reference.
      o.X509_free(certificate);
    }
  }

  /** Trusts these authorities; `named`: a server tells clients of them. */
  trust(authorities: readonly Certificate[], named: boolean): void {
    const o = this.#o;
    const store = o.SSL_CTX_get_cert_store(this.#pointer);
    for (const authority of authorities) {
      const certificate = readX509(o, authority);
      o.ERR_clear_error();
      const done = o.X509_STORE_add_cert(store, certificate);
      if (done === 1 && named) o.SSL_CTX_add_client_CA(this.#pointer, certificate);
      o.X509_free(certificate);
      this.#check(done, "authority");
    }
  }

  /** `mode`: SSL_VERIFY_… */
  setVerify(mode: number): void {
    this.#o.SSL_CTX_set_verify(this.#pointer, mode, 0);
  }

  /** At most 32 bytes: sessions are resumed among contexts with the same. */
  setSessionIdContext(bytes: Uint8Array): void {
    const done = withBytes(bytes, (address) =>
      this.#o.SSL_CTX_set_session_id_context(this.#pointer, address, bytes.length),
    );
    this.#check(done, "session id context");
  }

  /** `count` tickets a full handshake, good for `lifetime` seconds; 0: no resumption. */
  setTickets(count: number, lifetime: number): void {
    this.#o.SSL_CTX_set_num_tickets(this.#pointer, count);
    this.#o.SSL_CTX_set_timeout(this.#pointer, lifetime);
    if (count === 0) this.#o.SSL_CTX_set_options(this.#pointer, C.SSL_OP_NO_TICKET);
  }

  /** TICKET_KEY_BYTES, which are copied. Used from the next call on. */
  setTicketKey(key: Uint8Array): void {
    const done = withBytes(key, (address) =>
      this.#o.SSL_CTX_ctrl(this.#pointer, C.SSL_CTRL_SET_TLSEXT_TICKET_KEYS, key.length, address),
    );
    this.#check(done, `a ticket key of ${key.length} bytes`);
  }

  /** Offers protocols, as a client: RFC 7301's list of names with lengths. */
  offerAlpn(list: Uint8Array): void {
    const failed = withBytes(list, (address) =>
      this.#o.SSL_CTX_set_alpn_protos(this.#pointer, address, list.length),
    );
    this.#check(failed === 0 ? 1 : 0, "ALPN protocols");
  }

  /** Answers ALPN by what `answerAlpn` was told before the call. */
  selectAlpn(): void {
    this.#o.SSL_CTX_set_alpn_select_cb(this.#pointer, alpnCallback(), 0);
  }

  close(): void {
    if (this.#pointer === 0) return;
    for (const certificate of this.#stapled) removeStaple(certificate);
    this.#o.SSL_CTX_free(this.#pointer);
    this.#pointer = 0;
    live.contexts--;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #useKey(der: Uint8Array): void {
    const o = this.#o;
    o.ERR_clear_error();
    const key = withPointer(der, (pointer) => o.d2i_AutoPrivateKey(0, pointer, der.length));
    if (key === 0) throw this.#failed("private key");
    const done = o.SSL_CTX_use_PrivateKey(this.#pointer, key);
    o.EVP_PKEY_free(key);
    this.#check(done, "private key");
  }

  #addToChain(link: Certificate): void {
    const certificate = readX509(this.#o, link);
    // 1: the context takes a reference of its own.
    const done = this.#o.SSL_CTX_ctrl(this.#pointer, C.SSL_CTRL_CHAIN_CERT, 1, certificate);
    this.#o.X509_free(certificate);
    this.#check(done, "chain");
  }

  #control(command: number, value: number, what: string): void {
    this.#check(this.#o.SSL_CTX_ctrl(this.#pointer, command, value, 0), what);
  }

  #check(result: number, what: string): void {
    if (result !== 1) throw this.#failed(what);
  }

  #failed(what: string): NetError {
    const { reason } = takeFailure();
    return new NetError("EINVAL", `${what}: ${reason || "refused by OpenSSL"}`, {
      source: "internal",
    });
  }
}

/** An X509, whose caller owns it. */
function readX509(o: OpenSsl, { der }: Certificate): number {
  o.ERR_clear_error();
  const certificate = withPointer(der, (pointer) => o.d2i_X509(0, pointer, der.length));
  if (certificate !== 0) return certificate;
  const { reason } = takeFailure();
  throw new NetError("EINVAL", `certificate: ${reason}`, { source: "internal" });
}

/** C's strings end at the first zero byte: one inside would cut a list short. */
function text(value: string): string {
  if (!/^[\x21-\x7e]*$/.test(value)) {
    throw new NetError("EINVAL", `not a list for OpenSSL: ${JSON.stringify(value)}`, {
      source: "internal",
    });
  }
  return value;
}
