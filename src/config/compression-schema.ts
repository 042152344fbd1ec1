import * as z from "zod";
import { compressionDefaults as defaults, highestLevels } from "../proxy/compression/settings.ts";
import { size, sizeOrUnlimited, wholeNumber } from "./scalars.ts";

const encodingPhrase = "an encoding: gzip, br or zstd";
const encoding = z.enum(["gzip", "br", "zstd"], { error: encodingPhrase });

const typePhrase = 'a media type without parameters, such as "text/html", "text/*" or "*+json"';
const mediaType = z
  .string({ error: typePhrase })
  .regex(/^(\*|\*\+[a-z0-9.-]+|[a-z0-9!#$&^_.+-]+\/(\*|[a-z0-9!#$&^_.+-]+))$/i, {
    error: typePhrase,
  });

const { gzip, br, zstd } = defaults.levels;

const ownLevels = z.strictObject({
  gzip: wholeNumber(1, highestLevels.gzip).prefault(gzip).describe("From 1 to 9."),
  br: wholeNumber(0, highestLevels.br).prefault(br).describe("From 0 to 11."),
  zstd: wholeNumber(1, highestLevels.zstd).prefault(zstd).describe("From 1 to 19."),
});

const level = z
  .union([wholeNumber(1, 9).transform((n) => ({ gzip: n, br: n, zstd: n })), ownLevels], {
    error: "a level from 1 (fast) to 9 (small), or one for each encoding: { gzip, br, zstd }",
  })
  .prefault({})
  .describe(
    "How hard to try: from 1 (fast) to 9 (small) for all encodings, or each on its own scale: { gzip: 4, br: 4, zstd: 3 }.",
  );

const options = z
  .strictObject({
    encodings: z
      .array(encoding)
      .prefault([...defaults.encodings])
      .describe("What clients are served, in order of preference where they have none."),
    types: z
      .array(mediaType)
      .min(1, { error: "at least one media type" })
      .prefault([...defaults.types])
      .describe(
        'Media types that are compressed: "text/html", "text/*" for all of a kind, "*+json" for all with a suffix. Without it: text in all its forms, and formats without a compression of their own.',
      ),
    minLength: size.prefault("1KiB").describe("Bodies announced as shorter go as they are."),
    level,
    decompress: z
      .boolean()
      .prefault(defaults.decompress)
      .describe(
        "Decode whatever the upstream sent encoded. Otherwise only what the client does not accept.",
      ),
    limits: z
      .strictObject({
        decodedSize: sizeOrUnlimited
          .prefault("1GiB")
          .describe("The largest body after decoding; a larger one is answered 502 or cut."),
        ratio: wholeNumber(1, 1_000_000)
          .prefault(defaults.limits.ratio)
          .describe("Bytes after decoding for each byte before, looked at from 1 MiB on."),
        encoders: wholeNumber(0, 1_000_000)
          .prefault(defaults.limits.encoders)
          .describe("Bodies that a worker encodes at once; further ones go as they are."),
      })
      .prefault({})
      .describe(
        "Bounds on what is decoded, against bodies made to be large when unpacked, and on encoders.",
      ),
  })
  .transform(({ level, ...rest }) => ({ ...rest, levels: level }));

/** null: no compression. */
export const compressionSchema = z
  .union(
    [z.literal(true).transform(() => defaults), z.literal(false).transform(() => null), options],
    { error: "true, false, or { encodings, types, minLength, level, decompress, limits }" },
  )
  .describe(
    "Compress what upstreams answer, by the client's Accept-Encoding: true, or { encodings, types, minLength, level, decompress, limits }.",
  );
