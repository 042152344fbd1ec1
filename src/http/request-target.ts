import { hostEnd } from "./authority.ts";
import { allOf, equalsIgnoreCase, equalsText, SP, TARGET } from "./octets.ts";

/** The forms of a request target, RFC 9112 §3.2. "none" stands for one that is not valid. */
export type TargetForm = "origin" | "absolute" | "authority" | "asterisk" | "none";

/** Where the parts of a request target lie. */
export interface TargetSpans {
  form: TargetForm;
  targetStart: number;
  targetEnd: number;
  /** Where path and query begin: `targetEnd` when an absolute-form has neither. */
  pathStart: number;
  /** The authority, of absolute-form and authority-form; else empty. */
  authorityStart: number;
  authorityEnd: number;
  /** The end of the host in that authority. */
  hostStop: number;
}

/**
 * Takes the target line[start, end), of visible octets without "#", apart. The method is what stands
 * before it at the start of the line: CONNECT takes authority-form and no other, and only OPTIONS
 * takes "*". Returns false when it fits no form.
 */
export function splitTarget(
  line: Uint8Array,
  lineStart: number,
  start: number,
  end: number,
  spans: TargetSpans,
): boolean {
  spans.targetStart = start;
  spans.targetEnd = end;
  spans.pathStart = start;
  spans.authorityStart = start;
  spans.authorityEnd = start;
  spans.hostStop = start;
  const connect =
    start - lineStart === 8 &&
    line[lineStart] === 0x43 &&
    equalsText(line, lineStart, start - 1, "CONNECT");
  if (line[start] === 0x2f && !connect) {
    spans.form = "origin";
    return true;
  }
  spans.form = "none";
  if (connect) return splitAuthority(line, start, end, spans);
  if (line[start] === 0x2a) {
    if (end - start !== 1 || !equalsText(line, lineStart, start - 1, "OPTIONS")) return false;
    spans.form = "asterisk";
    return true;
  }
  return splitAbsolute(line, start, end, spans);
}

/** Whether `target` can be set by a hook: visible ASCII without "#". */
export function targetOctetsAreValid(line: Uint8Array, start: number, end: number): boolean {
  return end > start && allOf(line, start, end, TARGET);
}

/** authority-form, RFC 9112 §3.2.3: the port is required. */
function splitAuthority(line: Uint8Array, start: number, end: number, spans: TargetSpans): boolean {
  const stop = hostEnd(line, start, end);
  if (stop < 0 || end - stop < 2) return false;
  spans.form = "authority";
  spans.pathStart = end;
  spans.authorityEnd = end;
  spans.hostStop = stop;
  return true;
}

/** absolute-form, RFC 9112 §3.2.2, with the schemes http and https. */
function splitAbsolute(line: Uint8Array, start: number, end: number, spans: TargetSpans): boolean {
  let authority = start + 7;
  if (authority > end || !equalsIgnoreCase(line, start, authority, "http://")) {
    authority = start + 8;
    if (authority > end || !equalsIgnoreCase(line, start, authority, "https://")) return false;
  }
  let stop = authority;
  while (stop < end && line[stop] !== 0x2f && line[stop] !== 0x3f && line[stop] !== SP) stop++;
  const host = hostEnd(line, authority, stop);
  if (host < 0) return false;
  spans.form = "absolute";
  spans.authorityStart = authority;
  spans.authorityEnd = stop;
  spans.hostStop = host;
  spans.pathStart = stop;
  return true;
}
