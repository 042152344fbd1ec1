import type { FieldId } from "./field-id.ts";
import type { Fields } from "./fields.ts";
import { COMMA, equalsIgnoreCase, HTAB, SP } from "./octets.ts";

/** Walks the members of a comma-separated list (RFC 9110 §5.6.1) without making strings. Reused. */
export class TokenList {
  #buf: Uint8Array;
  #at: number;
  #end: number;
  /** The member: buf[start, stop), white space around it left out; may be empty. */
  start: number;
  stop: number;

  constructor(buf: Uint8Array) {
    this.#buf = buf;
    this.#at = 0;
    this.#end = -1;
    this.start = 0;
    this.stop = 0;
  }

  reset(buf: Uint8Array, start: number, end: number): void {
    this.#buf = buf;
    this.#at = start;
    this.#end = end;
  }

  /** Moves to the next member; false after the last. */
  next(): boolean {
    const buf = this.#buf;
    const end = this.#end;
    let at = this.#at;
    if (at > end) return false;
    while (at < end && (buf[at] === SP || buf[at] === HTAB)) at++;
    this.start = at;
    while (at < end && buf[at] !== COMMA) at++;
    this.#at = at + 1;
    while (at > this.start && (buf[at - 1] === SP || buf[at - 1] === HTAB)) at--;
    this.stop = at;
    return true;
  }

  is(lowerCaseToken: string): boolean {
    return equalsIgnoreCase(this.#buf, this.start, this.stop, lowerCaseToken);
  }
}

const list = new TokenList(new Uint8Array(0));

/** Whether any line of the field `id` has the token among its members. */
export function listHas(fields: Fields, id: FieldId, lowerCaseToken: string): boolean {
  for (let i = fields.first(id); i >= 0; i = fields.next(id, i)) {
    list.reset(fields.bytes, fields.valueStart(i), fields.valueEnd(i));
    while (list.next()) if (list.is(lowerCaseToken)) return true;
  }
  return false;
}
