import * as z from "zod";
import type { TlsVersion } from "../proxy/tls/settings.ts";
import { acmeSchema } from "./acme-schema.ts";
import { duration, isDnsName, wholeNumber } from "./scalars.ts";

const filePhrase = "the path of a file";

/** A path as written: whoever reads it resolves it against the configuration's folder. */
const file = z.string({ error: filePhrase }).min(1, { error: filePhrase });

const namePhrase = 'a host name such as "example.com" or "*.example.com"';

/** A name as clients send it in SNI, or a wildcard for one label. */
export const serverName = z
  .string({ error: namePhrase })
  .refine((text) => isDnsName(text.replace(/^\*\./, "")), { error: namePhrase })
  .transform((text) => text.toLowerCase());

const versionPhrase = '"1.2" or "1.3"';

const version = z
  .union([z.literal(["1.2", 1.2]), z.literal(["1.3", 1.3])], { error: versionPhrase })
  .transform((text): TlsVersion => (Number(text) === 1.2 ? "TLSv1.2" : "TLSv1.3"));

const listPhrase = 'names joined by colons, such as "X25519:P-256"';

const cipherList = z.string({ error: listPhrase }).regex(/^[\w:+!@=.-]+$/, { error: listPhrase });

/** What listeners and upstreams may say about the protocol. */
export const protocolShape = {
  policy: z
    .enum(["intermediate", "modern"])
    .prefault("intermediate")
    .describe(
      'Mozilla\'s names: "modern" is TLS 1.3 alone; "intermediate" adds TLS 1.2 with forward secrecy and AEAD ciphers.',
    ),
  minVersion: version
    .optional()
    .describe(`The oldest version of TLS: ${versionPhrase}. By default the policy's.`),
  maxVersion: version
    .optional()
    .describe(`The newest version of TLS: ${versionPhrase}. By default 1.3.`),
  ciphers: cipherList
    .optional()
    .describe("Ciphers for TLS 1.2 as OpenSSL lists them. By default the policy's."),
  cipherSuites: cipherList.optional().describe("Cipher suites of TLS 1.3, joined by colons."),
  groups: cipherList
    .optional()
    .describe('Groups for the key exchange, such as "X25519:P-256". By default OpenSSL\'s.'),
  keyLog: file
    .optional()
    .describe(
      "For debugging: a file to which the secrets of connections are appended (SSLKEYLOGFILE). Whoever has it can decrypt them.",
    ),
};

type ParsedProtocol = z.output<z.ZodObject<typeof protocolShape>>;

/** Versions and ciphers with null for what the policy decides. */
export const protocolOf = (parsed: ParsedProtocol) => ({
  policy: parsed.policy,
  minVersion: parsed.minVersion ?? null,
  maxVersion: parsed.maxVersion ?? null,
  ciphers: parsed.ciphers ?? null,
  cipherSuites: parsed.cipherSuites ?? null,
  groups: parsed.groups ?? null,
  keyLog: parsed.keyLog ?? null,
});

const certificate = z
  .strictObject({
    cert: file.describe("The certificate and its chain, in PEM, the leaf first."),
    key: file.describe("Its private key, in PEM."),
    names: z
      .array(serverName)
      .min(1, { error: "at least one name" })
      .optional()
      .describe(`The names it is shown for: ${namePhrase}. By default those that it bears.`),
    staple: file
      .optional()
      .describe(
        "An OCSP response in DER, sent to clients that ask for one; kept up to date by you.",
      ),
  })
  .transform(({ cert, key, names, staple }) => ({
    cert,
    key,
    names: names ?? null,
    staple: staple ?? null,
  }));

const clientCertificates = z
  .union(
    [
      z.literal(["off", false]).transform(() => null),
      z.strictObject({
        mode: z
          .enum(["optional", "required"])
          .prefault("required")
          .describe('"required": no connection without one; "optional": hooks decide.'),
        ca: file.describe("The authorities that clients' certificates must come from, in PEM."),
      }),
    ],
    { error: '"off", or { mode: optional | required, ca: FILE }' },
  )
  .prefault("off")
  .describe(
    'Certificates of clients: "off", or { mode: optional | required, ca: FILE }. Hooks see a verified one as session.client.tls.peerCertificate.',
  );

const passthrough = z
  .array(
    z.strictObject({
      names: z
        .array(serverName)
        .min(1, { error: "at least one name" })
        .describe(`The names in the client's SNI: ${namePhrase}.`),
      upstream: z
        .string({ error: "the name of an upstream" })
        .describe("The upstream whose endpoints get the connection; they speak TLS themselves."),
    }),
  )
  .prefault([])
  .describe(
    "Connections that are not terminated here: by the client's SNI they go to an upstream as they are, without being decrypted.",
  );

const tickets = z
  .union(
    [
      z.literal(["off", false]).transform(() => null),
      z.strictObject({
        count: wholeNumber(1, 8)
          .prefault(2)
          .describe("Tickets that a client gets with a full handshake of TLS 1.3."),
        lifetime: duration.prefault("2h").describe("How long a session may be resumed."),
        rotateEvery: duration
          .prefault("1h")
          .describe("How often the key of new tickets changes. All workers share the keys."),
      }),
    ],
    { error: '"off", or { count, lifetime, rotateEvery }' },
  )
  .prefault({})
  .describe('Resumption by session tickets: "off", or { count, lifetime, rotateEvery }.');

export const listenerTlsSchema = z
  .strictObject({
    certificates: z
      .array(certificate)
      .min(1, { error: "at least one { cert: FILE, key: FILE }" })
      .optional()
      .describe(
        "Certificates with their keys. By the client's SNI the fitting one is shown, the first where none fits. A name may have several, of ECDSA and of RSA. Files that change are read again.",
      ),
    acme: acmeSchema.optional(),
    ...protocolShape,
    clientCertificates,
    unknownName: z
      .enum(["default", "reject"])
      .prefault("default")
      .describe(
        'A name that no certificate has: "default" shows the first certificate, "reject" ends the handshake.',
      ),
    tickets,
    passthrough,
    handshakeTimeout: duration
      .prefault("10s")
      .describe("From the connection to the end of the handshake."),
  })
  .transform((tls) => ({
    ...protocolOf(tls),
    certificates: tls.certificates ?? [],
    acme: tls.acme ?? null,
    clientCertificates: tls.clientCertificates,
    unknownName: tls.unknownName,
    tickets: tls.tickets,
    passthrough: tls.passthrough,
    handshakeTimeout: tls.handshakeTimeout,
  }))
  .describe("TLS for the listener's addresses, but those that begin with http://.");

const peerNamePhrase = "a host name or an IP address";

const peerName = z.string({ error: peerNamePhrase }).regex(/^[\w.:-]+$/, { error: peerNamePhrase });

const upstreamTls = z
  .strictObject({
    ca: file
      .optional()
      .describe("The authorities that are trusted, in PEM. By default the system's."),
    verify: z
      .union(
        [
          z.literal(["on", true]).transform(() => true),
          z.literal(["off", false]).transform(() => false),
        ],
        { error: "on or off" },
      )
      .prefault("on")
      .describe(
        '"off" takes any certificate: for tests, and for networks that are trusted otherwise.',
      ),
    serverName: peerName
      .optional()
      .describe(
        "The name sent as SNI, and that the certificate must bear. By default the endpoint's host.",
      ),
    verifyName: peerName
      .optional()
      .describe("The name that the certificate must bear, where it is not the one that is sent."),
    certificate: z
      .strictObject({
        cert: file.describe("The certificate and its chain, in PEM, the leaf first."),
        key: file.describe("Its private key, in PEM."),
      })
      .optional()
      .describe("Shown to endpoints that ask for a client's certificate."),
    ...protocolShape,
  })
  .transform((tls) => ({
    ...protocolOf(tls),
    ca: tls.ca ?? null,
    verify: tls.verify,
    serverName: tls.serverName ?? null,
    verifyName: tls.verifyName ?? null,
    certificate: tls.certificate ?? null,
  }));

export const upstreamTlsSchema = upstreamTls.describe(
  "TLS towards the endpoints: spoken to those that begin with https://, and to those without a scheme where this is given. Write {} for the defaults.",
);

/** What holds for https:// endpoints of an upstream without `tls`. */
export const upstreamTlsDefaults = upstreamTls.parse({});
