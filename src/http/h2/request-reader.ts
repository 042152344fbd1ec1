import { allocBytes, bytesOf, copyBytes, latin1 } from "../../core/bytes.ts";
import { hostEnd } from "../authority.ts";
import { FieldId } from "../field-id.ts";
import { FIELD, type HpackDecoder } from "../hpack/decoder.ts";
import { Pseudo } from "../hpack/field-check.ts";
import { allOf, CR, equalsIgnoreCase, equalsText, LF, SP, TARGET, TOKEN } from "../octets.ts";
import type { RequestHead } from "../request-head.ts";
import { splitTarget } from "../request-target.ts";
import { listHas } from "../token-list.ts";
import { tooLarge } from "./block-reader.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { addLine, contentLengthOf } from "./field-lines.ts";
import type { H2Limits } from "./limits.ts";
import { DEFAULT_PRIORITY, readPriority } from "./priority.ts";

const HOST = bytesOf("host: ");
const VERSION = bytesOf(" HTTP/1.1\r\n");
const GET = bytesOf("GET");
const COOKIE = bytesOf("cookie: ");
const CONNECTION_UPGRADE = bytesOf("connection: upgrade\r\n");
const UPGRADE = bytesOf("upgrade: ");
const PRIORITY = "priority";

/**
 * Reads the field block of a request to a RequestHead (RFC 9113 §8.3.1), whose memory then holds it
 * as a complete HTTP/1.1 head: what HTTP/2 allows and HTTP/1.1 does not is refused here, so that no
 * hop behind can be led to frame it otherwise. One object serves all sessions: a block is read in
 * one go.
 */
class RequestReader {
  /** Bits of Pseudo that came. */
  #seen: number;
  /** Values of the pseudo-headers, one after another, each with its start and end by Pseudo. */
  #values: Uint8Array;
  #length: number;
  readonly #start: Int32Array;
  readonly #end: Int32Array;
  /** Of the last request, as `readPriority` gives it. */
  priority: number;

  constructor() {
    this.#seen = 0;
    this.#values = allocBytes(1024);
    this.#length = 0;
    this.#start = new Int32Array(8);
    this.#end = new Int32Array(8);
    this.priority = DEFAULT_PRIORITY;
  }

  /** Null, a fault of the stream, or Faults.compression, which is one of the connection. */
  read(
    decoder: HpackDecoder,
    buf: Uint8Array,
    start: number,
    end: number,
    head: RequestHead,
    ended: boolean,
    limits: H2Limits,
  ): H2Fault | null {
    const { fields } = head;
    fields.clear();
    this.#seen = 0;
    this.#length = 0;
    this.priority = DEFAULT_PRIORITY;
    let fault: H2Fault | null = null;
    let regular = false;
    decoder.begin(buf, start, end);
    let event = decoder.next();
    for (; event === FIELD; event = decoder.next()) {
      if (fault !== null) continue;
      if (tooLarge(decoder, fields, limits)) fault = Faults.headTooLarge;
      else if (!decoder.valid) fault = Faults.fieldSyntax;
      else if (decoder.pseudo !== Pseudo.none) {
        // §8.3: all of them in front of the fields.
        fault = regular ? Faults.pseudoHeader : this.#keep(decoder, limits);
      } else {
        if (!regular) {
          regular = true;
          fault = this.#startLine(head);
        }
        if (fault === null) fault = this.#field(decoder, head);
      }
    }
    if (event < 0) return Faults.compression;
    if (fault === null && !regular) fault = this.#startLine(head);
    if (fault === null) fault = frame(head, ended);
    if (fault !== null) head.clear();
    return fault;
  }

  #keep(decoder: HpackDecoder, limits: H2Limits): H2Fault | null {
    const kind = decoder.pseudo;
    const bit = 1 << kind;
    if (kind === Pseudo.unknown || kind === Pseudo.status || (this.#seen & bit) !== 0) {
      return Faults.pseudoHeader;
    }
    this.#seen |= bit;
    const { line, valueStart, lineEnd } = decoder;
    const length = lineEnd - 2 - valueStart;
    const at = this.#length;
    if (at + length > limits.requestLine) return Faults.headTooLarge;
    if (at + length > this.#values.length) {
      const grown = allocBytes(2 * (at + length));
      copyBytes(this.#values, 0, at, grown, 0);
      this.#values = grown;
    }
    const values = this.#values;
    for (let i = 0; i < length; i++) values[at + i] = line[valueStart + i]!;
    this.#start[kind] = at;
    this.#end[kind] = this.#length = at + length;
    return null;
  }

  /** Writes the start line and Host in front of the fields. */
  #startLine(head: RequestHead): H2Fault | null {
    const seen = this.#seen;
    const values = this.#values;
    const methodStart = this.#start[Pseudo.method]!;
    const methodEnd = this.#end[Pseudo.method]!;
    if (!has(seen, Pseudo.method)) return Faults.pseudoHeader;
    if (methodStart === methodEnd || !allOf(values, methodStart, methodEnd, TOKEN)) {
      return Faults.target;
    }
    const connect = equalsText(values, methodStart, methodEnd, "CONNECT");
    const extended = has(seen, Pseudo.protocol);
    if (extended && !connect) return Faults.pseudoHeader; // RFC 8441 §4
    if (connect && !extended) {
      // §8.5: the authority and nothing else.
      const only = (1 << Pseudo.method) | (1 << Pseudo.authority);
      if (seen !== only) return Faults.pseudoHeader;
      return this.#write(head, values, methodStart, methodEnd, Pseudo.authority);
    }
    if (!has(seen, Pseudo.path) || !has(seen, Pseudo.scheme)) return Faults.pseudoHeader;
    if (!this.#schemeIsHttp()) return Faults.target;
    if (!extended) return this.#write(head, values, methodStart, methodEnd, Pseudo.path);
    return this.#write(head, GET, 0, GET.length, Pseudo.path) ?? this.#announceProtocol(head);
  }

  #schemeIsHttp(): boolean {
    const start = this.#start[Pseudo.scheme]!;
    const end = this.#end[Pseudo.scheme]!;
    return (
      equalsIgnoreCase(this.#values, start, end, "https") ||
      equalsIgnoreCase(this.#values, start, end, "http")
    );
  }

  #write(
    head: RequestHead,
    method: Uint8Array,
    methodStart: number,
    methodEnd: number,
    target: number,
  ): H2Fault | null {
    const { fields } = head;
    const values = this.#values;
    const from = this.#start[target]!;
    const end = this.#end[target]!;
    if (from === end || !allOf(values, from, end, TARGET)) return Faults.target;
    fields.reserve(methodEnd - methodStart + end - from + 1 + VERSION.length);
    const { bytes } = fields;
    let at = 0;
    for (let i = methodStart; i < methodEnd; i++) bytes[at++] = method[i]!;
    bytes[at++] = SP;
    const targetStart = at;
    for (let i = from; i < end; i++) bytes[at++] = values[i]!;
    const targetEnd = at;
    for (let i = 0; i < VERSION.length; i++) bytes[at++] = VERSION[i]!;
    fields.length = at;
    fields.start = at;
    // A path, "*" for OPTIONS, or the authority of CONNECT: never an absolute-form (§8.3.1).
    if (!splitTarget(bytes, 0, targetStart, targetEnd, head) || head.form === "absolute") {
      return Faults.target;
    }
    head.minor = 1;
    head.keepAlive = true;
    head.expectContinue = false;
    head.upgrade = false;
    head.startLineReceived();
    return has(this.#seen, Pseudo.authority) ? this.#host(head) : null;
  }

  /** :authority becomes Host. */
  #host(head: RequestHead): H2Fault | null {
    const values = this.#values;
    const from = this.#start[Pseudo.authority]!;
    const end = this.#end[Pseudo.authority]!;
    if (hostEnd(values, from, end) < 0) return Faults.host;
    const { fields } = head;
    const start = fields.length;
    fields.reserve(HOST.length + end - from + 2);
    const { bytes } = fields;
    let at = start;
    for (let i = 0; i < HOST.length; i++) bytes[at++] = HOST[i]!;
    for (let i = from; i < end; i++) bytes[at++] = values[i]!;
    bytes[at] = CR;
    bytes[at + 1] = LF;
    fields.length = at + 2;
    fields.addLine(start, start + HOST.length - 2, start + HOST.length, at, FieldId.host);
    return null;
  }

  /** An extended CONNECT (RFC 8441) is for us what HTTP/1.1 calls an upgrade. */
  #announceProtocol(head: RequestHead): H2Fault | null {
    const start = this.#start[Pseudo.protocol]!;
    const end = this.#end[Pseudo.protocol]!;
    const values = this.#values;
    if (start === end || !allOf(values, start, end, TOKEN)) return Faults.target;
    // Not a way to hand requests past whoever checks them.
    if (equalsIgnoreCase(values, start, end, "h2c")) return Faults.target;
    head.fields.appendLine(CONNECTION_UPGRADE, FieldId.connection);
    head.fields.appendField(FieldId.upgrade, UPGRADE, latin1(values, start, end));
    head.upgrade = true;
    return null;
  }

  #field(decoder: HpackDecoder, head: RequestHead): H2Fault | null {
    const { id } = decoder;
    const { fields } = head;
    if (id === FieldId.host && has(this.#seen, Pseudo.authority)) {
      // §8.3.1: it may repeat the authority; to differ is how two hops are set at odds.
      const { line, valueStart, lineEnd } = decoder;
      const own = fields.first(FieldId.host);
      const length = lineEnd - 2 - valueStart;
      const from = fields.valueStart(own);
      if (fields.valueEnd(own) - from !== length) return Faults.host;
      for (let i = 0; i < length; i++) {
        if (line[valueStart + i] !== fields.bytes[from + i]) return Faults.host;
      }
      return null;
    }
    if (id === 0 && decoder.nameEnd - decoder.lineStart === PRIORITY.length) {
      const { line, lineStart, nameEnd, valueStart, lineEnd } = decoder;
      if (equalsText(line, lineStart, nameEnd, PRIORITY)) {
        this.priority = readPriority(line, valueStart, lineEnd - 2);
      }
    }
    return addLine(decoder, fields);
  }
}

export const requestReader = new RequestReader();

/** Decides what the fields mean, as for HTTP/1.1; `ended`: the stream ends with the head. */
function frame(head: RequestHead, ended: boolean): H2Fault | null {
  const { fields } = head;
  const host = fields.first(FieldId.host);
  if (host < 0 || (fields.repeated & (1 << FieldId.host)) !== 0) return Faults.host;
  if (hostEnd(fields.bytes, fields.valueStart(host), fields.valueEnd(host)) < 0) return Faults.host;
  if ((fields.repeated & (1 << FieldId.cookie)) !== 0) joinCookies(head);
  head.expectContinue =
    fields.first(FieldId.expect) >= 0 && listHas(fields, FieldId.expect, "100-continue");
  const length = contentLengthOf(fields);
  if (length < -1) return Faults.contentLength;
  head.framing = "none";
  head.contentLength = -1;
  if (head.form === "authority" || head.upgrade) return length >= 0 ? Faults.contentLength : null;
  if (length >= 0) {
    if (ended && length > 0) return Faults.contentLength;
    head.framing = "length";
    head.contentLength = length;
  } else if (!ended) head.framing = "chunked";
  return null;
}

/** §8.2.3: crumbs of cookies are put together before they leave HTTP/2. */
function joinCookies(head: RequestHead): void {
  const { fields } = head;
  const joined: string[] = [];
  const id = FieldId.cookie;
  let sensitive = false;
  for (let i = fields.first(id); i >= 0; i = fields.next(id, i)) {
    joined.push(fields.value(i));
    sensitive ||= fields.isSensitive(i);
  }
  fields.removeId(id);
  if (sensitive) fields.markSensitive(fields.count);
  fields.appendField(id, COOKIE, joined.join("; "));
}

const has = (seen: number, kind: number): boolean => ((seen >> kind) & 1) !== 0;
