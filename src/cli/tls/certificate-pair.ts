import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { CertificateFiles } from "../../proxy/tls/settings.ts";
import type { ServerCertificate } from "../../tls/server-config.ts";
import { FileProblem, readBytes } from "./file-problem.ts";

/** A certificate with its key as they were read, and what an operator should know of them. */
export interface CertificatePair {
  readonly material: ServerCertificate;
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validTo: number;
  readonly warnings: readonly string[];
}

/** Reads a pair and checks that its halves belong together. Throws FileProblem. `now` in milliseconds. */
export function readPair(files: CertificateFiles, now: number): CertificatePair {
  const certificate = readBytes(files.cert, "the certificate").toString("latin1");
  const key = readBytes(files.key, "the key").toString("latin1");
  const chain = readCertificates(certificate, files.cert);
  checkKey(chain, readKey(key, files.key), files);
  const leaf = chain[0]!;
  const ocspStaple = files.staple === null ? null : readStaple(files.staple);
  const names = namesOf(leaf);
  return {
    material: {
      certificate,
      key,
      ...(files.names !== null && { names: files.names }),
      ...(ocspStaple !== null && { ocspStaple }),
    },
    names,
    validTo: leaf.validToDate.getTime(),
    warnings: warningsOf(leaf, names, files, now),
  };
}

/** The certificates of a PEM file, in its order; at least one. Throws FileProblem. */
export function readCertificates(text: string, path: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END [^-]+-----/g);
  if (blocks === null) {
    const isKey = text.includes("PRIVATE KEY-----");
    const found = isKey
      ? "a private key in it; are --cert and --key swapped?"
      : hintOf(text, "x509");
    throw new FileProblem(`${path} holds no certificate in PEM: ${found}`);
  }
  return blocks.map((block, i) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new FileProblem(`${path}: certificate ${i + 1} in it is damaged (${wordsOf(error)})`);
    }
  });
}

function readKey(text: string, path: string): KeyObject {
  if (!text.includes("PRIVATE KEY-----")) {
    const isCertificate = text.includes("BEGIN CERTIFICATE-----");
    const found = isCertificate ? "a certificate is in it" : hintOf(text, "pkey");
    throw new FileProblem(`${path} holds no private key in PEM: ${found}`);
  }
  if (/BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw new FileProblem(
      `the key ${path} is encrypted; write a plain one: openssl pkey -in ${path} -out plain.key`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    throw new FileProblem(`the key ${path} is damaged (${wordsOf(error)})`);
  }
}

function checkKey(
  chain: readonly X509Certificate[],
  key: KeyObject,
  files: CertificateFiles,
): void {
  const owner = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (owner === 0) return;
  if (owner > 0) {
    throw new FileProblem(
      `${files.cert}: the key's own certificate is number ${owner + 1}; it must be the first, then its chain`,
    );
  }
  throw new FileProblem(
    `the key ${files.key} does not belong to the certificate ${files.cert} (${oneLine(chain[0]!.subject)})`,
  );
}

function readStaple(path: string): Uint8Array {
  const bytes = readBytes(path, "the OCSP response");
  // RFC 6960 §4.2.1: an OCSPResponse is a SEQUENCE.
  if (bytes[0] !== 0x30) throw new FileProblem(`${path} is no OCSP response in DER`);
  return new Uint8Array(bytes);
}

function warningsOf(
  leaf: X509Certificate,
  names: readonly string[],
  files: CertificateFiles,
  now: number,
): readonly string[] {
  const warnings: string[] = [];
  if (leaf.validToDate.getTime() <= now) warnings.push(`expired on ${leaf.validTo}`);
  if (leaf.validFromDate.getTime() > now) warnings.push(`is not valid before ${leaf.validFrom}`);
  if (names.length === 0) warnings.push("bears no name (subjectAltName): clients will refuse it");
  return warnings.map((warning) => `the certificate ${files.cert} ${warning}`);
}

/** Host names and addresses in subjectAltName; the common name counts no more (RFC 9525 §2). */
function namesOf(leaf: X509Certificate): readonly string[] {
  const entries = leaf.subjectAltName?.split(", ") ?? [];
  return entries.flatMap((entry) => /^(?:DNS|IP Address):(.+)$/.exec(entry)?.[1] ?? []);
}

/** 0x30: DER begins with a SEQUENCE. */
const hintOf = (text: string, command: string): string =>
  text.charCodeAt(0) === 0x30
    ? `it looks like DER; convert it: openssl ${command} -inform der -in FILE -out FILE.pem`
    : "no BEGIN line was found";

const oneLine = (name: string): string => name.split("\n").join(", ");

const wordsOf = (error: unknown): string =>
  error instanceof Error ? error.message.replace(/^error:[^:]*:[^:]*:[^:]*:/, "") : String(error);
