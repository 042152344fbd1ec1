import type { Fields } from "../fields.ts";
import { dropForbiddenTrailers } from "../h1/trailer-fields.ts";
import { FIELD, type HpackDecoder } from "../hpack/decoder.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { addLine } from "./field-lines.ts";
import type { H2Limits } from "./limits.ts";

/**
 * Decodes a block of which nothing is wanted but what it does to the table. Null, or the fault of
 * the connection.
 */
export function discardBlock(
  decoder: HpackDecoder,
  buf: Uint8Array,
  start: number,
  end: number,
): H2Fault | null {
  decoder.begin(buf, start, end);
  let event = decoder.next();
  while (event === FIELD) event = decoder.next();
  return event < 0 ? Faults.compression : null;
}

/** Reads a trailer section to `fields`, which is cleared first (§8.1). Null, or a fault. */
export function readTrailers(
  decoder: HpackDecoder,
  buf: Uint8Array,
  start: number,
  end: number,
  fields: Fields,
  limits: H2Limits,
): H2Fault | null {
  fields.clear();
  decoder.begin(buf, start, end);
  let fault: H2Fault | null = null;
  let event = decoder.next();
  for (; event === FIELD; event = decoder.next()) {
    // A block is decoded to its end whatever is wrong with it, or the tables would differ.
    if (fault !== null) continue;
    if (tooLarge(decoder, fields, limits)) fault = Faults.headTooLarge;
    else if (!decoder.valid) fault = Faults.fieldSyntax;
    else if (decoder.pseudo !== 0) fault = Faults.pseudoHeader;
    else fault = addLine(decoder, fields);
  }
  if (event < 0) return Faults.compression;
  if (fault === null) dropForbiddenTrailers(fields);
  return fault;
}

/** Whether the decoder's field makes the section larger than is allowed. */
export function tooLarge(decoder: HpackDecoder, fields: Fields, limits: H2Limits): boolean {
  return decoder.listSize > limits.headerList || fields.count >= limits.fields;
}
