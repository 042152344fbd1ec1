import * as z from "zod";
import { healthSchema } from "./health-schema.ts";
import {
  countOrUnlimited,
  duration,
  endpointAddress,
  endpointPhrase,
  fieldName,
  size,
  wholeNumber,
} from "./scalars.ts";
import { upstreamTlsSchema } from "./tls-schema.ts";

const endpoint = z
  .union(
    [
      endpointAddress.transform((place) => ({ ...place, weight: 1 })),
      z
        .strictObject({
          address: endpointAddress.describe(`Where it is: ${endpointPhrase}.`),
          weight: wholeNumber(1, 1000)
            .prefault(1)
            .describe("Its share of the requests. A DNS name's addresses have it each."),
        })
        .transform(({ address, weight }) => ({ ...address, weight })),
    ],
    { error: `${endpointPhrase}, or { address, weight }` },
  )
  .describe(`${endpointPhrase}, "demo" for the embedded demo origin, or { address, weight }.`);

const hashSource = z.union(
  [
    z.literal("client-address").transform(() => ({ kind: "client-address" as const })),
    z.strictObject({ header: fieldName }).transform((s) => ({
      kind: "header" as const,
      name: s.header,
    })),
    z.strictObject({ cookie: fieldName }).transform((s) => ({
      kind: "cookie" as const,
      name: s.cookie,
    })),
  ],
  { error: '"client-address", { header: NAME } or { cookie: NAME }' },
);

export const balancePhrase =
  "round-robin, random, least-request, p2c-ewma, or { kind: consistent-hash, on: … }";

const balance = z
  .union(
    [
      z
        .enum(["round-robin", "random", "least-request", "p2c-ewma"])
        .transform((kind) => ({ kind })),
      z.strictObject({
        kind: z.literal("consistent-hash"),
        on: hashSource.describe(
          "What is hashed: client-address, { header: NAME } or { cookie: NAME }. A request without it goes to a random endpoint.",
        ),
      }),
    ],
    { error: balancePhrase },
  )
  .prefault("round-robin")
  .describe(`How an endpoint is chosen: ${balancePhrase}.`);

const limits = z
  .strictObject({
    connectionsPerEndpoint: countOrUnlimited
      .prefault(4096)
      .describe("Connections to one endpoint by one worker."),
    idlePerEndpoint: wholeNumber(0)
      .prefault(128)
      .describe("Idle connections kept to one endpoint by one worker; 0 keeps none."),
    pending: wholeNumber(0)
      .prefault(1024)
      .describe(
        "Requests of one worker that wait while every endpoint is at its limit; further ones are answered 503.",
      ),
  })
  .prefault({})
  .describe("How much is asked of the endpoints.");

const timeouts = z
  .strictObject({
    connect: duration.prefault("3s").describe("To make a connection; past it another try, or 504."),
    firstByte: duration
      .prefault("60s")
      .describe("From the request's last byte to the response's first; past it 504."),
    betweenBytes: duration
      .prefault("60s")
      .describe(
        "The longest pause within a response, or while the upstream takes nothing of a request.",
      ),
    total: z
      .union([z.literal("off").transform(() => null), duration], {
        error: 'a duration with its unit, such as "30s" or "2m", or "off"',
      })
      .prefault("off")
      .describe("For the whole exchange, all tries together."),
    idle: duration
      .prefault("60s")
      .describe("How long a kept connection may stay idle. Keep it below the upstream's own."),
  })
  .prefault({})
  .describe("How long the proxy waits for an endpoint.");

const retries = z
  .strictObject({
    attempts: wholeNumber(1, 20)
      .prefault(2)
      .describe("Tries in all, the first included; another endpoint comes first."),
    keepBody: size
      .prefault("64KiB")
      .describe(
        "Request bodies up to this size are kept for another try; a longer one is sent once.",
      ),
    nonIdempotent: z
      .boolean()
      .prefault(false)
      .describe("Repeat also POST, PATCH and the like after they were sent."),
    maxFails: wholeNumber(1, 1000)
      .prefault(3)
      .describe("Failures to connect in a row after which an endpoint is left alone …"),
    failTimeout: duration.prefault("10s").describe("… for this long."),
  })
  .prefault({})
  .describe("What happens when an endpoint fails.");

export const upstreamSchema = z
  .strictObject({
    endpoints: z
      .array(endpoint)
      .min(1, { error: "at least one endpoint" })
      .describe("The servers that serve the same thing."),
    balance,
    limits,
    timeouts,
    retries,
    protocol: z
      .enum(["auto", "http1", "http2"], { error: "auto, http1 or http2" })
      .prefault("auto")
      .describe(
        "What is spoken to the endpoints. auto: over TLS what the server chooses (ALPN), in plain HTTP/1.1; http2 in plain is by prior knowledge, which is also what h2c:// addresses mean.",
      ),
    host: z
      .union(
        [
          z.enum(["preserve", "endpoint"]),
          z.strictObject({ literal: z.string().regex(/^[!-~]+$/, { error: "a host name" }) }),
        ],
        { error: "preserve, endpoint, or { literal: NAME }" },
      )
      .prefault("preserve")
      .describe(
        "The Host that the upstream sees: the client's (preserve), the endpoint's own name (endpoint), or a fixed one ({ literal: NAME }).",
      ),
    tls: upstreamTlsSchema.optional(),
    health: healthSchema.optional(),
    resolveEvery: duration.prefault("30s").describe("How often DNS names are resolved anew."),
  })
  .describe("A group of endpoints that serve the same thing.");

export type ParsedUpstream = z.output<typeof upstreamSchema>;
