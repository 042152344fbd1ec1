import { X509Certificate } from "node:crypto";
import { parseIp } from "../../../core/address.ts";
import { NetError } from "../../../core/errors.ts";

/** Whether a server's certificate bears the name or address that was asked for; an error where not. */
export function checkServerName(name: string, der: Uint8Array): NetError | undefined {
  const certificate = new X509Certificate(der);
  const plain = name.replace(/^\[(.*)\]$/, "$1");
  // RFC 9525 §2: the common name is none.
  const borne =
    parseIp(plain) === null
      ? certificate.checkHost(plain, { subject: "never" })
      : certificate.checkIP(plain);
  if (borne !== undefined) return undefined;
  const names = certificate.subjectAltName ?? "no name";
  const message = `the server's certificate is not accepted: hostname mismatch (it bears ${names})`;
  return new NetError("TLS_CERTIFICATE", message, { source: "upstream", retry: "always" });
}
