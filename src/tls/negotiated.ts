import { CertificateFacts } from "../native/openssl/certificate-facts.ts";
import type { SslConnection } from "../native/openssl/connection.ts";
import type { PeerCertificate, TlsConnection } from "./engine.ts";
import { versionOf } from "./policy.ts";
import type { TlsVersion } from "./protocol-settings.ts";

/** What a handshake has settled, read from the connection while it lives. */
export class Negotiated implements TlsConnection {
  readonly version: TlsVersion;
  readonly cipher: string;
  readonly alpn: string | null;
  readonly serverName: string | null;
  readonly resumed: boolean;
  #ssl: SslConnection | null;
  /** Undefined before it was asked for. */
  #peer: PeerCertificate | null | undefined;

  constructor(ssl: SslConnection, serverName: string | null) {
    this.#ssl = ssl;
    this.version = versionOf(ssl.version);
    this.cipher = ssl.cipher;
    this.alpn = ssl.alpn;
    this.serverName = serverName;
    this.resumed = ssl.resumed;
  }

  get peerCertificate(): PeerCertificate | null {
    if (this.#peer === undefined) {
      const der = this.#ssl?.peerCertificate() ?? null;
      this.#peer = der === null ? null : new CertificateFacts(der);
    }
    return this.#peer;
  }

  /** The connection is about to be freed. */
  detach(): void {
    this.#ssl = null;
  }
}
