import type { NetError } from "../core/errors.ts";
import type { TlsVersion } from "./protocol-settings.ts";

/**
 * `hello`: a server waits for a whole ClientHello · `handshake` · `open`: data flows; each side may have
 * ended its direction · `failed`: an error was told, what the peer is owed (an alert) has been handed
 * out · `closed`.
 */
export type TlsState = "hello" | "handshake" | "open" | "failed" | "closed";

/** Whom an engine tells. All bytes are borrowed: valid until the call returns. */
export interface TlsEngineOwner {
  /**
   * Ciphertext buf[start, end) has to go to the peer, in this order. Nothing may be called from inside
   * that comes back to an engine: send or copy, and return.
   */
  onCiphertext(buf: Uint8Array, start: number, end: number): void;
  /** The handshake is complete; `connection` is known. */
  onHandshake(): void;
  /** Plaintext arrived. Any method of the engine but `receive` may be called from inside. */
  onPlaintext(buf: Uint8Array, start: number, end: number): void;
  /** The peer's close_notify: it sends nothing more (RFC 8446 §6.1); writing goes on working. */
  onPeerEnd(): void;
  /** The connection is lost; at most once, and last. An alert has been handed out where one is owed. */
  onError(error: NetError): void;
}

/**
 * One end of a TLS connection without a socket: bytes in, bytes out, no clock and no queue but what a
 * pause leaves over. All callbacks come from inside of the methods, none later.
 */
export interface TlsEngine {
  readonly role: "server" | "client";
  readonly state: TlsState;
  /** What was negotiated; null before `onHandshake`. */
  readonly connection: TlsConnection | null;
  /** A client hands out its first flight; for a server it does nothing. Once, first. */
  start(): void;
  /** Takes ciphertext: borrowed for the length of the call. Ignored unless the state is a living one. */
  receive(bytes: Uint8Array, start: number, end: number): void;
  /** Encrypts plaintext and hands it out at once. Throws before the handshake and after `end`. */
  write(bytes: Uint8Array, start: number, end: number): void;
  /** Hands out our close_notify; the peer may go on sending. */
  end(): void;
  /** The transport has ended: a truncation unless the peer's close_notify came before. */
  receiveEnd(): void;
  /** No `onPlaintext` and no `onPeerEnd` until `resume`; stop feeding, for what comes is kept. */
  pause(): void;
  /** May call `onPlaintext` and the rest for what was kept. */
  resume(): void;
  /** Something is kept that `resume` would tell. */
  readonly holding: boolean;
  /** Frees everything. No callback follows. */
  close(): void;
  [Symbol.dispose](): void;
}

/** What a handshake has settled. */
export interface TlsConnection {
  readonly version: TlsVersion;
  /** The name of RFC 8446 or of OpenSSL: "TLS_AES_128_GCM_SHA256". */
  readonly cipher: string;
  /** The protocol that ALPN chose; null where none was. */
  readonly alpn: string | null;
  /** The name in SNI, in lower case; null where none was sent. */
  readonly serverName: string | null;
  readonly resumed: boolean;
  /** The peer's certificate, which has been verified unless the configuration turns that off. */
  readonly peerCertificate: PeerCertificate | null;
}

/** Facts of a certificate; read from it when first asked for. */
export interface PeerCertificate {
  readonly der: Uint8Array;
  /** As lines "CN=…", most significant first. */
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal. */
  readonly serial: string;
  /** "DNS:example.com, IP Address:192.0.2.1"; "" where there is none. */
  readonly subjectAltName: string;
  readonly dnsNames: readonly string[];
  /** SHA-256 of the DER form, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
}
