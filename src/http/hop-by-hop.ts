import { bytesOf } from "../core/bytes.ts";
import { FieldId, fieldIdAt } from "./field-id.ts";
import type { Fields } from "./fields.ts";
import { TokenList } from "./token-list.ts";

const CONNECTION_TE = bytesOf("Connection: TE\r\n");

/** Known fields that a message's Connection may name away; the other known ones are end-to-end. */
const HOP_BY_HOP =
  bit(FieldId.connection) |
  bit(FieldId.transferEncoding) |
  bit(FieldId.upgrade) |
  bit(FieldId.te) |
  bit(FieldId.keepAlive) |
  bit(FieldId.proxyConnection) |
  bit(FieldId.http2Settings);

const list = new TokenList(new Uint8Array(0));

/**
 * Removes what concerns only the connection that a message came on (RFC 9110 §7.6.1): Connection and
 * the fields that it names, Keep-Alive, Proxy-Connection, Transfer-Encoding, HTTP2-Settings, TE unless
 * it is just "trailers" (then "Connection: TE" is added, RFC 9110 §10.1.4), Upgrade unless kept (the
 * caller adds "Connection: upgrade").
 *
 * Connection cannot name away a field that the stack itself acts on and that is end-to-end (Host,
 * Content-Length, Via, X-Forwarded-For, Cookie, Authorization, …): such a name is ignored, so that
 * nobody can strip what this or an earlier proxy relies on.
 */
export function removeHopByHop(fields: Fields, keepUpgrade: boolean): void {
  if ((fields.mask & HOP_BY_HOP) === 0) return;
  const te = fields.first(FieldId.te);
  const keepTe = te >= 0 && fields.next(FieldId.te, te) < 0 && fields.valueIs(te, "trailers");
  const connection = FieldId.connection;
  for (let i = fields.first(connection); i >= 0; i = fields.next(connection, i)) {
    removeNamed(fields, i);
    fields.remove(i);
  }
  fields.removeId(FieldId.transferEncoding);
  fields.removeId(FieldId.keepAlive);
  fields.removeId(FieldId.proxyConnection);
  fields.removeId(FieldId.http2Settings);
  if (!keepUpgrade) fields.removeId(FieldId.upgrade);
  if (keepTe) fields.appendLine(CONNECTION_TE, FieldId.connection);
  else fields.removeId(FieldId.te);
}

/** Removes the fields of unknown id that the Connection line names; the known ones are dealt with apart. */
function removeNamed(fields: Fields, connection: number): void {
  const buf = fields.bytes;
  list.reset(buf, fields.valueStart(connection), fields.valueEnd(connection));
  while (list.next()) {
    if (list.start === list.stop || list.is("close") || list.is("keep-alive")) continue;
    if (fieldIdAt(buf, list.start, list.stop) !== FieldId.other) continue;
    for (let i = fields.next(0, -1); i >= 0; i = fields.next(0, i)) {
      if (sameName(fields, i, list)) fields.remove(i);
    }
  }
}

/** Whether the line's name is the list member, letters in either case; both are tokens. */
function sameName(fields: Fields, index: number, member: TokenList): boolean {
  const buf = fields.bytes;
  const start = fields.lineStart(index);
  const length = fields.nameEnd(index) - start;
  if (length !== member.stop - member.start) return false;
  for (let i = 0; i < length; i++) {
    const a = buf[start + i]!;
    const b = buf[member.start + i]!;
    if (a !== b && ((a ^ b) !== 0x20 || (a | 0x20) < 0x61 || (a | 0x20) > 0x7a)) return false;
  }
  return true;
}

function bit(id: number): number {
  return 1 << id;
}
