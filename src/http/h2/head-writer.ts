import { allocBytes, bytesOf, copyBytes, writeLatin1 } from "../../core/bytes.ts";
import { FieldId } from "../field-id.ts";
import type { Fields } from "../fields.ts";
import { FIELD_OVERHEAD, HpackEncoder, isSecret } from "../hpack/encoder.ts";
import type { RequestHead } from "../request-head.ts";
import type { ResponseHead } from "../response-head.ts";
import { Flag, FRAME_HEADER, FrameType, MIN_FRAME_SIZE } from "./frame-type.ts";
import type { Output } from "./output.ts";
import type { H2Stream } from "./stream.ts";

/** Fields of an HTTP/1.1 connection: they are left out (RFC 9113 §8.2.2). */
const LEFT_OUT =
  (1 << FieldId.connection) |
  (1 << FieldId.keepAlive) |
  (1 << FieldId.proxyConnection) |
  (1 << FieldId.transferEncoding) |
  (1 << FieldId.upgrade) |
  (1 << FieldId.http2Settings);
const LEFT_OUT_OF_REQUESTS = LEFT_OUT | (1 << FieldId.host);

/** Static entries (RFC 7541 appendix A). */
const Entry = {
  authority: 1,
  get: 2,
  post: 3,
  path: 4,
  http: 6,
  https: 7,
  status: 8,
} as const;
const STATUS_ENTRIES: Readonly<Record<number, number>> = {
  200: 8,
  204: 9,
  206: 10,
  304: 11,
  400: 12,
  404: 13,
  500: 14,
};
const PROTOCOL = bytesOf(":protocol");
/** What pseudo-headers and updates of the table take beside the head's own octets. */
const BESIDE = 160;

let scratch = allocBytes(1024);

/** Writes a response's or interim head as HEADERS; a 101 goes as 200 (RFC 8441 §5). */
export function writeResponse(
  output: Output,
  encoder: HpackEncoder,
  stream: H2Stream,
  head: ResponseHead,
  ended: boolean,
): void {
  const start = begin(output, head.fields);
  const out = output.bytes;
  let at = encoder.begin(out, start + FRAME_HEADER);
  const status = head.status === 101 ? 200 : head.status;
  const entry = STATUS_ENTRIES[status];
  if (entry !== undefined) at = HpackEncoder.indexed(out, at, entry);
  else {
    writeLatin1(scratch, 0, String(status));
    at = encoder.named(out, at, Entry.status, scratch, 0, 3);
  }
  at = writeFields(out, at, encoder, head.fields, LEFT_OUT);
  finish(output, start, at, stream.id, ended);
}

/** Writes a request as HEADERS; one with `upgrade` as extended CONNECT (RFC 8441 §4). */
export function writeRequest(
  output: Output,
  encoder: HpackEncoder,
  stream: H2Stream,
  head: RequestHead,
  scheme: "http" | "https",
  ended: boolean,
): void {
  const { fields } = head;
  const { authority, method } = head;
  const target = targetOf(head);
  const start = begin(output, fields, method.length + target.length + authority.length);
  const out = output.bytes;
  let at = encoder.begin(out, start + FRAME_HEADER);
  const extended = stream.connect === "extended";
  if (extended) {
    at = named(encoder, out, at, Entry.get, "CONNECT");
    at = writeProtocol(encoder, out, at, fields);
  } else if (method === "GET") at = HpackEncoder.indexed(out, at, Entry.get);
  else if (method === "POST") at = HpackEncoder.indexed(out, at, Entry.post);
  else at = named(encoder, out, at, Entry.get, method);
  if (stream.connect !== "plain") {
    at = HpackEncoder.indexed(out, at, scheme === "http" ? Entry.http : Entry.https);
    if (target === "/") at = HpackEncoder.indexed(out, at, Entry.path);
    else at = named(encoder, out, at, Entry.path, target);
  }
  if (authority !== "") at = named(encoder, out, at, Entry.authority, authority);
  at = writeFields(out, at, encoder, fields, LEFT_OUT_OF_REQUESTS);
  finish(output, start, at, stream.id, ended);
}

/** Writes trailers, which end the stream. */
export function writeTrailers(
  output: Output,
  encoder: HpackEncoder,
  stream: H2Stream,
  trailers: Fields,
): void {
  const start = begin(output, trailers);
  const out = output.bytes;
  const at = encoder.begin(out, start + FRAME_HEADER);
  finish(output, start, writeFields(out, at, encoder, trailers, LEFT_OUT), stream.id, true);
}

/** Makes room for the section, however badly it compresses; the position of its frame. */
function begin(output: Output, fields: Fields, more = 0): number {
  const block = fields.length + fields.count * FIELD_OVERHEAD + BESIDE + more;
  // Each 16 KiB of it may need a frame header more.
  return output.reserve(FRAME_HEADER + block + (block >> 14) * FRAME_HEADER);
}

function writeFields(
  out: Uint8Array,
  start: number,
  encoder: HpackEncoder,
  fields: Fields,
  leftOut: number,
): number {
  const { bytes, count } = fields;
  let at = start;
  for (let i = 0; i < count; i++) {
    const id = fields.id(i);
    // -1: a line that was removed.
    if (id < 0 || ((leftOut >> id) & 1) !== 0) continue;
    if (id === FieldId.te && !fields.valueIs(i, "trailers")) continue;
    const from = fields.lineStart(i);
    const nameEnd = fields.nameEnd(i);
    const valueStart = fields.valueStart(i);
    const valueEnd = fields.valueEnd(i);
    const never = fields.isSensitive(i) || isSecret(id, valueEnd - valueStart);
    at = encoder.field(out, at, bytes, from, nameEnd, valueStart, valueEnd, never);
  }
  return at;
}

/** Writes the header of the block that lies behind `start`, cut into frames where it has to be. */
function finish(output: Output, start: number, end: number, id: number, ended: boolean): void {
  const ends = ended ? Flag.endStream : 0;
  const length = end - start - FRAME_HEADER;
  if (length <= MIN_FRAME_SIZE) {
    output.header(start, length, FrameType.headers, Flag.endHeaders | ends, id);
    output.length = end;
    output.remember(start, id);
    return;
  }
  // From behind, each piece moves to where the headers of those before it leave room.
  const out = output.bytes;
  const pieces = Math.ceil(length / MIN_FRAME_SIZE);
  for (let piece = pieces - 1; piece > 0; piece--) {
    const from = start + FRAME_HEADER + piece * MIN_FRAME_SIZE;
    const to = Math.min(from + MIN_FRAME_SIZE, end);
    const at = from + (piece - 1) * FRAME_HEADER;
    out.copyWithin(at + FRAME_HEADER, from, to);
    const flags = piece === pieces - 1 ? Flag.endHeaders : 0;
    output.header(at, to - from, FrameType.continuation, flags, id);
  }
  output.header(start, MIN_FRAME_SIZE, FrameType.headers, ends, id);
  output.length = end + (pieces - 1) * FRAME_HEADER;
  // Its end, if it comes at once, needs a frame: the flag stands in HEADERS, which is not the last.
  output.remember(-1, id);
}

function named(
  encoder: HpackEncoder,
  out: Uint8Array,
  at: number,
  entry: number,
  value: string,
): number {
  if (value.length > scratch.length) scratch = allocBytes(value.length * 2);
  writeLatin1(scratch, 0, value);
  return encoder.named(out, at, entry, scratch, 0, value.length);
}

/** :path in origin-form: a path, or "*" (§8.3.1). */
function targetOf(head: RequestHead): string {
  const { target, form } = head;
  if (form !== "absolute") return target;
  if (head.pathStart === head.targetEnd && head.isMethod("OPTIONS")) return "*";
  const { path, query } = head;
  return query === "" ? path : `${path}?${query}`;
}

function writeProtocol(encoder: HpackEncoder, out: Uint8Array, at: number, fields: Fields): number {
  const index = fields.first(FieldId.upgrade);
  if (index < 0) return at;
  const from = fields.valueStart(index);
  const end = fields.valueEnd(index);
  const length = PROTOCOL.length + end - from;
  if (length > scratch.length) scratch = allocBytes(2 * length);
  copyBytes(PROTOCOL, 0, PROTOCOL.length, scratch, 0);
  copyBytes(fields.bytes, from, end, scratch, PROTOCOL.length);
  return encoder.field(out, at, scratch, 0, PROTOCOL.length, PROTOCOL.length, length, false);
}
