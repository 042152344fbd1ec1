import { NetError } from "../core/errors.ts";
import { CertificateFacts } from "../native/openssl/certificate-facts.ts";
import type { SslConnection } from "../native/openssl/connection.ts";

type Role = "server" | "client";

/** Alerts by which a peer refuses a certificate of ours (RFC 8446 §6.2). */
const CERTIFICATE_ALERTS: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 113, 116]);

/** A handshake that OpenSSL gave up, or the peer. Nothing of a request was sent: it may be tried again. */
export function handshakeError(role: Role, ssl: SslConnection): NetError {
  const { reason, alert } = ssl.failure;
  const verify = reason === "certificate verify failed" ? ssl.verifyFailure : null;
  if (verify !== null) {
    const whose = role === "server" ? "the client's" : "the server's";
    const names = role === "client" && /mismatch/.test(verify) ? namesShown(ssl) : "";
    return fault(
      role,
      "TLS_CERTIFICATE",
      `${whose} certificate is not accepted: ${verify}${names}`,
    );
  }
  const missing = reason === "peer did not return a certificate";
  if (missing) return fault(role, "TLS_CERTIFICATE", "the client has sent no certificate");
  return fault(role, "TLS_HANDSHAKE", `TLS handshake: ${words(reason, alert)}`);
}

/** For whoever asked for a name that the certificate does not bear. */
function namesShown(ssl: SslConnection): string {
  const der = ssl.shownCertificate();
  if (der === null) return "";
  const names = new CertificateFacts(der).subjectAltName;
  return names === "" ? " (it bears no name)" : ` (it bears ${names})`;
}

/** An error after the handshake, as OpenSSL tells it. */
export function protocolError(role: Role, ssl: SslConnection): NetError {
  const { reason, alert } = ssl.failure;
  // A server of TLS 1.3 tells after the handshake what it thinks of a client's certificate.
  if (role === "client" && alert !== null && CERTIFICATE_ALERTS.has(alert)) {
    return fault(role, "TLS_HANDSHAKE", `TLS handshake: ${words(reason, alert)}`);
  }
  return broken(role, words(reason, alert));
}

/** An error after the handshake. */
export const broken = (role: Role, why: string): NetError =>
  new NetError("TLS_PROTOCOL", `TLS: ${why}`, {
    source: sourceOf(role),
    retry: role === "client" ? "if-reused" : "never",
  });

/** The transport ended without close_notify. */
export function truncated(role: Role, open: boolean): NetError {
  if (!open)
    return fault(role, "TLS_HANDSHAKE", "TLS handshake: the peer has closed the connection");
  return new NetError("TLS_TRUNCATED", "TLS: the connection ended without close_notify", {
    source: sourceOf(role),
    retry: role === "client" ? "if-reused" : "never",
  });
}

/** A handshake that we refuse. */
export const refused = (role: Role, why: string): NetError =>
  fault(role, "TLS_HANDSHAKE", `TLS handshake: ${why}`);

function fault(role: Role, code: "TLS_HANDSHAKE" | "TLS_CERTIFICATE", message: string): NetError {
  return new NetError(code, message, {
    source: sourceOf(role),
    retry: role === "client" ? "always" : "never",
  });
}

const words = (reason: string, alert: number | null): string => {
  if (alert === null) return reason || "given up";
  return `the peer refuses: ${reason.replace(/^(ssl|tls)v?\d+ alert /, "")} (alert ${alert})`;
};

const sourceOf = (role: Role): "downstream" | "upstream" =>
  role === "server" ? "downstream" : "upstream";
