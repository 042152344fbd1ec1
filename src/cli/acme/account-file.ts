import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { AcmeFailure } from "../../acme/authority.ts";
import type { PrivateFolder } from "./private-files.ts";

/** What we know of our account at an authority. */
export interface AccountRecord {
  readonly url: string;
  /** As it was told to the authority. */
  readonly email: string | null;
}

const keyFile = "account.key";
const recordFile = "account.json";

/** An account's key and address, as files. */
export class AccountFile {
  readonly #folder: PrivateFolder;

  constructor(folder: PrivateFolder) {
    this.#folder = folder;
  }

  /** PEM; made when first asked for. Throws AcmeFailure ("local"). */
  key(): string {
    const stored = this.#folder.read(keyFile);
    if (stored === null) return this.#makeKey();
    try {
      createPrivateKey(stored);
    } catch {
      const path = this.#folder.pathOf(keyFile);
      throw new AcmeFailure("local", `${path} is no key; remove it, and a new account is made`);
    }
    return stored;
  }

  /** Null: no account is known for the key. */
  record(): AccountRecord | null {
    const text = this.#folder.read(recordFile);
    if (text === null) return null;
    try {
      const { url, email } = JSON.parse(text) as Record<string, unknown>;
      if (typeof url !== "string") return null;
      return { url, email: typeof email === "string" ? email : null };
    } catch {
      return null;
    }
  }

  write(record: AccountRecord): void {
    this.#folder.write(recordFile, `${JSON.stringify(record)}\n`);
  }

  /** ECDSA over P-256: every authority takes it (RFC 8555 §6.2: ES256 has to be supported). */
  #makeKey(): string {
    const { privateKey } = generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    this.#folder.write(keyFile, privateKey);
    return privateKey;
  }
}
