import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import type { IssuedPair } from "../../acme/authority.ts";
import type { AttemptRecord, CertificateStore, StoredCertificate } from "../../acme/store.ts";
import type { PrivateFolder } from "./private-files.ts";

/**
 * Certificates of one authority, as files: `NAME.pem` has the key, then the certificate and its chain.
 * One file, so that it is never half of an old pair and half of a new one.
 */
export class FileStore implements CertificateStore {
  readonly #folder: PrivateFolder;

  constructor(folder: PrivateFolder) {
    this.#folder = folder;
  }

  readCertificate(names: readonly string[]): StoredCertificate | null {
    const file = `${fileName(names)}.pem`;
    const text = this.#folder.read(file);
    if (text === null) return null;
    try {
      return parsePair(split(text), names);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#folder.warn(`${this.#folder.pathOf(file)} cannot be used (${why}); another is ordered`);
      return null;
    }
  }

  writeCertificate(names: readonly string[], pair: IssuedPair): StoredCertificate {
    const stored = parsePair(pair, names);
    this.#folder.write(
      `${fileName(names)}.pem`,
      `${pair.key.trim()}\n${pair.certificate.trim()}\n`,
    );
    return stored;
  }

  readAttempts(names: readonly string[]): AttemptRecord | null {
    const text = this.#folder.read(attemptsName(names));
    return text === null ? null : parseRecord(text);
  }

  writeAttempts(names: readonly string[], record: AttemptRecord | null): void {
    if (record === null) this.#folder.remove(attemptsName(names));
    else this.#folder.write(attemptsName(names), `${JSON.stringify(record)}\n`);
  }
}

const attemptsName = (names: readonly string[]): string => `${fileName(names)}.attempts.json`;

/** A file's name has 255 bytes at most, a host's 253 and more is to be added. */
const LONGEST = 180;

/** Names are DNS names here, so they are fit for files. */
export function fileName(names: readonly string[]): string {
  const [first = "none"] = names;
  if (names.length === 1 && first.length <= LONGEST) return first;
  const digest = createHash("sha256").update(names.toSorted().join()).digest("hex");
  return `${first.slice(0, LONGEST)}+${names.length - 1}-${digest.slice(0, 8)}`;
}

function split(text: string): IssuedPair {
  const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]+-----END [A-Z ]*PRIVATE KEY-----/.exec(text);
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (key === null) throw new Error("no key is in it");
  if (certificates === null) throw new Error("no certificate is in it");
  return { key: key[0], certificate: `${certificates.join("\n")}\n` };
}

/** Throws an Error where the halves are no pair, or not for these names. */
export function parsePair(pair: IssuedPair, names: readonly string[]): StoredCertificate {
  const leaf = new X509Certificate(pair.certificate);
  if (!leaf.checkPrivateKey(createPrivateKey(pair.key))) {
    throw new Error("its key does not belong to its certificate");
  }
  const missing = names.find((name) => leaf.checkHost(name, { subject: "never" }) === undefined);
  if (missing !== undefined) throw new Error(`the certificate does not bear the name ${missing}`);
  return {
    key: pair.key,
    certificate: pair.certificate,
    validFrom: leaf.validFromDate.getTime(),
    validTo: leaf.validToDate.getTime(),
    serial: leaf.serialNumber,
  };
}

/** Null for what is none: it counts as no failure. */
function parseRecord(text: string): AttemptRecord | null {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof raw !== "object" || raw === null) return null;
  const { failures, notBefore, reason } = raw as Partial<Record<keyof AttemptRecord, unknown>>;
  if (!isCount(failures) || !isCount(notBefore)) return null;
  return { failures, notBefore, reason: typeof reason === "string" ? reason : "" };
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;
