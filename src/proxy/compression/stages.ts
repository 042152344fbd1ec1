import type { DecodedCoding, EncodedCoding } from "../../compression/codec.ts";
import type { Transport } from "../../core/transport.ts";
import { CodingStage, type StageOwner } from "./coding-stage.ts";
import type { Compression } from "./compression.ts";

/** Takes a coding off; what comes is decoded as soon as it is there. */
export function decodingStage(
  compression: Compression,
  coding: DecodedCoding,
  owner: StageOwner,
  transport: Transport,
): CodingStage {
  const { limits } = compression.settings;
  return new CodingStage(
    { role: "decode", coding, eager: true, limits },
    owner,
    transport,
    (handler) => compression.decoder(coding, handler),
  );
}

/** Gives a coding; `events`: each piece is news, and flushed by itself. */
export function encodingStage(
  compression: Compression,
  coding: EncodedCoding,
  events: boolean,
  owner: StageOwner,
  transport: Transport,
): CodingStage {
  return new CodingStage(
    { role: "encode", coding, eager: events, limits: null },
    owner,
    transport,
    (handler) => compression.encoder(coding, events, handler),
  );
}
