import type {
  Codec,
  CodecHandler,
  Codecs,
  DecodedCoding,
  EncodedCoding,
} from "../../compression/codec.ts";
import { zlibCodecs } from "../../compression/zlib-codecs.ts";
import { AcceptedCodings } from "../../http/content-coding.ts";
import { restoredTags } from "../../http/entity-tag.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import { MediaTypeSet } from "../../http/media-type-set.ts";
import {
  addVary,
  announceCoding,
  announcedLength,
  answerNotModified,
  codingOf,
  isGrpc,
  mayTransform,
} from "./response-rules.ts";
import {
  type CompressionLimits,
  type CompressionSettings,
  compressionDefaults,
  highestLevels,
} from "./settings.ts";

/** What a program says of compression; the rest is as `compressionDefaults`. */
export interface CompressionOptions
  extends Partial<Omit<CompressionSettings, "levels" | "limits">> {
  /** One for all codings, or for each its own. */
  readonly level?: number | Partial<CompressionSettings["levels"]>;
  readonly limits?: Partial<CompressionLimits>;
}

/**
 * Makes what the phase `compression` of a program returns. Made once and shared by all requests. Throws
 * TypeError for an unknown coding and a level or limit that there is not.
 *
 *     const compression = createCompression({ encodings: ["br", "gzip"] });
 *     export default defineProxy({ upstreamPeer: () => "app", compression: () => compression, … });
 */
export function createCompression(options: CompressionOptions = {}): Compression {
  const { level, ...rest } = options;
  const { gzip, br, zstd } = compressionDefaults.levels;
  const levels =
    typeof level === "number"
      ? { gzip: level, br: level, zstd: level }
      : { gzip: level?.gzip ?? gzip, br: level?.br ?? br, zstd: level?.zstd ?? zstd };
  const limits = { ...compressionDefaults.limits, ...rest.limits };
  const settings = { ...compressionDefaults, ...rest, levels, limits };
  requireSettings(settings);
  return new Compression(settings, zlibCodecs());
}

function requireSettings({ encodings, levels, minLength, limits }: CompressionSettings): void {
  for (const coding of encodings) {
    const highest = highestLevels[coding];
    if (highest === undefined) throw new TypeError(`compression: no such encoding: ${coding}`);
    const level = levels[coding];
    if (!Number.isInteger(level) || level < (coding === "br" ? 0 : 1) || level > highest) {
      throw new TypeError(`compression: level ${level} is not one of ${coding}'s`);
    }
  }
  if (!(minLength >= 0 && limits.decodedSize >= 0 && limits.ratio >= 1 && limits.encoders >= 0)) {
    throw new TypeError(
      "compression: minLength and limits are numbers of 0 or more, ratio of 1 or more",
    );
  }
}

/**
 * Decides which bodies are coded and how, and makes the codecs. It keeps nothing of a request, and
 * counts encoders. The
 * engine calls `prepareRequest` for each attempt, `decoding` before `responseFilter`, `encoding` after.
 */
export class Compression {
  readonly settings: CompressionSettings;
  private readonly codecs: Codecs;
  private readonly types: MediaTypeSet;
  private encoders = 0;

  constructor(settings: CompressionSettings, codecs: Codecs) {
    this.settings = settings;
    this.codecs = codecs;
    this.types = new MediaTypeSet(settings.types);
  }

  /** Edits the request as the upstream will see it: entity tags of ours become its own again. */
  prepareRequest({ fields }: RequestHead): void {
    for (const name of ["If-None-Match", "If-Match"]) {
      const tags = fields.get(name);
      if (tags === undefined) continue;
      const restored = restoredTags(tags);
      if (restored !== tags) fields.set(name, restored);
    }
    // What has to be decoded anyway is best not coded at all.
    if (this.settings.decompress) fields.set("Accept-Encoding", "identity");
  }

  /** The coding that is taken off the upstream's body, null for none; edits the head accordingly. */
  decoding(request: RequestHead, response: ResponseHead): DecodedCoding | null {
    const coding = codingOf(response);
    if (coding === "identity" || coding === "other" || !mayTransform(request, response)) {
      return null;
    }
    addVary(response);
    if (!this.settings.decompress && acceptedBy(request).weight(coding) > 0) return null;
    announceCoding(response, "identity");
    return coding;
  }

  /** The coding that the client's body gets, null for none; edits the head accordingly. */
  encoding(request: RequestHead, response: ResponseHead): EncodedCoding | null {
    const { encodings, minLength } = this.settings;
    if (encodings.length === 0) return null;
    if (response.status === 304) {
      answerNotModified(request, response);
      return null;
    }
    if (!this.types.has(response.fields.get("content-type")) || isGrpc(response)) return null;
    if (codingOf(response) !== "identity" || !mayTransform(request, response)) return null;
    const accepted = acceptedBy(request);
    const length = announcedLength(response);
    if (length >= 0 && length < minLength && accepted.identity > 0) return null;
    addVary(response);
    // RFC 9110 §12.5.3: where no coding can be had, the plain form is sent, even to who refuses it.
    if (this.encoders >= this.settings.limits.encoders) return null;
    const coding = accepted.choose(encodings);
    if (coding !== null) announceCoding(response, coding);
    return coding;
  }

  encoder(coding: EncodedCoding, flushEach: boolean, handler: CodecHandler): Codec {
    const level = this.settings.levels[coding];
    const codec = this.codecs.encoder(coding, { level, flushEach }, handler);
    this.encoders++;
    return codec;
  }

  /** An encoder that was made here is no more. */
  encoderGone(): void {
    this.encoders--;
  }

  decoder(coding: DecodedCoding, handler: CodecHandler): Codec {
    return this.codecs.decoder(coding, handler);
  }
}

const acceptedBy = (request: RequestHead): AcceptedCodings =>
  new AcceptedCodings(request.fields.get("accept-encoding"));
