import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface IssuedPair {
  readonly certificate: string;
  readonly key: string;
}

export interface IssueOptions {
  /** Names and addresses for subjectAltName. */
  readonly names?: readonly string[];
  readonly commonName?: string;
  readonly keyType?: "ec" | "rsa";
}

const keyArguments = {
  ec: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  rsa: ["-newkey", "rsa:2048"],
};

/** A certificate authority made for a test, by the openssl command. */
export class TestAuthority {
  readonly pem: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "millrace-ca-"));

  constructor(name = "Test Authority") {
    this.#run([
      ...keyArguments.ec,
      ...["-keyout", this.#path("ca.key"), "-out", this.#path("ca.pem")],
      ...["-subj", `/CN=${name}`, "-addext", "keyUsage=critical,keyCertSign"],
    ]);
    this.pem = readFileSync(this.#path("ca.pem"), "utf8");
  }

  issue(options: IssueOptions): IssuedPair {
    const { names = [], keyType = "ec", commonName = names[0] ?? "somebody" } = options;
    const alternative = names.map((name) => `${/^[\d.]+$|:/.test(name) ? "IP" : "DNS"}:${name}`);
    this.#run([
      ...keyArguments[keyType],
      ...["-CA", this.#path("ca.pem"), "-CAkey", this.#path("ca.key")],
      ...["-keyout", this.#path("leaf.key"), "-out", this.#path("leaf.pem")],
      ...["-subj", `/O=Test/CN=${commonName}`, "-addext", "basicConstraints=critical,CA:FALSE"],
      ...(names.length > 0 ? ["-addext", `subjectAltName=${alternative.join()}`] : []),
      ...["-days", "30"],
    ]);
    return {
      certificate: readFileSync(this.#path("leaf.pem"), "utf8"),
      key: readFileSync(this.#path("leaf.key"), "utf8"),
    };
  }

  /** Removes its files. */
  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #run(args: readonly string[]): void {
    execFileSync("openssl", ["req", "-x509", "-nodes", "-sha256", ...args], { stdio: "pipe" });
  }
}
