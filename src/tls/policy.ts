import { NetError } from "../core/errors.ts";
import { TLS1_2_VERSION, TLS1_3_VERSION } from "../native/openssl/constants.ts";
import type { SslContext } from "../native/openssl/context.ts";
import type { TlsProtocolSettings, TlsVersion } from "./protocol-settings.ts";

/** Mozilla's "intermediate" (5.7) without finite-field Diffie-Hellman: forward secrecy and AEAD alone. */
const INTERMEDIATE_CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/**
 * RFC 8446 §9.1: the first is the one that everybody has. A server's order decides; SHA-256 has
 * instructions of its own on most processors and SHA-384 has not, which is 7 % of a handshake.
 */
const CIPHER_SUITES = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
].join(":");

const numbers: Readonly<Record<TlsVersion, number>> = {
  "TLSv1.2": TLS1_2_VERSION,
  "TLSv1.3": TLS1_3_VERSION,
};

export const versionOf = (number: number): TlsVersion =>
  number === TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2";

/** Sets versions, ciphers and groups. Throws EINVAL for what OpenSSL does not know. */
export function applySettings(context: SslContext, settings: TlsProtocolSettings): void {
  const least = settings.policy === "modern" ? "TLSv1.3" : "TLSv1.2";
  const min = settings.minVersion ?? least;
  const max = settings.maxVersion ?? "TLSv1.3";
  if (numbers[min] > numbers[max]) {
    throw new NetError("EINVAL", `no version is left: at least ${min}, at most ${max}`, {
      source: "internal",
    });
  }
  context.setVersions(numbers[min], numbers[max]);
  context.setCiphers(settings.ciphers ?? INTERMEDIATE_CIPHERS);
  context.setCipherSuites(settings.cipherSuites ?? CIPHER_SUITES);
  if (settings.groups !== undefined) context.setGroups(settings.groups);
}
