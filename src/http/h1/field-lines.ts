import { fieldIdAt } from "../field-id.ts";
import type { Fields } from "../fields.ts";
import { CLASS, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from "../octets.ts";
import { Fault } from "./fault.ts";

/**
 * Scans field lines from buf[pos] up to and with the empty line (RFC 9112 §5), and records them in
 * `fields` at positions relative to `base`. Only CRLF ends a line. Returns the position after the empty
 * line, or a Fault.
 */
export function scanFieldLines(
  buf: Uint8Array,
  pos: number,
  end: number,
  base: number,
  fields: Fields,
  maxFields: number,
): number {
  while (pos < end) {
    const lineStart = pos;
    const nameEnd = skip(buf, pos, end, TOKEN);
    if (nameEnd === end) return Fault.incomplete;
    if (nameEnd === lineStart || buf[nameEnd] !== COLON) {
      if (nameEnd === lineStart && buf[nameEnd] === CR) return emptyLine(buf, nameEnd, end);
      return faultInName(buf, lineStart, nameEnd);
    }
    let valueStart = nameEnd + 1;
    while (valueStart < end && isSpace(buf[valueStart]!)) valueStart++;
    pos = skip(buf, valueStart, end, VALUE);
    if (pos + 1 >= end) {
      return pos === end || buf[pos] === CR ? Fault.incomplete : faultInValue(buf[pos]!);
    }
    if (buf[pos] !== CR || buf[pos + 1] !== LF) return faultInValue(buf[pos]!);
    let valueEnd = pos;
    while (valueEnd > valueStart && isSpace(buf[valueEnd - 1]!)) valueEnd--;
    pos += 2;
    if (fields.count === maxFields) return Fault.tooManyFields;
    const id = fieldIdAt(buf, lineStart, nameEnd);
    fields.addLine(lineStart - base, nameEnd - base, valueStart - base, valueEnd - base, id);
  }
  return Fault.incomplete;
}

/** The first position from `pos` on whose octet is not of the class. Small, so that it compiles well. */
function skip(buf: Uint8Array, pos: number, end: number, mask: number): number {
  while (pos < end && (CLASS[buf[pos]!]! & mask) !== 0) pos++;
  return pos;
}

function isSpace(octet: number): boolean {
  return octet === SP || octet === HTAB;
}

/** The fault of an octet that ends a line where CRLF should. */
export function faultInValue(octet: number): number {
  if (octet === CR) return Fault.bareCr;
  return octet === LF ? Fault.bareLf : Fault.control;
}

function emptyLine(buf: Uint8Array, pos: number, end: number): number {
  if (pos + 1 === end) return Fault.incomplete;
  return buf[pos + 1] === LF ? pos + 2 : Fault.bareCr;
}

function faultInName(buf: Uint8Array, lineStart: number, pos: number): number {
  const octet = buf[pos]!;
  const space = octet === SP || octet === HTAB;
  if (pos === lineStart) {
    if (space) return Fault.obsFold; // RFC 9112 §5.2, or white space before the first field, §2.2
    return octet === LF ? Fault.bareLf : Fault.fieldName;
  }
  if (space) return Fault.spaceBeforeColon; // RFC 9112 §5.1
  if (octet === CR || octet === LF) return Fault.noColon;
  return Fault.fieldName;
}
