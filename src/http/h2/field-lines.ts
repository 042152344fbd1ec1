import { copyBytes } from "../../core/bytes.ts";
import { FieldId } from "../field-id.ts";
import type { Fields } from "../fields.ts";
import type { HpackDecoder } from "../hpack/decoder.ts";
import { Faults, type H2Fault } from "./fault.ts";

/** Fields that HTTP/2 has no use for, and that would mean something to an HTTP/1.1 hop (§8.2.2). */
const CONNECTION_FIELDS =
  (1 << FieldId.connection) |
  (1 << FieldId.keepAlive) |
  (1 << FieldId.proxyConnection) |
  (1 << FieldId.transferEncoding) |
  (1 << FieldId.upgrade) |
  (1 << FieldId.te);

/** Below this a loop is faster than a call of the platform's copy. */
const SHORT = 24;

/** Adds the decoder's field to the lines of `fields`; null, or what is wrong with it. */
export function addLine(decoder: HpackDecoder, fields: Fields): H2Fault | null {
  const { id, line, lineStart, lineEnd } = decoder;
  if (((CONNECTION_FIELDS >> id) & 1) !== 0 && !isTrailersOnly(decoder)) {
    return Faults.connectionField;
  }
  const at = fields.length;
  const length = lineEnd - lineStart;
  fields.reserve(length);
  const { bytes } = fields;
  if (length < SHORT) {
    for (let i = lineStart, to = at; i < lineEnd; i++, to++) bytes[to] = line[i]!;
  } else copyBytes(line, lineStart, lineEnd, bytes, at);
  fields.length = at + length;
  if (decoder.sensitive) fields.markSensitive(fields.count);
  fields.addLine(
    at,
    at + decoder.nameEnd - lineStart,
    at + decoder.valueStart - lineStart,
    at + length - 2,
    id,
  );
  return null;
}

/** TE may say "trailers", and nothing else. */
function isTrailersOnly({ id, line, valueStart, lineEnd }: HpackDecoder): boolean {
  if (id !== FieldId.te || lineEnd - valueStart !== TRAILERS.length + 2) return false;
  for (let i = 0; i < TRAILERS.length; i++) {
    if ((line[valueStart + i]! | 0x20) !== TRAILERS.charCodeAt(i)) return false;
  }
  return true;
}

const TRAILERS = "trailers";

/** The number in Content-Length, -1 without one, -2 when it is not one line of digits. */
export function contentLengthOf(fields: Fields): number {
  const index = fields.first(FieldId.contentLength);
  if (index < 0) return -1;
  if ((fields.repeated & (1 << FieldId.contentLength)) !== 0) return -2;
  const end = fields.valueEnd(index);
  let at = fields.valueStart(index);
  if (at === end) return -2;
  let length = 0;
  for (; at < end; at++) {
    const digit = fields.bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return -2;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return -2;
  }
  return length;
}
