import type { ClientHello } from "./client-hello.ts";
import type { Pem, TlsKeyPair, TlsProtocolSettings } from "./protocol-settings.ts";

/** A certificate that a server shows, and for which names. */
export interface ServerCertificate extends TlsKeyPair {
  /**
   * Names for which it is shown, `*.example.com` among them. Default: those that it bears itself. Where
   * several certificates (an ECDSA and an RSA one) share a name, the client's abilities decide.
   */
  readonly names?: readonly string[];
  /** An OCSP response in DER, sent to clients that ask for one. */
  readonly ocspStaple?: Uint8Array;
}

/** Whether clients are asked for a certificate; one that does not verify ends the handshake. */
export interface ClientAuthentication {
  readonly mode: "optional" | "required";
  /** Certificates of the authorities that are trusted for clients, and named to them. */
  readonly ca: Pem;
}

export interface TlsServerConfig extends TlsProtocolSettings {
  /** At least one, unless more are awaited; the first answers clients that name no server. */
  readonly certificates: readonly ServerCertificate[];
  /** There may be no certificate, or none yet: then whoever comes is refused. Default: false. */
  readonly awaitsCertificates?: boolean;
  /**
   * Protocols in the order of our preference, as in RFC 7301. A client that offers some, and none of
   * these, is refused (`no_application_protocol`). Default: none is negotiated.
   */
  readonly alpn?: readonly string[];
  /** What a name gets that no certificate has: the first certificate, or an alert. Default: "default". */
  readonly unknownName?: "default" | "reject";
  readonly clientAuthentication?: ClientAuthentication;
  /** Tickets for a full handshake of TLS 1.3; 0 turns resumption off. Default: 1, each costs 15 µs. */
  readonly tickets?: number;
  /** How long a session may be resumed, in seconds. Default: 7,200. */
  readonly sessionLifetime?: number;
  /**
   * Sessions are resumed only among servers that say the same here, have the same names and ask for the
   * same clients' certificates. Default: "".
   */
  readonly sessionScope?: string;
}

/** What becomes of a connection whose hello is known: `release` leaves it to whoever asked. */
export type HelloVerdict = "terminate" | "release";

/** The parsed hello, and all bytes that the client has sent so far: buf[start, end), borrowed. */
export type HelloHook = (
  hello: ClientHello,
  buf: Uint8Array,
  start: number,
  end: number,
) => HelloVerdict;

/** Length of one ticket key: 16 bytes of name, 32 for HMAC, 32 for AES. Draw all of them at random. */
export const TICKET_KEY_LENGTH = 80;
