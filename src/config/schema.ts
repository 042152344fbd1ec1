import * as z from "zod";
import { listenerSchema, moduleListenerSchema } from "./listener-schema.ts";
import { duration, entityName, listenAddress, listenPhrase, wholeNumber } from "./scalars.ts";
import { upstreamSchema } from "./upstream-schema.ts";

/**
 * The schema of a configuration file, and of the static part of a TypeScript module. It is the one
 * source of validation, of defaults, of the types that `defineProxy` takes and of the JSON Schema.
 */

const workers = z
  .union([z.literal("auto"), wholeNumber(1, 1024)], {
    error: 'a whole number from 1 to 1024, or "auto"',
  })
  .prefault("auto")
  .describe('Worker threads; "auto" is one for each core.');

const driver = z
  .enum(["auto", "epoll", "node"])
  .prefault("auto")
  .describe(
    '"epoll" is the fast reactor of Linux, "node" runs everywhere; "auto" takes the first that works.',
  );

export const defaultAdmin = "127.0.0.1:9901";

const admin = z
  .union(
    [
      z.literal("off").transform(() => null),
      listenAddress,
      z
        .strictObject({ listen: listenAddress.describe(`Where it listens: ${listenPhrase}.`) })
        .transform((a) => a.listen),
    ],
    { error: `{ listen: ADDRESS }, or "off"` },
  )
  .prefault({ listen: defaultAdmin })
  .describe(
    'Health, metrics and the configuration over HTTP: { listen: "127.0.0.1:9901" } or "off". It has no authentication; keep it on loopback.',
  );

const toggle = z.union(
  [z.literal(["on", true]).transform(() => true), z.literal(["off", false]).transform(() => false)],
  { error: "on or off" },
);

const access = z
  .union(
    [
      toggle.transform((on) => (on ? { sample: 1, to: "stdout" } : null)),
      z
        .number()
        .min(0)
        .max(1)
        .transform((sample) => (sample > 0 ? { sample, to: "stdout" } : null)),
      z
        .strictObject({
          sample: z
            .number({ error: "a number from 0 to 1" })
            .min(0, { error: "a number from 0 to 1" })
            .max(1, { error: "a number from 0 to 1" })
            .prefault(1)
            .describe("The share of requests that get a line: 1 for all, 0 for none."),
          to: z
            .string({ error: "stdout, stderr or the path of a file" })
            .min(1, { error: "stdout, stderr or the path of a file" })
            .prefault("stdout")
            .describe("stdout, stderr, or the path of a file to append to."),
        })
        .transform((a) => (a.sample > 0 ? a : null)),
    ],
    { error: "on, off, a share from 0 to 1, or { sample, to }" },
  )
  .prefault("on")
  .describe(
    "The access log, a line of JSON a request: on, off, a share from 0 to 1, or { sample, to }.",
  );

const log = z
  .strictObject({
    level: z
      .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
      .prefault("info")
      .describe("The least severe messages that are logged."),
    access,
  })
  .prefault({})
  .describe("What is logged, and where.");

const drain = z
  .strictObject({
    timeout: duration
      .prefault("30s")
      .describe("How long requests in flight may take after SIGTERM before they are cut."),
  })
  .prefault({})
  .describe("How the proxy stops.");

const upstreams = z
  .record(entityName("an upstream"), upstreamSchema)
  .prefault({})
  .describe("Groups of endpoints, by name.");

const processShape = { workers, driver, admin, log, drain, upstreams };

/** The YAML file. */
export const fileSchema = z
  .strictObject({
    ...processShape,
    listeners: z
      .array(listenerSchema)
      .min(1, { error: "at least one listener" })
      .describe("Where clients connect, and where their requests go."),
  })
  .describe("A Millrace configuration.");

/** The static part of a TypeScript module. */
export const moduleSchema = z.strictObject({
  ...processShape,
  listeners: z
    .array(moduleListenerSchema)
    .min(1, { error: "at least one listener" })
    .prefault([{ listen: "127.0.0.1:8080" }])
    .describe("Where clients connect."),
});

export type FileInput = z.input<typeof fileSchema>;
export type ModuleInput = z.input<typeof moduleSchema>;
export type ParsedFile = z.output<typeof fileSchema>;
export type ParsedModule = z.output<typeof moduleSchema>;
