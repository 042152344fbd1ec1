import { nativeAvailable, nativeFunctions } from "../libc.ts";

/**
 * The functions of OpenSSL that Millrace calls: those inside the running Node, in its very version.
 * Pointers are numbers, as in `../libc.ts`; who owns what a pointer names stands at the classes that
 * hold it. All of it belongs to one thread.
 */
export interface OpenSsl {
  // errors of this thread
  ERR_clear_error(): void;
  ERR_get_error(): number;
  ERR_reason_error_string(error: number): string | null;
  // memory
  memcpy(to: number, from: number, length: number): number;
  CRYPTO_malloc(length: number, file: string, line: number): number;
  SHA256(bytes: number, length: number, digest: number): number;
  // BIO
  BIO_new(method: number): number;
  BIO_s_mem(): number;
  BIO_new_mem_buf(memory: number, length: number): number;
  BIO_ctrl(bio: number, command: number, long: number, pointer: number): number;
  BIO_set_flags(bio: number, flags: number): void;
  BIO_read(bio: number, memory: number, length: number): number;
  BIO_write(bio: number, memory: number, length: number): number;
  BIO_up_ref(bio: number): number;
  // certificates and keys
  d2i_X509(target: number, pointerToBytes: number, length: number): number;
  i2d_X509(certificate: number, pointerToBytes: number): number;
  X509_free(certificate: number): void;
  X509_STORE_add_cert(store: number, certificate: number): number;
  X509_verify_cert_error_string(result: number): string;
  X509_VERIFY_PARAM_set_hostflags(param: number, flags: number): void;
  X509_VERIFY_PARAM_set1_ip_asc(param: number, ip: string): number;
  d2i_AutoPrivateKey(target: number, pointerToBytes: number, length: number): number;
  EVP_PKEY_free(key: number): void;
  // contexts
  TLS_method(): number;
  SSL_CTX_new(method: number): number;
  SSL_CTX_free(context: number): void;
  SSL_CTX_ctrl(context: number, command: number, long: number, pointer: number): number;
  setText(context: number, command: number, long: number, text: string): number;
  SSL_CTX_callback_ctrl(context: number, command: number, callback: number): number;
  SSL_CTX_set_options(context: number, options: number): number;
  SSL_CTX_set_cipher_list(context: number, list: string): number;
  SSL_CTX_set_ciphersuites(context: number, list: string): number;
  SSL_CTX_set_num_tickets(context: number, count: number): number;
  SSL_CTX_set_timeout(context: number, seconds: number): number;
  SSL_CTX_set_session_id_context(context: number, bytes: number, length: number): number;
  SSL_CTX_set_alpn_protos(context: number, list: number, length: number): number;
  SSL_CTX_set_alpn_select_cb(context: number, callback: number, argument: number): void;
  SSL_CTX_set_keylog_callback(context: number, callback: number): void;
  SSL_CTX_set_verify(context: number, mode: number, callback: number): void;
  SSL_CTX_get_cert_store(context: number): number;
  SSL_CTX_add_client_CA(context: number, certificate: number): number;
  SSL_CTX_use_certificate(context: number, certificate: number): number;
  SSL_CTX_use_PrivateKey(context: number, key: number): number;
  SSL_CTX_check_private_key(context: number): number;
  // connections
  SSL_new(context: number): number;
  SSL_free(ssl: number): void;
  SSL_set_bio(ssl: number, read: number, write: number): void;
  SSL_set_accept_state(ssl: number): void;
  SSL_set_connect_state(ssl: number): void;
  SSL_do_handshake(ssl: number): number;
  SSL_read(ssl: number, memory: number, length: number): number;
  SSL_write(ssl: number, memory: number, length: number): number;
  SSL_want(ssl: number): number;
  SSL_get_shutdown(ssl: number): number;
  SSL_shutdown(ssl: number): number;
  SSL_set_shutdown(ssl: number, mode: number): void;
  SSL_ctrl(ssl: number, command: number, long: number, pointer: number): number;
  setConnectionText(ssl: number, command: number, long: number, text: string): number;
  SSL_set1_host(ssl: number, name: string): number;
  SSL_get0_param(ssl: number): number;
  SSL_version(ssl: number): number;
  SSL_session_reused(ssl: number): number;
  SSL_get_current_cipher(ssl: number): number;
  SSL_CIPHER_get_name(cipher: number): string;
  SSL_set_alpn_protos(ssl: number, list: number, length: number): number;
  SSL_get0_alpn_selected(ssl: number, pointer: number, length: number): void;
  SSL_get_verify_result(ssl: number): number;
  /** Borrowed: a stack, which a client has with the server's own certificate first. */
  SSL_get_peer_cert_chain(ssl: number): number;
  OPENSSL_sk_value(stack: number, index: number): number;
  SSL_get1_peer_certificate(ssl: number): number;
  SSL_get_certificate(ssl: number): number;
  // sessions
  SSL_get1_session(ssl: number): number;
  SSL_set_session(ssl: number, session: number): number;
  SSL_SESSION_free(session: number): void;
  SSL_SESSION_is_resumable(session: number): number;
}

const P = "uintptr_t";

const PROTOTYPES: Readonly<Record<keyof OpenSsl, string>> = {
  ERR_clear_error: "void ERR_clear_error()",
  ERR_get_error: "unsigned long ERR_get_error()",
  ERR_reason_error_string: "str ERR_reason_error_string(unsigned long)",
  memcpy: `${P} memcpy(${P}, ${P}, size_t)`,
  CRYPTO_malloc: `${P} CRYPTO_malloc(size_t, str, int)`,
  SHA256: `${P} SHA256(${P}, size_t, ${P})`,
  BIO_new: `${P} BIO_new(${P})`,
  BIO_s_mem: `${P} BIO_s_mem()`,
  BIO_new_mem_buf: `${P} BIO_new_mem_buf(${P}, int)`,
  BIO_ctrl: `long BIO_ctrl(${P}, int, long, ${P})`,
  BIO_set_flags: `void BIO_set_flags(${P}, int)`,
  BIO_read: `int BIO_read(${P}, ${P}, int)`,
  BIO_write: `int BIO_write(${P}, ${P}, int)`,
  BIO_up_ref: `int BIO_up_ref(${P})`,
  d2i_X509: `${P} d2i_X509(${P}, ${P}, long)`,
  i2d_X509: `int i2d_X509(${P}, ${P})`,
  X509_free: `void X509_free(${P})`,
  X509_STORE_add_cert: `int X509_STORE_add_cert(${P}, ${P})`,
  X509_verify_cert_error_string: "str X509_verify_cert_error_string(long)",
  X509_VERIFY_PARAM_set_hostflags: `void X509_VERIFY_PARAM_set_hostflags(${P}, unsigned int)`,
  X509_VERIFY_PARAM_set1_ip_asc: `int X509_VERIFY_PARAM_set1_ip_asc(${P}, str)`,
  d2i_AutoPrivateKey: `${P} d2i_AutoPrivateKey(${P}, ${P}, long)`,
  EVP_PKEY_free: `void EVP_PKEY_free(${P})`,
  TLS_method: `${P} TLS_method()`,
  SSL_CTX_new: `${P} SSL_CTX_new(${P})`,
  SSL_CTX_free: `void SSL_CTX_free(${P})`,
  SSL_CTX_ctrl: `long SSL_CTX_ctrl(${P}, int, long, ${P})`,
  setText: `long SSL_CTX_ctrl(${P}, int, long, str)`,
  SSL_CTX_callback_ctrl: `long SSL_CTX_callback_ctrl(${P}, int, ${P})`,
  SSL_CTX_set_options: `uint64_t SSL_CTX_set_options(${P}, uint64_t)`,
  SSL_CTX_set_cipher_list: `int SSL_CTX_set_cipher_list(${P}, str)`,
  SSL_CTX_set_ciphersuites: `int SSL_CTX_set_ciphersuites(${P}, str)`,
  SSL_CTX_set_num_tickets: `int SSL_CTX_set_num_tickets(${P}, size_t)`,
  SSL_CTX_set_timeout: `long SSL_CTX_set_timeout(${P}, long)`,
  SSL_CTX_set_session_id_context: `int SSL_CTX_set_session_id_context(${P}, ${P}, unsigned int)`,
  SSL_CTX_set_alpn_protos: `int SSL_CTX_set_alpn_protos(${P}, ${P}, unsigned int)`,
  SSL_CTX_set_alpn_select_cb: `void SSL_CTX_set_alpn_select_cb(${P}, ${P}, ${P})`,
  SSL_CTX_set_keylog_callback: `void SSL_CTX_set_keylog_callback(${P}, ${P})`,
  SSL_CTX_set_verify: `void SSL_CTX_set_verify(${P}, int, ${P})`,
  SSL_CTX_get_cert_store: `${P} SSL_CTX_get_cert_store(${P})`,
  SSL_CTX_add_client_CA: `int SSL_CTX_add_client_CA(${P}, ${P})`,
  SSL_CTX_use_certificate: `int SSL_CTX_use_certificate(${P}, ${P})`,
  SSL_CTX_use_PrivateKey: `int SSL_CTX_use_PrivateKey(${P}, ${P})`,
  SSL_CTX_check_private_key: `int SSL_CTX_check_private_key(${P})`,
  SSL_new: `${P} SSL_new(${P})`,
  SSL_free: `void SSL_free(${P})`,
  SSL_set_bio: `void SSL_set_bio(${P}, ${P}, ${P})`,
  SSL_set_accept_state: `void SSL_set_accept_state(${P})`,
  SSL_set_connect_state: `void SSL_set_connect_state(${P})`,
  SSL_do_handshake: `int SSL_do_handshake(${P})`,
  SSL_read: `int SSL_read(${P}, ${P}, int)`,
  SSL_write: `int SSL_write(${P}, ${P}, int)`,
  SSL_want: `int SSL_want(${P})`,
  SSL_get_shutdown: `int SSL_get_shutdown(${P})`,
  SSL_shutdown: `int SSL_shutdown(${P})`,
  SSL_set_shutdown: `void SSL_set_shutdown(${P}, int)`,
  SSL_ctrl: `long SSL_ctrl(${P}, int, long, ${P})`,
  setConnectionText: `long SSL_ctrl(${P}, int, long, str)`,
  SSL_set1_host: `int SSL_set1_host(${P}, str)`,
  SSL_get0_param: `${P} SSL_get0_param(${P})`,
  SSL_version: `int SSL_version(${P})`,
  SSL_session_reused: `int SSL_session_reused(${P})`,
  SSL_get_current_cipher: `${P} SSL_get_current_cipher(${P})`,
  SSL_CIPHER_get_name: `str SSL_CIPHER_get_name(${P})`,
  SSL_set_alpn_protos: `int SSL_set_alpn_protos(${P}, ${P}, unsigned int)`,
  SSL_get0_alpn_selected: `void SSL_get0_alpn_selected(${P}, ${P}, ${P})`,
  SSL_get_peer_cert_chain: `${P} SSL_get_peer_cert_chain(${P})`,
  OPENSSL_sk_value: `${P} OPENSSL_sk_value(${P}, int)`,
  SSL_get_verify_result: `long SSL_get_verify_result(${P})`,
  SSL_get1_peer_certificate: `${P} SSL_get1_peer_certificate(${P})`,
  SSL_get_certificate: `${P} SSL_get_certificate(${P})`,
  SSL_get1_session: `${P} SSL_get1_session(${P})`,
  SSL_set_session: `int SSL_set_session(${P}, ${P})`,
  SSL_SESSION_free: `void SSL_SESSION_free(${P})`,
  SSL_SESSION_is_resumable: `int SSL_SESSION_is_resumable(${P})`,
};

let functions: OpenSsl | null = null;
let refusal: string | null | undefined;

/** Why OpenSSL's functions cannot be called here, null when they can. Never throws. */
export function functionsAvailable(): string | null {
  refusal ??= nativeAvailable();
  if (refusal !== null || functions !== null) return refusal;
  try {
    functions = nativeFunctions(PROTOTYPES) as OpenSsl;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    refusal = `the OpenSSL of this Node cannot be called: ${why}`;
  }
  return refusal;
}

/** The functions. Throws where `functionsAvailable()` is not null. */
export function openssl(): OpenSsl {
  const reason = functionsAvailable();
  if (functions === null) throw new Error(`OpenSSL is not available: ${reason}`);
  return functions;
}
