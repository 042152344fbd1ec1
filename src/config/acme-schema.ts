import * as z from "zod";
import { duration, isDnsName } from "./scalars.ts";

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

const namePhrase = 'a host name such as "example.com"';

/** No wildcards: they need DNS-01 (RFC 8555 §8.4), which is not done here. */
const name = z
  .string({ error: namePhrase })
  .refine((text) => isDnsName(text) && text.length <= 253, {
    error: `${namePhrase}; wildcards and addresses are not got by ACME here`,
  })
  .transform((text) => text.toLowerCase());

const urlPhrase = "an https:// URL";
const filePhrase = "the path of a file";
const folderPhrase = "the path of a folder";

export const acmeSchema = z
  .strictObject({
    names: z
      .array(
        z.union([name.transform((one) => [one]), z.array(name).min(1).max(100)], {
          error: `${namePhrase}, or a list of them for one certificate`,
        }),
        { error: "a list of names" },
      )
      .min(1, { error: "at least one name" })
      .describe(
        "The names to get certificates for: each one of its own, those in an inner list one together.",
      ),
    agreeToTerms: z
      .literal(true, { error: "true, once you have read the authority's terms of service" })
      .describe("That you agree to the authority's terms of service: true."),
    email: z
      .string({ error: "a mail address" })
      .regex(/^[^\s@,?]+@[^\s@,?]+$/, { error: "a mail address" })
      .optional()
      .describe("Where the authority may write to when something is wrong."),
    directory: z
      .string({ error: urlPhrase })
      .refine((text) => text.startsWith("https://") && URL.canParse(text), { error: urlPhrase })
      .prefault(LETS_ENCRYPT)
      .describe("The authority: the URL of its ACME directory."),
    challenge: z
      .enum(["tls-alpn-01", "http-01"])
      .prefault("tls-alpn-01")
      .describe(
        'How it sees that the names are yours: "tls-alpn-01" at port 443, by this listener; "http-01" at port 80, by any listener in plain.',
      ),
    storage: z
      .string({ error: folderPhrase })
      .min(1, { error: folderPhrase })
      .prefault("acme")
      .describe(
        "The folder for account keys and certificates, for its owner alone; keep it. Relative to this file.",
      ),
    ca: z
      .string({ error: filePhrase })
      .min(1, { error: filePhrase })
      .optional()
      .describe("For a private directory: the authorities that its own certificate comes from."),
    renewBefore: duration
      .optional()
      .describe(
        "How long before its end a certificate is renewed. By default when a third of its life is left.",
      ),
  })
  .transform((acme) => ({
    directory: acme.directory,
    email: acme.email ?? null,
    certificates: acme.names,
    challenge: acme.challenge,
    storage: acme.storage,
    ca: acme.ca ?? null,
    renewBefore: acme.renewBefore ?? null,
  }))
  .describe(
    "Certificates that are got and renewed by themselves (ACME, RFC 8555), from Let's Encrypt unless said otherwise. Until the first is there, handshakes for its name are refused.",
  );
