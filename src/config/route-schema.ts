import * as z from "zod";
import { normalizePath } from "../proxy/route/path.ts";
import { compressionSchema } from "./compression-schema.ts";
import { grpcWebSchema, transcodeSchema } from "./grpc-schema.ts";
import { entityName, fieldName, fieldValue, isDnsName, wholeNumber } from "./scalars.ts";

const hostPhrase = 'a host name without port, such as "example.com", or "*.example.com"';

const hostPattern = z.string({ error: hostPhrase }).transform((text, ctx) => {
  const host = text.toLowerCase();
  const bare = host.startsWith("*.") ? host.slice(2) : host;
  // Addresses are hosts, too: http://127.0.0.1/ or http://[::1]/.
  if (isDnsName(bare) || /^[\d.]+$/.test(bare) || /^\[[0-9a-f:.]+\]$/.test(bare)) return host;
  ctx.addIssue({ code: "custom", message: hostPhrase });
  return z.NEVER;
});

/** Match paths are compared after normalisation, so they must survive it. */
const pathText = (phrase: string) =>
  z
    .string({ error: phrase })
    .regex(/^\/[!"$->@-~]*$/, { error: phrase })
    .refine((text) => normalizePath(text) !== null, {
      error: 'a path without broken escapes, disguised dot segments and ".." above the root',
    });

const pathPhrase = 'a path that starts with "/", such as "/api"';
const patternPhrase =
  'a path pattern that starts with "/", such as "/users/:id" or "/files/*" ("*" only as its last segment)';

const pattern = pathText(patternPhrase).refine(
  (text) =>
    /^(\/(:[A-Za-z_][A-Za-z0-9_]*|[^/:*?#][^/*?#]*)?)*(\/\*)?$/.test(text) && distinctNames(text),
  { error: patternPhrase },
);

function distinctNames(text: string): boolean {
  const names = text.split("/").filter((segment) => segment.startsWith(":"));
  return new Set(names).size === names.length;
}

const path = z
  .union(
    [
      pattern.transform((value) => ({
        kind: /\/:|\/\*$/.test(value) ? ("pattern" as const) : ("exact" as const),
        value,
      })),
      z.strictObject({ exact: pathText(pathPhrase) }).transform((p) => ({
        kind: "exact" as const,
        value: p.exact,
      })),
      z.strictObject({ prefix: pathText(pathPhrase) }).transform((p) => ({
        kind: "prefix" as const,
        value: p.prefix,
      })),
      z.strictObject({ pattern }).transform((p) => ({
        kind: "pattern" as const,
        value: p.pattern,
      })),
    ],
    {
      error:
        'a path such as "/about", a pattern such as "/users/:id" or "/files/*", or one of { exact }, { prefix }, { pattern }',
    },
  )
  .describe(
    'The path: "/about" for just this one, "/users/:id" where a segment may be anything, "/files/*" for all below; or spelled out as { exact: /about }, { prefix: /api } (whole segments: /api and /api/x, not /apix), { pattern: "/users/:id" }. Compared after normalisation: percent-encoded unreserved characters decoded, "//", "." and ".." resolved.',
  );

const condition = z.union(
  [
    fieldValue.transform((value) => ({ kind: "exact" as const, value })),
    z.strictObject({ exact: fieldValue }).transform((c) => ({
      kind: "exact" as const,
      value: c.exact,
    })),
    z.strictObject({ prefix: fieldValue }).transform((c) => ({
      kind: "prefix" as const,
      value: c.prefix,
    })),
    z.strictObject({ in: z.array(fieldValue).min(1) }).transform((c) => ({
      kind: "in" as const,
      values: c.in,
    })),
    z.strictObject({ present: z.boolean() }).transform((c) => ({
      kind: c.present ? ("present" as const) : ("absent" as const),
    })),
  ],
  { error: "a value, or one of { present: true }, { exact }, { prefix }, { in: [ … ] }" },
);

const method = z
  .string({ error: "a method, such as GET" })
  .regex(/^[A-Z][A-Z0-9_-]*$/, { error: "a method in capitals, such as GET" });

const hostList = z.union([hostPattern, z.array(hostPattern).min(1)], {
  error: `${hostPhrase}, or a list of these`,
});
const methodList = z.union([method, z.array(method).min(1)], {
  error: "a method, such as GET, or a list of these",
});

const match = z
  .strictObject({
    host: hostList
      .optional()
      .describe(
        'The host of the request: a name, "*.example.com" for one or more labels before it (not example.com itself), or a list. Without it: any host.',
      ),
    path: path.optional(),
    method: methodList.optional().describe("The method, or a list of methods."),
    headers: z
      .record(fieldName, condition)
      .optional()
      .describe("Header fields that must be there: a value, or { present }, { prefix }, { in }."),
    query: z
      .record(z.string(), condition)
      .optional()
      .describe("Query parameters that must be there, in the same forms; decoded first."),
  })
  .prefault({})
  .describe("Which requests; all of it must hold. Without it: every request.");

const weights = z
  .record(z.string(), wholeNumber(0, 1_000_000))
  .describe("Upstreams and their shares, such as { stable: 95, canary: 5 }.");

const sticky = z
  .union(
    [
      z.strictObject({ cookie: fieldName }).transform((s) => ({
        kind: "cookie" as const,
        name: s.cookie,
      })),
      z.strictObject({ header: fieldName }).transform((s) => ({
        kind: "header" as const,
        name: s.header,
      })),
    ],
    { error: "{ cookie: NAME } or { header: NAME }" },
  )
  .describe(
    "For a split: requests with the same value of this cookie or header go to the same upstream; those without it are drawn anew.",
  );

const redirect = z
  .strictObject({
    status: z
      .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)], {
        error: "a redirect status: 301, 302, 303, 307 or 308",
      })
      .prefault(302)
      .describe("The status: 301, 302, 303, 307 or 308."),
    location: z
      .string({ error: "a URL or a path" })
      .regex(/^[!-~]+$/, { error: "a URL or a path without blanks" })
      .describe(
        "Where to: {host}, {path}, {query} (with its ?), {prefix-rest}, and the pattern's captures such as {id} or {*} are filled in.",
      ),
  })
  .describe("Answer with a redirect.");

const respond = z
  .strictObject({
    status: wholeNumber(200, 599).prefault(200).describe("The status."),
    headers: z.record(fieldName, fieldValue).prefault({}).describe("Its header fields."),
    body: z
      .string({ error: "text" })
      .prefault("")
      .describe("The body; plain text unless a Content-Type says otherwise."),
  })
  .describe("Answer with this, without an upstream.");

const template = pathText(
  'a path that starts with "/", with captures such as {id} where they belong',
);

const rewrite = z
  .strictObject({
    path: template
      .optional()
      .describe("The new path, with captures such as {id} filled in. The query stays."),
    stripPrefix: pathText(pathPhrase)
      .optional()
      .describe("Takes this off the front of the path, by whole segments."),
    addPrefix: pathText(pathPhrase).optional().describe("Puts this in front of the path."),
    host: z
      .string()
      .regex(/^[!-~]+$/, { error: "a host name" })
      .optional()
      .describe("The Host that goes to the upstream."),
  })
  .describe("Changes the request before it goes to the upstream.");

const edits = z.strictObject({
  set: z.record(fieldName, fieldValue).prefault({}).describe("Fields to set, in place of any."),
  add: z.record(fieldName, fieldValue).prefault({}).describe("Fields to add to those there."),
  remove: z.array(fieldName).prefault([]).describe("Fields to take away, before set and add."),
});

export const routeSchema = z
  .strictObject({
    name: entityName("a route")
      .optional()
      .describe("What the access log and metrics call it. Without it: made from host and path."),
    match,
    upstream: z.string({ error: "the name of an upstream" }).optional().describe("Where it goes."),
    split: weights.optional(),
    sticky: sticky.optional(),
    redirect: redirect.optional(),
    respond: respond.optional(),
    rewrite: rewrite.optional(),
    requestHeaders: edits.optional().describe("Changes to the request's header fields."),
    responseHeaders: edits.optional().describe("Changes to the response's header fields."),
    compress: compressionSchema.optional(),
    grpcWeb: grpcWebSchema.optional(),
    transcode: transcodeSchema.optional(),
  })
  .describe("A route: a match, and one of upstream, split, redirect or respond.");

export type ParsedRoute = z.output<typeof routeSchema>;
