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
    while (pos < end && (CLASS[buf[pos]!]! & TOKEN) !== 0) pos++;
    if (pos === end) return Fault.incomplete;
    if (pos === lineStart || buf[pos] !== COLON) {
      if (pos === lineStart && buf[pos] === CR) return emptyLine(buf, pos, end);
      return faultInName(buf, lineStart, pos);
    }
    const nameEnd = pos++;
    while (pos < end && (buf[pos] === SP || buf[pos] === HTAB)) pos++;
    const valueStart = pos;
    while (pos < end && (CLASS[buf[pos]!]! & VALUE) !== 0) pos++;
    if (pos + 1 >= end) {
      return pos === end || buf[pos] === CR ? Fault.incomplete : faultInValue(buf[pos]!);
    }
    if (buf[pos] !== CR || buf[pos + 1] !== LF) return faultInValue(buf[pos]!);
    let valueEnd = pos;
    while (valueEnd > valueStart && (buf[valueEnd - 1] === SP || buf[valueEnd - 1] === HTAB)) {
      valueEnd--;
    }
    pos += 2;
    if (fields.count === maxFields) return Fault.tooManyFields;
    fields.addLine(
      lineStart - base,
      nameEnd - base,
      valueStart - base,
      valueEnd - base,
      fieldIdAt(buf, lineStart, nameEnd),
    );
  }
  return Fault.incomplete;
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
