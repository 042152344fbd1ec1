/**
 * Why handshakes with clients fail, as few words as a label may have. The patterns are tried in their
 * order on an error's message, which has OpenSSL's words in it.
 */
const patterns: readonly (readonly [reason: string, pattern: RegExp])[] = [
  ["timeout", /not complete in time|says nothing/],
  ["client-certificate", /client's certificate|has sent no certificate/],
  ["unknown-name", /no certificate for/],
  // RFC 8446 §6.2: 42 – 49 and 113 – 116 speak of certificates.
  ["certificate-refused", /\(alert (4[2-8]|11[346])\)/],
  ["client-alert", /\(alert \d+\)/],
  ["no-shared-version", /unsupported protocol|version too low|wrong version number/],
  [
    "no-shared-cipher",
    /no shared cipher|no suitable (key share|signature algorithm)|no shared group/,
  ],
  ["no-shared-protocol", /no application protocol/],
  ["malformed", /malformed/],
  ["not-tls", /not TLS|plain HTTP/],
  ["closed", /closed/],
];

const OTHER = "other";
const RESET = "reset";

/** Every reason; a slot each. */
export const TLS_FAILURES: readonly string[] = [
  ...patterns.map(([reason]) => reason),
  RESET,
  OTHER,
];

/** `code` and `message` of the error. */
export function tlsFailureReason(code: string, message: string): string {
  if (code === "TLS_TIMEOUT") return "timeout";
  if (!code.startsWith("TLS_")) return RESET;
  return patterns.find(([, pattern]) => pattern.test(message))?.[0] ?? OTHER;
}
