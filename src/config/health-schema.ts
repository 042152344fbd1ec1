import * as z from "zod";
import type { HealthSettings } from "../proxy/health/settings.ts";
import { duration, fieldValue, wholeNumber } from "./scalars.ts";

const servicePhrase = 'the full name of a service, such as "library.v1.Library", or "" for all';
const pathPhrase = 'a path that starts with "/", such as "/healthz"';

const grpc = z.strictObject({
  service: z
    .string({ error: servicePhrase })
    .regex(/^([A-Za-z_][\w.]{0,126})?$/, { error: servicePhrase })
    .prefault("")
    .describe(`Which service has to be SERVING: ${servicePhrase}.`),
});

const http = z.strictObject({
  path: z
    .string({ error: pathPhrase })
    .regex(/^\/[!"$-~]*$/, { error: pathPhrase })
    .prefault("/")
    .describe("What is asked for, by GET."),
  host: fieldValue.optional().describe("The Host of that request; by default as `host` has it."),
  statuses: z
    .array(wholeNumber(200, 599))
    .min(1, { error: "at least one status" })
    .optional()
    .describe("Which answers are healthy; by default 200 to 399."),
});

/** null: no checks. */
export const healthSchema = z
  .strictObject({
    grpc: grpc
      .optional()
      .describe("By grpc.health.v1: { service }. SERVING is healthy, all else is not."),
    http: http.optional().describe("By a GET: { path, host, statuses }."),
    interval: duration
      .prefault("10s")
      .describe("From one check to the next, give or take a tenth."),
    timeout: duration.prefault("2s").describe("For a whole check, connecting included."),
    healthy: wholeNumber(1, 100)
      .prefault(2)
      .describe("Good checks in a row after which an endpoint is up again."),
    unhealthy: wholeNumber(1, 100)
      .prefault(3)
      .describe("Failed checks in a row after which it is down."),
  })
  .transform(({ grpc, http, ...rest }, ctx): HealthSettings => {
    if (grpc !== undefined && http === undefined) {
      return { ...rest, check: { kind: "grpc", service: grpc.service } };
    }
    if (http !== undefined && grpc === undefined) {
      const { path, host = null, statuses = null } = http;
      return { ...rest, check: { kind: "http", path, host, statuses } };
    }
    ctx.addIssue({ code: "custom", message: "one of grpc and http" });
    return z.NEVER;
  })
  .describe(
    "Active checks of the endpoints by each worker: { grpc } or { http }, with { interval, timeout, healthy, unhealthy }.",
  );
