import { bytesOf, latin1 } from "../../core/bytes.ts";
import { hostEnd } from "../authority.ts";
import { FieldId } from "../field-id.ts";
import type { Fields } from "../fields.ts";
import { equalsText } from "../octets.ts";
import type { RequestHead } from "../request-head.ts";
import type { ResponseHead } from "../response-head.ts";
import { listHas, TokenList } from "../token-list.ts";
import { Fault } from "./fault.ts";

const HOST = bytesOf("Host: ");
/** Connection options of one message; more than any use, few enough that removing them stays cheap. */
const MAX_OPTIONS = 64;

const CLOSE = 1;
const KEEP_ALIVE = 2;
const UPGRADE = 4;

const list = new TokenList(new Uint8Array(0));

/**
 * Decides what the fields of a request mean for its connection: Host (RFC 9112 §3.2), framing (§6.3),
 * persistence (§9.3), Expect, Upgrade. Returns 0 or a Fault. Where the standard lets a server repair a
 * message that two readers could frame differently, we refuse it.
 */
export function frameRequest(head: RequestHead): number {
  const fields = head.fields;
  const host = settleHost(head);
  if (host !== 0) return host;

  const options = connectionOptions(fields);
  if (options < 0) return options;
  head.keepAlive = persists(options, head.minor);
  head.expectContinue = head.minor === 1 && listHas(fields, FieldId.expect, "100-continue");
  head.upgrade =
    (options & UPGRADE) !== 0 &&
    head.minor === 1 &&
    fields.first(FieldId.upgrade) >= 0 &&
    !listHas(fields, FieldId.upgrade, "h2c"); // a tunnel of requests that nobody would check

  head.framing = "none";
  head.contentLength = -1;
  const length = contentLength(fields);
  if (length < -1) return length;
  if (fields.first(FieldId.transferEncoding) >= 0) {
    if (length >= 0) return Fault.lengthAndCoding; // RFC 9112 §6.1
    if (head.minor === 0) return Fault.codingInOldVersion;
    const coding = codingFault(fields);
    if (coding !== 0) return coding;
    head.framing = "chunked";
  } else if (length >= 0) {
    head.framing = "length";
    head.contentLength = length;
  }
  return head.form === "authority" && head.framing !== "none" ? Fault.connectBody : 0;
}

/**
 * The same for the response to a request with `method` (RFC 9112 §6.3). Content-Length
 * and Transfer-Encoding are removed where they must not be sent (RFC 9110 §8.6, RFC 9112 §6.1).
 */
export function frameResponse(head: ResponseHead, method: string): number {
  const fields = head.fields;
  const status = head.status;
  const options = connectionOptions(fields);
  if (options < 0) return options;
  head.keepAlive = persists(options, head.minor);
  head.framing = "none";
  head.contentLength = -1;
  const length = contentLength(fields);
  if (length < -1) return length;

  if (status < 200 || status === 204 || (method === "CONNECT" && status < 300)) {
    fields.removeId(FieldId.contentLength);
    fields.removeId(FieldId.transferEncoding);
    if (status === 101 || (method === "CONNECT" && status >= 200)) head.framing = "tunnel";
    return 0;
  }
  if (status === 304 || method === "HEAD") return 0;

  if (fields.first(FieldId.transferEncoding) >= 0) {
    if (length >= 0) return Fault.lengthAndCoding;
    if (head.minor === 0) return Fault.codingInOldVersion;
    const coding = codingFault(fields);
    if (coding !== 0) return coding;
    head.framing = "chunked";
  } else if (length >= 0) {
    head.framing = "length";
    head.contentLength = length;
  } else {
    head.framing = "close";
    head.keepAlive = false;
  }
  return 0;
}

/** Checks Host, and puts the target's own authority in its place (RFC 9112 §3.2.2). */
function settleHost(head: RequestHead): number {
  const fields = head.fields;
  const host = fields.first(FieldId.host);
  if (host < 0) {
    if (head.minor === 1) return Fault.hostMissing;
  } else {
    if ((fields.repeated & (1 << FieldId.host)) !== 0) return Fault.hostRepeated;
    const start = fields.valueStart(host);
    const end = fields.valueEnd(host);
    if (start === end || hostEnd(fields.bytes, start, end) < 0) return Fault.host;
  }
  if (head.authorityEnd === head.authorityStart) return 0;
  const authority = latin1(fields.bytes, head.authorityStart, head.authorityEnd);
  if (
    host < 0 ||
    !equalsText(fields.bytes, fields.valueStart(host), fields.valueEnd(host), authority)
  ) {
    fields.removeId(FieldId.host);
    fields.appendField(FieldId.host, HOST, authority);
  }
  return 0;
}

/** The options of all Connection fields that matter here, as bits; or a Fault. */
function connectionOptions(fields: Fields): number {
  let options = 0;
  let members = 0;
  const id = FieldId.connection;
  for (let i = fields.first(id); i >= 0; i = fields.next(id, i)) {
    list.reset(fields.bytes, fields.valueStart(i), fields.valueEnd(i));
    while (list.next()) {
      if (list.is("keep-alive")) options |= KEEP_ALIVE;
      else if (list.is("close")) options |= CLOSE;
      else if (list.is("upgrade")) options |= UPGRADE;
      if (++members > MAX_OPTIONS) return Fault.connectionOptions;
    }
  }
  return options;
}

/** RFC 9112 §9.3. */
function persists(options: number, minor: 0 | 1): boolean {
  return (options & CLOSE) === 0 && (minor === 1 || (options & KEEP_ALIVE) !== 0);
}

/** The value of Content-Length, -1 without one, or a Fault: exactly one line of digits is taken. */
function contentLength(fields: Fields): number {
  const index = fields.first(FieldId.contentLength);
  if (index < 0) return -1;
  if ((fields.repeated & (1 << FieldId.contentLength)) !== 0) return Fault.contentLengthRepeated;
  const end = fields.valueEnd(index);
  let at = fields.valueStart(index);
  if (at === end) return Fault.contentLength;
  let length = 0;
  for (; at < end; at++) {
    const digit = fields.bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return Fault.contentLength;
    length = length * 10 + digit;
    if (length > Number.MAX_SAFE_INTEGER) return Fault.contentLength;
  }
  return length;
}

/** 0 when the codings are "chunked" alone (RFC 9112 §7), else a Fault. */
function codingFault(fields: Fields): number {
  let others = false;
  let chunked = 0;
  let last = false;
  const id = FieldId.transferEncoding;
  for (let i = fields.first(id); i >= 0; i = fields.next(id, i)) {
    list.reset(fields.bytes, fields.valueStart(i), fields.valueEnd(i));
    while (list.next()) {
      if (list.start === list.stop) return Fault.coding; // an empty member
      last = list.is("chunked");
      if (last) chunked++;
      else others = true;
    }
  }
  if (!last || chunked !== 1) return Fault.coding;
  return others ? Fault.codingUnsupported : 0;
}
