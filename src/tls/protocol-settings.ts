/** Bytes of a file, or its text: PEM. */
export type Pem = string | Uint8Array;

export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/**
 * Mozilla's names: `modern` is TLS 1.3 alone; `intermediate` adds TLS 1.2 with ECDHE and AEAD ciphers,
 * which everything since 2014 speaks.
 */
export type TlsPolicy = "modern" | "intermediate";

/** What both roles may say about the protocol. What is left out follows from the policy. */
export interface TlsProtocolSettings {
  /** Default: intermediate. */
  readonly policy?: TlsPolicy;
  readonly minVersion?: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** OpenSSL's cipher list for TLS 1.2: "ECDHE-ECDSA-AES128-GCM-SHA256:…". */
  readonly ciphers?: string;
  /** Cipher suites of TLS 1.3: "TLS_AES_128_GCM_SHA256:…". */
  readonly cipherSuites?: string;
  /** Groups for the key exchange: "X25519:P-256". Default: OpenSSL's. */
  readonly groups?: string;
  /** Takes each line of the key log (NSS format): whoever has them can decrypt. For debugging. */
  readonly keyLog?: (line: string) => void;
}

/** A certificate with its chain, leaf first, and the leaf's private key. */
export interface TlsKeyPair {
  readonly certificate: Pem;
  readonly key: Pem;
  readonly passphrase?: string;
}
