import { X509Certificate } from "node:crypto";

/** Facts of a certificate in DER form, read when first asked for. */
export class CertificateFacts {
  readonly der: Uint8Array;
  #x509: X509Certificate | null;

  constructor(der: Uint8Array, x509: X509Certificate | null = null) {
    this.der = der;
    this.#x509 = x509;
  }

  /** In one line, most specific last: "C=SE, O=Example, CN=client 7". */
  get subject(): string {
    return oneLine(this.#parsed.subject);
  }

  get issuer(): string {
    return oneLine(this.#parsed.issuer);
  }

  get serial(): string {
    return this.#parsed.serialNumber.toLowerCase();
  }

  get subjectAltName(): string {
    return this.#parsed.subjectAltName ?? "";
  }

  /** The names of kind dNSName, in lower case. */
  get dnsNames(): readonly string[] {
    // Node quotes a name that has a comma or a quote in it, none of which is a host's.
    return this.subjectAltName
      .split(", ")
      .filter((name) => name.startsWith("DNS:") && !name.includes('"'))
      .map((name) => name.slice(4).toLowerCase());
  }

  get fingerprint(): string {
    return this.#parsed.fingerprint256.replaceAll(":", "").toLowerCase();
  }

  get validFrom(): number {
    return this.#parsed.validFromDate.getTime();
  }

  get validTo(): number {
    return this.#parsed.validToDate.getTime();
  }

  get #parsed(): X509Certificate {
    return (this.#x509 ??= new X509Certificate(this.der));
  }
}

const oneLine = (name: string): string => (name ?? "").split("\n").join(", ");
