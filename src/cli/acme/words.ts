import type { AttemptResult, CertificateKeeper } from "../../acme/certificate-keeper.ts";

/** What the log says of an attempt. `now` in milliseconds since 1970. */
export function attemptWords(
  { names, certificate }: CertificateKeeper,
  result: AttemptResult,
  now: number,
): string {
  const who = names.join(", ");
  if (result.kind === "issued") {
    const until = day(result.certificate.validTo);
    return `ACME: certificate for ${who}, good until ${until}; renewed in ${span(result.next - now)}`;
  }
  const next = `next attempt in ${span(result.next - now)}`;
  const { message } = result.failure;
  if (certificate === null) return `ACME: no certificate for ${who}: ${message}; ${next}`;
  const until = `the one in use ${certificate.validTo > now ? "expires" : "expired"} on ${day(certificate.validTo)}`;
  return `ACME: no new certificate for ${who}: ${message}; ${until}; ${next}`;
}

/** Of a certificate that is not there at the start, and what that means; null where it is there. */
export function missingWords(
  { names, certificate, dueAt }: CertificateKeeper,
  now: number,
): string | null {
  const who = names.join(", ");
  const refused = "until then handshakes for it are refused";
  if (certificate !== null) {
    if (certificate.validTo > now) return null;
    return `ACME: the certificate for ${who} expired on ${day(certificate.validTo)}; a new one is ordered`;
  }
  if (dueAt <= now) return `ACME: a certificate for ${who} is ordered; ${refused}`;
  return `ACME: no certificate for ${who} yet: orders failed before, the next is in ${span(dueAt - now)}; ${refused}`;
}

const day = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")}Z`;

const units: readonly (readonly [number, string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
];

/** Milliseconds for people, rounded to what matters. */
function span(milliseconds: number): string {
  const found = units.find(([length]) => milliseconds >= 2 * length);
  if (found === undefined) return `${Math.max(Math.round(milliseconds / 1_000), 0)} s`;
  return `${Math.round(milliseconds / found[0])} ${found[1]}`;
}
