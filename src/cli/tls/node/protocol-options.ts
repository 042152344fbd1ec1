import type { SecureContextOptions } from "node:tls";
import type { TlsProtocolSettings } from "../../../tls/protocol-settings.ts";

/** As src/tls/policy.ts has them: forward secrecy and AEAD alone. */
const tls12 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");
const tls13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

/** Versions, ciphers and groups in the words of node:tls. */
export function protocolOptions(settings: TlsProtocolSettings): SecureContextOptions {
  const { policy, minVersion, maxVersion, ciphers, cipherSuites, groups } = settings;
  return {
    minVersion: minVersion ?? (policy === "modern" ? "TLSv1.3" : "TLSv1.2"),
    maxVersion: maxVersion ?? "TLSv1.3",
    // Node takes both lists in one.
    ciphers: `${cipherSuites ?? tls13}:${ciphers ?? tls12}`,
    ...(groups !== undefined && { ecdhCurve: groups }),
  };
}
