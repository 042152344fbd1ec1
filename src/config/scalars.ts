import * as z from "zod";
import type { SocketAddress } from "../core/address.ts";
import { parseSocketAddress } from "../core/address.ts";
import type { EndpointSettings } from "../proxy/settings.ts";
import { demoTarget } from "./effective.ts";
import { durationPattern, parseDuration, parseSize, sizePattern } from "./units.ts";

/**
 * The scalars of the configuration. An error's message is what was expected, as a noun phrase:
 * diagnose.ts puts it after "found …, expected".
 */

const durationPhrase = 'a duration with its unit, such as "500ms", "10s", "2m" or "1h"';
const longest = 366 * 86_400_000_000;

/** A positive length of time. */
export const duration = z
  .string({ error: durationPhrase })
  .regex(durationPattern, { error: durationPhrase })
  .transform((text, ctx) => {
    const d = parseDuration(text);
    if (d !== null && d > 0 && d <= longest) return d;
    ctx.addIssue({ code: "custom", message: "a duration above zero and of at most 366 days" });
    return z.NEVER;
  });

const sizePhrase = 'a size with its unit, such as "512B", "64KiB" or "1MB"';

export const size = z
  .string({ error: sizePhrase })
  .regex(sizePattern, { error: sizePhrase })
  .transform((text, ctx) => {
    const n = parseSize(text);
    if (n !== null && Number.isSafeInteger(n)) return n;
    ctx.addIssue({ code: "custom", message: sizePhrase });
    return z.NEVER;
  });

const unlimited = z.literal("unlimited").transform(() => Infinity);

export const sizeOrUnlimited = z.union([unlimited, size], {
  error: `${sizePhrase}, or "unlimited"`,
});

export const countOrUnlimited = z.union([unlimited, wholeNumber(1)], {
  error: 'a whole number of at least 1, or "unlimited"',
});

export function wholeNumber(min: number, max = 1_000_000_000) {
  const phrase =
    max === 1_000_000_000
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max}`;
  return z.int({ error: phrase }).min(min, { error: phrase }).max(max, { error: phrase });
}

export const listenPhrase =
  'an address with its port, such as "127.0.0.1:8080" or "[::]:80", or "unix:/run/app.sock"';

export const listenAddress = z.string({ error: listenPhrase }).transform((text, ctx) => {
  const address = parseSocketAddress(text);
  if (address !== null) return address;
  ctx.addIssue({ code: "custom", message: listenPhrase });
  return z.NEVER;
});

export const listenerPhrase =
  'an address with its port, such as "127.0.0.1:8080", "https://127.0.0.1:8443" or "[::]:80", or "unix:/run/app.sock"';

/** An address of a listener: a scheme says whether TLS is spoken there, without one the listener does. */
export const listenPlace = z.string({ error: listenerPhrase }).transform((text, ctx) => {
  const { scheme, rest } = splitScheme(text);
  const address = parseSocketAddress(rest);
  if (address !== null) return { address, scheme };
  ctx.addIssue({ code: "custom", message: listenerPhrase });
  return z.NEVER;
});

/** An address and the scheme before it, as in a URL: a final slash is let through, no path. */
export function splitScheme(text: string): {
  readonly scheme: "http" | "https" | null;
  readonly rest: string;
} {
  const match = /^(https?):\/\/(unix:.*|[^/]*)\/?$/.exec(text);
  if (match === null) return { scheme: null, rest: text };
  return { scheme: match[1] as "http" | "https", rest: match[2]! };
}

export const endpointPhrase =
  'an address or a name with its port, such as "10.0.0.7:9000", "[::1]:80" or "app.internal:80", "https://app.internal", or "unix:/run/app.sock"';

/**
 * A scheme says whether TLS is spoken, without one the upstream does; with one the port may be left out.
 * h2c:// is HTTP/2 in plain.
 */
export const endpointAddress = z.string({ error: endpointPhrase }).transform((text, ctx) => {
  const h2c = text.startsWith("h2c://");
  const { scheme, rest } = splitScheme(h2c ? text.replace("h2c", "http") : text);
  const target = parseEndpoint(scheme === null ? rest : withPort(rest, scheme));
  if (target !== null) return { target, scheme: h2c ? ("h2c" as const) : scheme };
  ctx.addIssue({ code: "custom", message: endpointPhrase });
  return z.NEVER;
});

/** RFC 9110 §4.2: a URL without a port has its scheme's. */
function withPort(authority: string, scheme: "http" | "https"): string {
  if (authority === "demo" || /^unix:|:\d+$/.test(authority)) return authority;
  return `${authority}:${scheme === "https" ? 443 : 80}`;
}

/** Where an endpoint is: an address that can be connected to, a DNS name with its port, or `demo`. */
export function parseEndpoint(text: string): EndpointSettings["target"] | null {
  if (text === "demo") return demoTarget;
  const address: SocketAddress | null = parseSocketAddress(text);
  if (address !== null) return address.kind === "ip" && address.port === 0 ? null : address;
  const colon = text.lastIndexOf(":");
  const port = text.slice(colon + 1);
  const host = text.slice(0, Math.max(colon, 0)).toLowerCase();
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) return null;
  return isDnsName(host) ? { kind: "name", host, port: Number(port) } : null;
}

/** A host name as resolvers take it (RFC 1123 §2.1, underscores let through as container names have
 *  them). Not one that looks like an IPv4 address. */
export function isDnsName(name: string): boolean {
  if (name.length === 0 || name.length > 253 || /^[\d.]+$/.test(name)) return false;
  return name
    .replace(/\.$/, "")
    .split(".")
    .every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}

const fieldNamePhrase = "the name of a header field: letters, digits and hyphens";

/** A token (RFC 9110 §5.6.2). */
export const fieldName = z
  .string({ error: fieldNamePhrase })
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: fieldNamePhrase });

const fieldValuePhrase = "the value of a header field: printable Latin text without line breaks";

const fieldValuePattern = /^$|^[!-~\u0080-\u00ff]([\t -~\u0080-\u00ff]*[!-~\u0080-\u00ff])?$/;

/**
 * RFC 9110 §5.5, without leading or trailing blanks. Whole numbers may stand without quotes; of others
 * YAML does not keep the spelling.
 */
export const fieldValue = z.union(
  [
    z.string().regex(fieldValuePattern, { error: fieldValuePhrase }),
    z.int({ error: `${fieldValuePhrase}; put quotes around a fraction` }).transform(String),
  ],
  { error: `${fieldValuePhrase}; put quotes around a fraction` },
);

export const entityName = (what: string) => {
  const phrase = `a name for ${what}: letters, digits, ".", "_" and "-"`;
  return z.string({ error: phrase }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: phrase });
};
