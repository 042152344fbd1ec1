import * as z from "zod";
import { corsDefaults } from "../grpc/web/cors.ts";
import type { TranscodeSettings } from "../proxy/route/settings.ts";
import { duration, fieldName, size } from "./scalars.ts";

const originPhrase = 'an origin such as "https://app.example.com" or "https://*.example.com"';

const origin = z
  .string({ error: originPhrase })
  .regex(/^[a-z][a-z0-9+.-]*:\/\/(\*\.)?[^/*\s]+$/i, { error: originPhrase });

const origins = z.union([z.literal("any"), z.array(origin).min(1, { error: originPhrase })], {
  error: `any, or a list: ${originPhrase}`,
});

const cors = z
  .union(
    [
      z.literal(false).transform(() => null),
      z
        .strictObject({
          origins: origins
            .prefault("any")
            .describe(`Whose pages may call: any, or a list of origins, ${originPhrase}.`),
          allowHeaders: z
            .union([z.literal("any"), z.array(fieldName)], {
              error: "any, or a list of header fields",
            })
            .prefault("any")
            .describe("What pages may send beyond what gRPC-Web itself does."),
          exposeHeaders: z
            .array(fieldName)
            .prefault([])
            .describe("What pages may read of a response beyond gRPC's own fields."),
          credentials: z
            .boolean()
            .prefault(false)
            .describe("Whether cookies may be sent along. Needs origins by name."),
          maxAge: duration
            .prefault("2h")
            .describe("For how long a browser may remember a preflight's answer."),
        })
        .transform(({ maxAge, ...rest }) => ({ ...rest, maxAge: Math.floor(maxAge / 1_000_000) })),
    ],
    { error: "false, or { origins, allowHeaders, exposeHeaders, credentials, maxAge }" },
  )
  .prefault({})
  .describe(
    "Cross-origin calls: { origins, allowHeaders, exposeHeaders, credentials, maxAge }; false leaves them alone.",
  );

/** null: gRPC-Web goes by as what it is. */
export const grpcWebSchema = z
  .union(
    [
      z.literal(true).transform(() => ({ cors: corsDefaults })),
      z.literal(false).transform(() => null),
      z.strictObject({ cors }),
    ],
    { error: "true, false, or { cors }" },
  )
  .describe(
    "Takes gRPC-Web, binary and text, as gRPC to an upstream of HTTP/2: true, false, or { cors }.",
  );

const filePhrase = "the path of a file";
const servicePhrase = 'the full name of a service, such as "library.v1.Library"';

export const transcodeSchema = z
  .strictObject({
    descriptors: z
      .string({ error: filePhrase })
      .min(1, { error: filePhrase })
      .describe(
        "A FileDescriptorSet with its imports, as protoc --include_imports --descriptor_set_out or buf build write it. Read at the start.",
      ),
    services: z
      .array(
        z
          .string({ error: servicePhrase })
          .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, { error: servicePhrase }),
      )
      .min(1, { error: servicePhrase })
      .optional()
      .describe(
        `The services that are served; without it all in the set. Each is ${servicePhrase}.`,
      ),
    emitDefaults: z
      .boolean()
      .prefault(false)
      .describe("Write fields with their default value, too."),
    protoNames: z
      .boolean()
      .prefault(false)
      .describe("Write fields by their names in the .proto file; both spellings are always read."),
    ignoreUnknown: z
      .boolean()
      .prefault(false)
      .describe("Pass over unknown parameters and members; otherwise they are answered 400."),
    maxMessage: size
      .prefault("4MiB")
      .describe("The largest message, either way; past it 413, or 502 for a response."),
  })
  .transform(
    ({ services = null, emitDefaults, protoNames, ignoreUnknown, ...rest }): TranscodeSettings => ({
      ...rest,
      services,
      options: { emitDefaults, protoNames, ignoreUnknown },
      descriptorSet: null,
    }),
  )
  .describe(
    "Serves methods of gRPC as JSON over HTTP by the google.api.http rules in a descriptor set.",
  );
