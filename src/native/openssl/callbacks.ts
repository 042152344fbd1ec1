import { nativeCallback } from "../libc.ts";
import { PinnedMemory, putPointer } from "../memory.ts";
import {
  SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP,
  SSL_TLSEXT_ERR_ALERT_FATAL,
  SSL_TLSEXT_ERR_NOACK,
  SSL_TLSEXT_ERR_OK,
} from "./constants.ts";
import { type OpenSsl, openssl } from "./functions.ts";

/**
 * The three questions that OpenSSL asks by callback alone. Each has one callback a thread, which decides
 * nothing: what it answers was laid out before the call that leads to it. It costs 0.5 µs, once a
 * handshake, and none of them runs where data flows.
 */

/** What ALPN's callback answers: words 0 and 1 a pointer, byte 8 a length; a length of 0 refuses. */
class AlpnAnswer {
  readonly memory = new PinnedMemory(16);
  readonly callback: number;

  constructor() {
    const { memcpy } = openssl();
    const { memory } = this;
    const answer = (_ssl: number, out: number, outLength: number): number => {
      if (memory.words[2] === 0) return SSL_TLSEXT_ERR_ALERT_FATAL;
      memcpy(out, memory.address, 8);
      memcpy(outLength, memory.address + 8, 1);
      return SSL_TLSEXT_ERR_OK;
    };
    const P = "uintptr_t";
    this.callback = nativeCallback(
      `int MillraceAlpn(${P} ssl, ${P} out, ${P} outlen, ${P} in, unsigned int inlen, ${P} arg)`,
      answer,
    );
  }
}

let alpn: AlpnAnswer | null = null;

export const alpnCallback = (): number => (alpn ??= new AlpnAnswer()).callback;

/**
 * What the server answers to ALPN in the next call: the protocol's bytes, which stay its owner's and
 * are copied in that call. A length of 0 sends the alert `no_application_protocol`.
 */
export function answerAlpn(address: number, length: number): void {
  alpn ??= new AlpnAnswer();
  const { words } = alpn.memory;
  putPointer(words, 0, address);
  words[2] = length;
}

/** OCSP responses by the X509 that they speak of. A context adds and removes those of its own. */
const staples = new Map<number, Staple>();

interface Staple {
  readonly memory: PinnedMemory;
  readonly length: number;
}

export function addStaple(certificate: number, response: Uint8Array): void {
  const memory = new PinnedMemory(response.length);
  memory.bytes.set(response);
  staples.set(certificate, { memory, length: response.length });
}

export const removeStaple = (certificate: number): void => {
  staples.delete(certificate);
};

let status: number | null = null;

/** Staples the response that belongs to the certificate which the handshake has chosen. */
export function stapleCallback(): number {
  const o = openssl();
  status ??= nativeCallback("int MillraceStatus(uintptr_t ssl, uintptr_t arg)", (ssl: number) => {
    try {
      return staple(o, ssl);
    } catch {
      return SSL_TLSEXT_ERR_NOACK;
    }
  });
  return status;
}

function staple(o: OpenSsl, ssl: number): number {
  const response = staples.get(o.SSL_get_certificate(ssl));
  if (response === undefined) return SSL_TLSEXT_ERR_NOACK;
  const { memory, length } = response;
  // The SSL owns the copy, and frees it with CRYPTO_free.
  const copy = o.CRYPTO_malloc(length, "millrace", 0);
  if (copy === 0) return SSL_TLSEXT_ERR_NOACK;
  o.memcpy(copy, memory.address, length);
  o.SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP, length, copy);
  return SSL_TLSEXT_ERR_OK;
}

type KeyLog = (line: string) => void;

let keyLog: number | null = null;
let receiver: KeyLog | null = null;

/** Who is told the secrets of the call that follows. */
export const keyLogTo = (take: KeyLog | null): void => {
  receiver = take;
};

export function keyLogCallback(): number {
  keyLog ??= nativeCallback(
    "void MillraceKeyLog(uintptr_t ssl, str line)",
    (_: never, line: string) => {
      try {
        receiver?.(line);
      } catch {
        // A log that cannot be written must not end in C; nobody is owed these lines.
      }
    },
  );
  return keyLog;
}
