import { bytesOf, copyBytes } from "../../core/bytes.ts";
import { FieldId } from "../field-id.ts";
import { FIELD, type HpackDecoder } from "../hpack/decoder.ts";
import { Pseudo } from "../hpack/field-check.ts";
import type { ResponseHead } from "../response-head.ts";
import { reasonPhrase } from "../status.ts";
import { tooLarge } from "./block-reader.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { addLine, contentLengthOf } from "./field-lines.ts";
import type { H2Limits } from "./limits.ts";
import type { H2Stream } from "./stream.ts";

const NO_CONTENT = bytesOf("content-length: 0\r\n");
const CONNECTION_UPGRADE = bytesOf("connection: upgrade\r\n");
/** Status lines by status, made when first met. */
const LINES: (Uint8Array | undefined)[] = [];

/**
 * Reads the field block of a response on `stream` to a ResponseHead (RFC 9113 §8.3.2), whose memory
 * then holds it as a complete HTTP/1.1 head. Null, a fault of the stream, or Faults.compression.
 */
export function readResponse(
  decoder: HpackDecoder,
  buf: Uint8Array,
  start: number,
  end: number,
  head: ResponseHead,
  stream: H2Stream,
  ended: boolean,
  limits: H2Limits,
): H2Fault | null {
  const { fields } = head;
  fields.clear();
  let fault: H2Fault | null = null;
  let status = 0;
  decoder.begin(buf, start, end);
  let event = decoder.next();
  for (; event === FIELD; event = decoder.next()) {
    if (fault !== null) continue;
    if (tooLarge(decoder, fields, limits)) fault = Faults.headTooLarge;
    else if (!decoder.valid) fault = Faults.fieldSyntax;
    else if (decoder.pseudo !== Pseudo.none) {
      if (decoder.pseudo !== Pseudo.status || status !== 0) fault = Faults.pseudoHeader;
      else {
        status = statusOf(decoder, stream);
        if (status === 0) fault = Faults.status;
        else startLine(head, status);
      }
    } else if (status === 0) fault = Faults.pseudoHeader;
    else fault = addLine(decoder, fields);
  }
  if (event < 0) return Faults.compression;
  if (fault === null && status === 0) fault = Faults.pseudoHeader;
  return fault ?? frame(head, stream, ended);
}

/**
 * The status, 0 if it is none. 101 has no place in HTTP/2 (§8.6), but is what we call a 2xx to
 * extended CONNECT.
 */
function statusOf({ line, valueStart, lineEnd }: HpackDecoder, stream: H2Stream): number {
  if (lineEnd - 2 - valueStart !== 3) return 0;
  const a = line[valueStart]! - 0x30;
  const b = line[valueStart + 1]! - 0x30;
  const c = line[valueStart + 2]! - 0x30;
  if (a < 1 || a > 9 || b < 0 || b > 9 || c < 0 || c > 9) return 0;
  const status = a * 100 + b * 10 + c;
  if (status === 101) return 0;
  return stream.connect === "extended" && a === 2 ? 101 : status;
}

function startLine(head: ResponseHead, status: number): void {
  const { fields } = head;
  const line = (LINES[status] ??= bytesOf(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n`));
  fields.reserve(line.length);
  copyBytes(line, 0, line.length, fields.bytes, 0);
  fields.length = line.length;
  fields.start = line.length;
  head.minor = 1;
  head.keepAlive = true;
  head.startLineReceived(status, line.length - 2);
}

function frame(head: ResponseHead, stream: H2Stream, ended: boolean): H2Fault | null {
  const { fields, status } = head;
  head.framing = "none";
  head.contentLength = -1;
  const length = contentLengthOf(fields);
  if (length < -1) return Faults.contentLength;
  const switched = status === 101 || (stream.connect === "plain" && status >= 200 && status < 300);
  if (status < 200 || status === 204 || switched) {
    fields.removeId(FieldId.contentLength);
    if (switched) head.framing = "tunnel";
    if (status === 101) fields.appendLine(CONNECTION_UPGRADE, FieldId.connection);
    return null;
  }
  if (status === 304 || stream.headRequest) return null;
  if (length >= 0) {
    if (ended && length > 0) return Faults.contentLength;
    head.framing = "length";
    head.contentLength = length;
  } else if (!ended) head.framing = "chunked";
  else {
    // The end is known here; HTTP/1.1 would have to be told.
    fields.appendLine(NO_CONTENT, FieldId.contentLength);
    head.framing = "length";
    head.contentLength = 0;
  }
  return null;
}
