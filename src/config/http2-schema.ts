import * as z from "zod";
import { http2Defaults as defaults, type FloodLimit } from "../proxy/h2/settings.ts";
import { duration, size, wholeNumber } from "./scalars.ts";

const floodLimit = ({ burst, perSecond }: FloodLimit) =>
  z.strictObject({
    burst: wholeNumber(1).prefault(burst).describe("So many at once."),
    perSecond: wholeNumber(1).prefault(perSecond).describe("And so many a second for ever."),
  });

const sizeWithin = (least: number, most: number, phrase: string) =>
  size.refine((n) => n >= least && n <= most, { error: phrase });

/** RFC 9113 §6.9.1. */
const window = sizeWithin(1, 2 ** 31 - 1, "a size from 1B to below 2GiB");

const floods = z
  .strictObject({
    resets: floodLimit(defaults.floods.resets)
      .prefault({})
      .describe('Requests that a client takes back, or sends in vain ("rapid reset").'),
    control: floodLimit(defaults.floods.control)
      .prefault({})
      .describe("SETTINGS, PING, PRIORITY and unknown frames."),
    emptyData: floodLimit(defaults.floods.emptyData)
      .prefault({})
      .describe("DATA frames without data."),
    windowUpdates: floodLimit(defaults.floods.windowUpdates)
      .prefault({})
      .describe("WINDOW_UPDATE frames, beyond ten for each DATA frame that the client got."),
  })
  .prefault({})
  .describe(
    "How often one connection may do what floods are made of; past it the connection is closed with ENHANCE_YOUR_CALM.",
  );

const options = z.strictObject({
  maxConcurrentStreams: wholeNumber(1, 100_000)
    .prefault(defaults.maxConcurrentStreams)
    .describe("Requests that a client may have open at once on a connection; more are refused."),
  initialWindow: window
    .prefault("256KiB")
    .describe("Bytes of one request's body that may arrive before the upstream has taken them."),
  connectionWindow: window
    .prefault("4MiB")
    .describe("The same for all requests of one connection together."),
  maxFrameSize: sizeWithin(2 ** 14, 2 ** 24 - 1, "a size from 16KiB to below 16MiB")
    .prefault("16KiB")
    .describe("The largest frame that a client may send, from 16KiB to below 16MiB."),
  keepAlive: z
    .union([z.literal("off").transform(() => null), duration], {
      error: 'a duration with its unit, such as "30s", or "off"',
    })
    .prefault("60s")
    .describe(
      'A client with open requests of which nothing is heard for so long is asked by PING whether it is still there; "off": it is not.',
    ),
  floods,
});

/** null: no HTTP/2. */
export const http2Schema = z
  .union(
    [
      z.literal(true).transform(() => defaults),
      z.union([z.literal(false), z.literal("off")]).transform(() => null),
      options,
    ],
    {
      error:
        "true, false, or { maxConcurrentStreams, initialWindow, connectionWindow, maxFrameSize, keepAlive, floods }",
    },
  )
  .prefault(true)
  .describe(
    "HTTP/2 for clients: by ALPN over TLS, by prior knowledge (h2c) in plain. true, false, or its limits.",
  );
