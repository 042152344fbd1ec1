import * as z from "zod";
import { compressionSchema } from "./compression-schema.ts";
import { http2Schema } from "./http2-schema.ts";
import { routeSchema } from "./route-schema.ts";
import {
  countOrUnlimited,
  duration,
  entityName,
  fieldName,
  listenerPhrase,
  listenPlace,
  size,
  sizeOrUnlimited,
  wholeNumber,
} from "./scalars.ts";
import { listenerTlsSchema } from "./tls-schema.ts";

const limits = z
  .strictObject({
    requestLine: size
      .prefault("8KiB")
      .describe("The longest request line; a longer one is answered 414."),
    head: size
      .prefault("32KiB")
      .describe("The largest head, request line included; a larger one is answered 431."),
    fields: wholeNumber(1, 10_000)
      .prefault(100)
      .describe("The most header fields in a request; more are answered 431."),
    body: sizeOrUnlimited
      .prefault("unlimited")
      .describe(
        "The largest request body; a larger one is answered 413. Bodies are streamed and never held whole, so the default is no limit.",
      ),
    connections: wholeNumber(1, 1_000_000)
      .prefault(50_000)
      .describe("Client connections open at once in one worker; further ones are closed at once."),
    requestsPerConnection: countOrUnlimited
      .prefault("unlimited")
      .describe("Requests on one connection before it is closed."),
    webSocketMessage: size
      .prefault("1MiB")
      .describe(
        "The largest message of a WebSocket, inflated, where `webSocketMessage` of a TypeScript module looks at them: they are held whole. A larger one closes with 1009.",
      ),
  })
  .prefault({})
  .describe("What a client may ask for.");

const timeouts = z
  .strictObject({
    head: duration
      .prefault("10s")
      .describe("From the first byte of a request's head to its last; past it 408."),
    idle: duration
      .prefault("75s")
      .describe("How long a connection may stay open without a request."),
    body: duration
      .prefault("30s")
      .describe("The longest pause between two pieces of a request's body; past it 408."),
    write: duration
      .prefault("30s")
      .describe("How long a client may take nothing of a response before it is dropped."),
    tunnel: duration
      .prefault("1h")
      .describe("How long a tunnel (WebSocket, CONNECT) may stay open while nothing moves."),
  })
  .prefault({})
  .describe("How long the listener waits for a client.");

const forwardMode = z.enum(["append", "replace", "off"]);

const forwarding = z
  .strictObject({
    via: z
      .union([z.literal("off").transform(() => null), fieldName], {
        error: 'a pseudonym for this proxy (a single word), or "off"',
      })
      .prefault("millrace")
      .describe('The name in the Via field (RFC 9110 §7.6.3), or "off" for no Via.'),
    xForwarded: forwardMode
      .prefault("replace")
      .describe(
        'X-Forwarded-For, -Proto and -Host: "replace" what the client sent (right at the edge: a client cannot lie), "append" to it (behind a proxy that you trust), or "off".',
      ),
    forwarded: forwardMode
      .prefault("off")
      .describe("The Forwarded field (RFC 7239), in the same ways."),
  })
  .prefault({})
  .describe("The fields that tell upstreams about the client.");

const listenerShape = {
  name: entityName("a listener")
    .optional()
    .describe("What the access log and metrics call it. Without it: its first address."),
  listen: z
    .union([listenPlace, z.array(listenPlace).min(1)], {
      error: `${listenerPhrase}, or a list of these`,
    })
    .describe(
      `Where it listens: ${listenerPhrase}, or a list of these. TLS is spoken at https:// addresses, and at those without a scheme where the listener has \`tls\`.`,
    ),
  tls: listenerTlsSchema.optional(),
  limits,
  timeouts,
  forwarding,
  halfClose: z
    .enum(["abort", "serve"])
    .prefault("abort")
    .describe(
      'A client that closes its sending side while its request is in flight: "abort" the request as it left, or "serve" it the answer.',
    ),
  allowConnect: z
    .boolean()
    .prefault(false)
    .describe("Hand CONNECT requests to the program instead of answering 405."),
  http2: http2Schema,
};

/** A listener in a TypeScript module: the phases decide what routes would. */
export const moduleListenerSchema = z.strictObject(listenerShape).describe("A listener.");

export const listenerSchema = z
  .strictObject({
    ...listenerShape,
    compress: compressionSchema
      .optional()
      .describe("What holds for routes that say nothing of `compress` themselves."),
    routes: z
      .array(routeSchema)
      .min(1, { error: 'at least one route, such as "- upstream: NAME"' })
      .describe(
        "Where requests go. The most specific route wins: exact host, longer wildcard, any host; then an exact path, then the pattern or prefix with more literal segments; then the number of further conditions; then the order in the file.",
      ),
  })
  .describe("A listener with its routes.");

export type ParsedListener = z.output<typeof listenerSchema>;
export type ParsedModuleListener = z.output<typeof moduleListenerSchema>;
