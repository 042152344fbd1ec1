import "reflect-metadata"; // @peculiar/x509 needs it, and before it.
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { parseIp } from "../../core/address.ts";

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const DAY = 86_400_000; // ms
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * A certificate for development that vouches for itself: ECDSA P-256, with every host (a name, a wildcard
 * or an IP address) in subjectAltName. `now` in milliseconds.
 */
export async function makeSelfSigned(
  hosts: readonly string[],
  days: number,
  now: number,
): Promise<SelfSigned> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [hosts[0]!] }, { O: ["Millrace development"] }],
      // An hour back: clocks differ.
      notBefore: new Date(now - DAY / 24),
      notAfter: new Date(now + days * DAY),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.SubjectAlternativeNameExtension(hosts.map(generalName)),
        // Not an authority: whoever trusts it, trusts it for these names alone.
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto as Crypto,
  );
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    certificate: `${certificate.toString("pem")}\n`,
    key: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
  };
}

function generalName(host: string): x509.JsonGeneralName {
  const ip = parseIp(host);
  return ip === null ? { type: "dns", value: host } : { type: "ip", value: ip };
}
