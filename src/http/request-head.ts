import { allocBytes, bytesOf, copyBytes, latin1, writeLatin1 } from "../core/bytes.ts";
import type { ByteSink } from "../core/transport.ts";
import { FieldId } from "./field-id.ts";
import { Fields } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { removeHopByHop } from "./hop-by-hop.ts";
import { methodAt } from "./methods.ts";
import { allOf, CLASS, COLON, DIGIT, equalsText, TOKEN } from "./octets.ts";
import {
  splitTarget,
  type TargetForm,
  type TargetSpans,
  targetOctetsAreValid,
} from "./request-target.ts";

/** The start line of a head that nothing was said about. Never written to. */
const DEFAULT_LINE = bytesOf("GET / HTTP/1.1\r\n");
const QUESTION = 0x3f;
const SLASH = bytesOf("/");
const ASTERISK = bytesOf("*");

/**
 * The head of a request. A received one keeps the octets that came; text is made when asked for. After
 * `clear` it is "GET / HTTP/1.1" without fields, to be filled by a program.
 *
 * The start line lies in front of the fields, in `fields.bytes`, until `method` or `target` is set: then
 * it lies in memory of its own. The spans index whichever of the two holds.
 */
export class RequestHead implements TargetSpans {
  readonly fields: Fields;
  /** The HTTP/1 minor version that the sender speaks; what is written is always 1.1. */
  minor: 0 | 1;
  framing: Framing;
  /** -1 unless framing is "length". */
  contentLength: number;
  keepAlive: boolean;
  /** `Expect: 100-continue` in HTTP/1.1. */
  expectContinue: boolean;
  /** Connection names upgrade, there is an Upgrade, and it is not h2c. */
  upgrade: boolean;
  form: TargetForm;
  targetStart: number;
  targetEnd: number;
  pathStart: number;
  authorityStart: number;
  authorityEnd: number;
  hostStop: number;
  #edited: Uint8Array | null;
  #editedLength: number;
  #method: string | null;
  #target: string | null;
  #path: string | null;

  constructor() {
    this.fields = new Fields();
    this.minor = 1;
    this.framing = "none";
    this.contentLength = -1;
    this.keepAlive = true;
    this.expectContinue = false;
    this.upgrade = false;
    this.form = "origin";
    this.targetStart = 4;
    this.targetEnd = 5;
    this.pathStart = 4;
    this.authorityStart = 4;
    this.authorityEnd = 4;
    this.hostStop = 4;
    this.#edited = DEFAULT_LINE;
    this.#editedLength = DEFAULT_LINE.length;
    this.#method = "GET";
    this.#target = "/";
    this.#path = null;
  }

  /** The fields, by the name that hooks use. */
  get headers(): Fields {
    return this.fields;
  }

  get method(): string {
    this.#method ??= methodAt(this.#line, 0, this.targetStart - 1);
    return this.#method;
  }

  /** TypeError when it is no token, or does not go with the target (CONNECT, "*"). */
  set method(method: string) {
    const target = this.form === "absolute" ? this.#originForm() : this.target;
    this.#rewrite(method, target);
  }

  /** Without making a string. Methods are case-sensitive (RFC 9110 §9.1). */
  isMethod(name: string): boolean {
    return equalsText(this.#line, 0, this.targetStart - 1, name);
  }

  /** The request target as received, in any of its forms. */
  get target(): string {
    this.#target ??= latin1(this.#line, this.targetStart, this.targetEnd);
    return this.#target;
  }

  /**
   * A path with its query; for CONNECT an authority, for OPTIONS also "*". TypeError for anything else,
   * such as spaces, controls, characters beyond ASCII, a fragment.
   */
  set target(target: string) {
    this.#rewrite(this.method, target);
  }

  /** The path, undecoded: "/" when an absolute-form has none, "*" and "" for asterisk and authority-form. */
  get path(): string {
    if (this.#path === null) {
      const line = this.#line;
      const end = this.#queryMark(line);
      const path = latin1(line, this.pathStart, end);
      this.#path = path === "" && this.form === "absolute" ? "/" : path;
    }
    return this.#path;
  }

  /** What follows "?" in the target; "" when nothing does. */
  get query(): string {
    const line = this.#line;
    const mark = this.#queryMark(line);
    return mark < this.targetEnd ? latin1(line, mark + 1, this.targetEnd) : "";
  }

  /** Host, or the target's own authority where it has one (RFC 9112 §3.2.2); "" without either. */
  get authority(): string {
    if (this.authorityEnd > this.authorityStart) {
      return latin1(this.#line, this.authorityStart, this.authorityEnd);
    }
    const host = this.fields.first(FieldId.host);
    return host < 0 ? "" : this.fields.value(host);
  }

  /** The authority without its port, in lower case; IPv6 in its brackets. */
  get hostName(): string {
    if (this.authorityEnd > this.authorityStart) {
      return latin1(this.#line, this.authorityStart, this.hostStop).toLowerCase();
    }
    const host = this.fields.first(FieldId.host);
    if (host < 0) return "";
    const start = this.fields.valueStart(host);
    const end = this.fields.valueEnd(host);
    return latin1(
      this.fields.bytes,
      start,
      withoutPort(this.fields.bytes, start, end),
    ).toLowerCase();
  }

  /** See `removeHopByHop`. */
  removeHopByHop(keepUpgrade: boolean): void {
    removeHopByHop(this.fields, keepUpgrade);
  }

  clear(): void {
    this.fields.clear();
    this.minor = 1;
    this.framing = "none";
    this.contentLength = -1;
    this.keepAlive = true;
    this.expectContinue = false;
    this.upgrade = false;
    splitTarget(DEFAULT_LINE, 0, 4, 5, this);
    this.#edited = DEFAULT_LINE;
    this.#editedLength = DEFAULT_LINE.length;
    this.#forget();
  }

  /** For receivers: the start line is now what lies in front of the fields; spans were set. */
  startLineReceived(): void {
    this.#edited = null;
    this.#forget();
  }

  copyFrom(other: RequestHead): void {
    this.fields.copyFrom(other.fields);
    this.minor = other.minor;
    this.framing = other.framing;
    this.contentLength = other.contentLength;
    this.keepAlive = other.keepAlive;
    this.expectContinue = other.expectContinue;
    this.upgrade = other.upgrade;
    this.form = other.form;
    this.targetStart = other.targetStart;
    this.targetEnd = other.targetEnd;
    this.pathStart = other.pathStart;
    this.authorityStart = other.authorityStart;
    this.authorityEnd = other.authorityEnd;
    this.hostStop = other.hostStop;
    // An edited line is never changed in place, so two heads can share it.
    this.#edited = other.#edited;
    this.#editedLength = other.#editedLength;
    this.#method = other.#method;
    this.#target = other.#target;
    this.#path = other.#path;
  }

  /**
   * Writes the head as HTTP/1.1 in origin-form (RFC 9112 §3.2.1; CONNECT and "*" as they are), with its
   * live fields and the empty line. An unedited one is a single write. Returns what the last write said.
   */
  writeTo(sink: ByteSink): boolean {
    const edited = this.#edited;
    if (edited !== null) {
      sink.write(edited, 0, this.#editedLength);
      return this.fields.writeSection(sink, this.fields.start);
    }
    const line = this.fields.bytes;
    line[this.targetEnd + 8] = 0x31; // the minor version
    if (this.form !== "absolute") return this.fields.writeSection(sink, 0);
    sink.write(line, 0, this.targetStart);
    if (this.pathStart === this.targetEnd && this.isMethod("OPTIONS")) {
      sink.write(ASTERISK, 0, 1); // RFC 9112 §3.2.4
    } else if (line[this.pathStart] !== 0x2f) {
      sink.write(SLASH, 0, 1);
    }
    return this.fields.writeSection(sink, this.pathStart);
  }

  get #line(): Uint8Array {
    return this.#edited ?? this.fields.bytes;
  }

  #queryMark(line: Uint8Array): number {
    let at = this.pathStart;
    while (at < this.targetEnd && line[at] !== QUESTION) at++;
    return at;
  }

  #originForm(): string {
    const query = this.query;
    return query === "" ? this.path : `${this.path}?${query}`;
  }

  #rewrite(method: string, target: string): void {
    const line = allocBytes(method.length + target.length + 12);
    const targetStart = writeLatin1(line, 0, method) + 1;
    line[targetStart - 1] = 0x20;
    const targetEnd = writeLatin1(line, targetStart, target);
    copyBytes(DEFAULT_LINE, 5, DEFAULT_LINE.length, line, targetEnd);
    if (targetStart === 1 || !allOf(line, 0, targetStart - 1, TOKEN) || !isLatin1(method)) {
      throw new TypeError(`not a method: ${JSON.stringify(method)}`);
    }
    const spans: TargetSpans = { ...EMPTY_SPANS };
    if (
      !isLatin1(target) ||
      !targetOctetsAreValid(line, targetStart, targetEnd) ||
      !splitTarget(line, 0, targetStart, targetEnd, spans) ||
      spans.form === "absolute"
    ) {
      throw new TypeError(`not a target for ${method}: ${JSON.stringify(target)}`);
    }
    Object.assign(this, spans);
    this.#edited = line;
    this.#editedLength = line.length;
    this.#forget();
  }

  #forget(): void {
    this.#method = null;
    this.#target = null;
    this.#path = null;
  }
}

const EMPTY_SPANS: TargetSpans = {
  form: "none",
  targetStart: 0,
  targetEnd: 0,
  pathStart: 0,
  authorityStart: 0,
  authorityEnd: 0,
  hostStop: 0,
};

/** The end of the host in an authority: before a colon that only digits follow. */
function withoutPort(buf: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at > start && (CLASS[buf[at]!]! & DIGIT) !== 0) at--;
  return at > start && buf[at] === COLON ? at : end;
}

function isLatin1(text: string): boolean {
  return /^[\0-\xff]*$/.test(text);
}
