import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { isDnsName } from "../../config/scalars.ts";
import { parseIp } from "../../core/address.ts";
import { ExitCode } from "../exit-code.ts";
import { makeSelfSigned } from "./self-signed.ts";

export interface SelfSignedOptions {
  readonly hosts: readonly string[];
  /** A folder; made where it is not there. */
  readonly out: string;
  readonly days: string;
  /** Replace files that are there. */
  readonly force: boolean;
}

/** No certificate was made; the message is ready for print. */
export class CertRefused extends Error {
  override readonly name = "CertRefused";
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** Makes a certificate, writes it and its key, and returns what to tell the user. Throws CertRefused. */
export async function writeSelfSigned(options: SelfSignedOptions): Promise<string> {
  const hosts = options.hosts.map(checkedHost);
  const days = checkedDays(options.days);
  const pair = await makeSelfSigned(hosts, days, Date.now());
  const base = fileName(hosts[0]!);
  const certificate = resolve(options.out, `${base}.pem`);
  const key = resolve(options.out, `${base}.key`);
  const flag = options.force ? "w" : "wx";
  try {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(key, pair.key, { mode: 0o600, flag });
    writeFileSync(certificate, pair.certificate, { mode: 0o644, flag });
  } catch (error) {
    throw cannotWrite(error, options.out);
  }
  return advice(hosts, days, certificate, key);
}

function checkedHost(text: string): string {
  const host = text.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (parseIp(host) !== null || isDnsName(host.replace(/^\*\./, ""))) return host;
  throw new CertRefused(
    `${JSON.stringify(text)} is no host name and no IP address`,
    ExitCode.usage,
  );
}

function checkedDays(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 3650) return days;
  throw new CertRefused(`--days: found ${text}, expected a number from 1 to 3650`, ExitCode.usage);
}

const fileName = (host: string): string => host.replace(/^\*/, "wildcard").replaceAll(":", "-");

function cannotWrite(error: unknown, folder: string): CertRefused {
  const { code, path = folder, message } = error as NodeJS.ErrnoException;
  const why = code === "EEXIST" ? "it is there already; --force replaces it" : (code ?? message);
  return new CertRefused(`cannot write ${path}: ${why}`, ExitCode.failure);
}

function advice(hosts: readonly string[], days: number, certificate: string, key: string): string {
  const host = hosts[0]!.replace(/^\*\./, "www.");
  const url = `https://${host.includes(":") ? `[${host}]` : host}:8443/`;
  return `${certificate}
${key} (yours alone to read)
  for ${hosts.join(", ")}; valid ${days} days; ECDSA P-256

Serve with it:
  millrace proxy --listen https://127.0.0.1:8443 --cert ${certificate} --key ${key} --to demo

Nobody trusts it yet:
  curl --cacert ${certificate} ${url}
  NODE_EXTRA_CA_CERTS=${certificate} node client.js
  Debian:   sudo cp ${certificate} /usr/local/share/ca-certificates/${fileName(hosts[0]!)}.crt && sudo update-ca-certificates
  macOS:    sudo security add-trusted-cert -d -k /Library/Keychains/System.keychain ${certificate}
  Windows:  certutil -addstore -user Root ${certificate}
`;
}
