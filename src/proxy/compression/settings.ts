import type { EncodedCoding } from "../../compression/codec.ts";

/** How the bodies of responses are coded. Plain data: it crosses to worker threads. */
export interface CompressionSettings {
  /** What clients are served, in our order of preference where they have none. Empty: bodies are only
   *  decoded. */
  readonly encodings: readonly EncodedCoding[];
  /** Each on the coding's own scale: gzip 1 – 9, br 0 – 11, zstd 1 – 19. */
  readonly levels: Readonly<Record<EncodedCoding, number>>;
  /** As `MediaTypeSet` reads them. */
  readonly types: readonly string[];
  /** Bodies announced as shorter (in bytes) go as they are. */
  readonly minLength: number;
  /** Whatever the upstream coded is decoded, so that body hooks see it plain. Otherwise only what the
   *  client does not accept. */
  readonly decompress: boolean;
  readonly limits: CompressionLimits;
}

export interface CompressionLimits extends DecodingLimits {
  /** Bodies that a worker encodes at once; further ones go as they are. Clients that ask for many and
   *  read none would hold an encoder for each. */
  readonly encoders: number;
}

/** Bounds on what is decoded, against bodies made to be large when unpacked. */
export interface DecodingLimits {
  /** Bytes of one body after decoding; `Infinity`: unbounded. */
  readonly decodedSize: number;
  /** Bytes after decoding for each byte before; looked at from 1 MiB on. */
  readonly ratio: number;
}

/** The highest level of each coding. The lowest is 1, of br 0. */
export const highestLevels: Readonly<Record<EncodedCoding, number>> = { gzip: 9, br: 11, zstd: 19 };

/** Text in all its forms, and the formats without a compression of their own. */
const compressibleTypes: readonly string[] = [
  "text/*",
  "*+json",
  "*+xml",
  "*+text",
  "application/javascript",
  "application/json",
  "application/rtf",
  "application/sql",
  "application/vnd.ms-fontobject",
  "application/wasm",
  "application/x-javascript",
  "application/x-ndjson",
  "application/xml",
  "application/yaml",
  "font/otf",
  "font/ttf",
  "image/bmp",
  "image/vnd.microsoft.icon",
  "image/x-icon",
];

export const compressionDefaults: CompressionSettings = {
  encodings: ["zstd", "br", "gzip"],
  // Where the curve of size over time bends for a page of 100 KB: about a millisecond each.
  levels: { gzip: 4, br: 4, zstd: 3 },
  types: compressibleTypes,
  minLength: 1024,
  decompress: false,
  limits: { decodedSize: 2 ** 30, ratio: 200, encoders: 512 },
};
