import { FieldId } from "../../http/field-id.ts";
import type { Fields } from "../../http/fields.ts";
import type { Framing } from "../../http/head.ts";

/**
 * How a message goes out over HTTP/2. One of a known length ends with its last octet; where trailers are
 * announced it must not: its length is told all the same, and its end comes when it comes.
 */
export const framingOut = (fields: Fields, framing: Framing): Framing =>
  framing === "length" && fields.first(FieldId.trailer) !== -1 ? "chunked" : framing;
