import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { NetError } from "../../core/errors.ts";

/** A certificate as it was read: its facts, and what OpenSSL is given. */
export interface Certificate {
  readonly der: Uint8Array;
  readonly x509: X509Certificate;
}

/** A leaf with its chain and its key, which has been seen to fit. */
export interface KeyPair {
  readonly leaf: Certificate;
  readonly chain: readonly Certificate[];
  /** PKCS #8, DER. Secret: whoever is done with it fills it with zeros. */
  readonly key: Buffer;
}

/** Certificates in one text: a chain or a bundle. The memory of a thread is not for more. */
const MOST_CERTIFICATES = 4096;
/** Bytes of a chain that is sent; RFC 8446 §4.4.2 would allow 2^24. */
const LONGEST_CHAIN = 96 * 1024;

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** All certificates of a PEM text, in order. Throws EINVAL with `what` in its words. */
export function readCertificates(pem: string | Uint8Array, what: string): readonly Certificate[] {
  const text = textOf(pem);
  const blocks = text.match(block) ?? [];
  if (blocks.length > MOST_CERTIFICATES) throw invalid(`${what}: ${blocks.length} certificates`);
  if (blocks.length === 0) {
    const key = text.includes("PRIVATE KEY-----");
    throw invalid(`${what}: no certificate in PEM form${key ? ", but a private key" : ""}`);
  }
  return blocks.map((one, i) => {
    try {
      const x509 = new X509Certificate(one);
      return { der: x509.raw, x509 };
    } catch (error) {
      throw invalid(`${what}: certificate ${i + 1} cannot be read`, error);
    }
  });
}

/** A certificate with chain and its private key. Throws EINVAL where one is unreadable or they differ. */
export function readKeyPair(
  certificate: string | Uint8Array,
  key: string | Uint8Array,
  passphrase: string | undefined,
  what: string,
): KeyPair {
  const [leaf, ...chain] = readCertificates(certificate, what);
  const length = chain.reduce((sum, { der }) => sum + der.length, leaf!.der.length);
  if (length > LONGEST_CHAIN) throw invalid(`${what}: a chain of ${length} bytes`);
  const secret = readKey(key, passphrase, what);
  if (!leaf!.x509.checkPrivateKey(secret)) {
    throw invalid(`${what}: the private key does not belong to the certificate`);
  }
  return { leaf: leaf!, chain, key: secret.export({ format: "der", type: "pkcs8" }) };
}

function readKey(
  pem: string | Uint8Array,
  passphrase: string | undefined,
  what: string,
): KeyObject {
  const text = textOf(pem);
  if (!text.includes("PRIVATE KEY-----")) throw invalid(`${what}: no private key in PEM form`);
  const encrypted = /ENCRYPTED/.test(text);
  if (encrypted && passphrase === undefined) {
    throw invalid(`${what}: the private key is encrypted, and there is no passphrase`);
  }
  try {
    return createPrivateKey(
      passphrase === undefined ? { key: text } : { key: text, passphrase: passphrase },
    );
  } catch (error) {
    const why = encrypted ? "cannot be decrypted with this passphrase" : "cannot be read";
    throw invalid(`${what}: the private key ${why}`, error);
  }
}

const textOf = (pem: string | Uint8Array): string =>
  typeof pem === "string" ? pem : Buffer.from(pem).toString("latin1");

const invalid = (message: string, cause?: unknown): NetError =>
  new NetError("EINVAL", message, { source: "internal", cause });
