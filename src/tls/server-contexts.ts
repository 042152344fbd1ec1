import { bytesOf } from "../core/bytes.ts";
import { NetError } from "../core/errors.ts";
import { CertificateFacts } from "../native/openssl/certificate-facts.ts";
import {
  SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
  SSL_VERIFY_NONE,
  SSL_VERIFY_PEER,
} from "../native/openssl/constants.ts";
import { SslContext } from "../native/openssl/context.ts";
import { sha256 } from "../native/openssl/digest.ts";
import {
  type Certificate,
  type KeyPair,
  readCertificates,
  readKeyPair,
} from "../native/openssl/pem.ts";
import { applySettings } from "./policy.ts";
import type { ServerCertificate, TlsServerConfig } from "./server-config.ts";
import { ServerNames } from "./server-names.ts";

const DEFAULT_TICKETS = 1;
const DEFAULT_LIFETIME = 7_200; // seconds

/** A certificate that was read, with the names it is shown for. */
interface Shown {
  readonly pair: KeyPair;
  readonly names: readonly string[];
  readonly staple: Uint8Array | null;
}

/**
 * The contexts of one set of certificates: one for each combination that some name has. Owns them until
 * `close`.
 */
export class ServerContexts {
  readonly #names = new ServerNames<SslContext>();
  readonly #all: SslContext[] = [];
  readonly #first: SslContext | null;

  /** Throws a NetError that names the pair which does not do; nothing is left behind. */
  constructor(config: TlsServerConfig, certificates: readonly ServerCertificate[]) {
    const shown = certificates.map(read);
    if (shown.length === 0 && config.awaitsCertificates !== true) {
      throw invalid("a TLS server needs a certificate");
    }
    const authorities = clientAuthorities(config);
    const made = new Map<string, SslContext>();
    const contextFor = (members: readonly Shown[]): SslContext => {
      const key = members.map((one) => shown.indexOf(one)).join();
      let context = made.get(key);
      if (context === undefined) {
        context = this.#make(config, members, authorities);
        made.set(key, context);
      }
      return context;
    };
    try {
      for (const name of new Set(shown.flatMap(({ names }) => names))) {
        const members = shown.filter(({ names }) => names.includes(name));
        this.#names.set(name, contextFor(members));
      }
      // Who names no server may have either kind of key: all that share the first one's names.
      const [first] = shown;
      const alike = shown.filter((one) => one.names.join() === first?.names.join());
      // Settings are to be found wrong now, not when the first certificate comes.
      const context = contextFor(alike);
      this.#first = alike.length === 0 ? null : context;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      for (const { pair } of shown) pair.key.fill(0);
    }
  }

  /** The context for a name in SNI; null where no certificate has it. */
  find(name: string): SslContext | null {
    return this.#names.find(name) ?? null;
  }

  /** For those who name no server; null where there is no certificate at all. */
  get first(): SslContext | null {
    return this.#first;
  }

  setTicketKey(key: Uint8Array): void {
    for (const context of this.#all) context.setTicketKey(key);
  }

  close(): void {
    for (const context of this.#all) context.close();
  }

  #make(
    config: TlsServerConfig,
    members: readonly Shown[],
    authorities: readonly Certificate[],
  ): SslContext {
    const context = new SslContext(config.keyLog ?? null);
    this.#all.push(context);
    applySettings(context, config);
    context.preferOwnCiphers();
    for (const { pair, staple } of members) context.addKeyPair(pair, staple);
    const mode = config.clientAuthentication?.mode ?? "off";
    if (mode !== "off") context.trust(authorities, true);
    context.setVerify(
      {
        off: SSL_VERIFY_NONE,
        optional: SSL_VERIFY_PEER,
        required: SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
      }[mode],
    );
    context.setTickets(
      config.tickets ?? DEFAULT_TICKETS,
      config.sessionLifetime ?? DEFAULT_LIFETIME,
    );
    context.setSessionIdContext(scopeOf(config, members, authorities));
    if (config.alpn !== undefined && config.alpn.length > 0) context.selectAlpn();
    return context;
  }
}

/**
 * Who may resume whose sessions. A session carries the client's identity and the name it was made for,
 * so these must be the same; the certificate may have been renewed meanwhile.
 */
function scopeOf(
  config: TlsServerConfig,
  members: readonly Shown[],
  authorities: readonly Certificate[],
): Uint8Array {
  const names = new Set(members.flatMap((one) => one.names));
  const parts = [
    config.sessionScope ?? "",
    config.clientAuthentication?.mode ?? "off",
    [...names].toSorted(),
    authorities.map(({ der }) => hex(sha256(der))),
  ];
  return sha256(bytesOf(JSON.stringify(parts)));
}

function clientAuthorities(config: TlsServerConfig): readonly Certificate[] {
  const { clientAuthentication } = config;
  if (clientAuthentication === undefined) return [];
  return readCertificates(clientAuthentication.ca, "authorities for clients");
}

function read(certificate: ServerCertificate, i: number): Shown {
  const what = `certificate ${i + 1}`;
  const { key, passphrase } = certificate;
  const pair = readKeyPair(certificate.certificate, key, passphrase, what);
  const names = (certificate.names ?? namesOf(pair)).map((name) => name.toLowerCase());
  return { pair, names, staple: certificate.ocspStaple ?? null };
}

/** RFC 9525 §2: the names are those in subjectAltName, the common name is none. */
const namesOf = ({ leaf }: KeyPair): readonly string[] =>
  new CertificateFacts(leaf.der, leaf.x509).dnsNames;

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

const invalid = (message: string): NetError =>
  new NetError("EINVAL", message, { source: "internal" });
