import { bytesOf } from "../core/bytes.ts";
import { FieldId } from "../http/field-id.ts";
import type { Framing, RequestHead } from "../http/head.ts";
import type { Forwarding, Hop } from "./forwarding.ts";
import type { ListenerSettings, UpstreamSettings } from "./settings.ts";

const connectionUpgrade = bytesOf("Connection: upgrade\r\n");
const transferChunked = bytesOf("Transfer-Encoding: chunked\r\n");

/**
 * Makes a received request into the one that the upstream sees (RFC 9110 §7.6): hop-by-hop fields
 * gone, this hop named, the Host as the policy says.
 */
export function prepareRequest(
  head: RequestHead,
  hop: Hop,
  forwarding: Forwarding,
  host: UpstreamSettings["host"],
  endpoint: string,
): void {
  const tunnel = head.upgrade && !isH2c(head);
  head.removeHopByHop(tunnel);
  if (tunnel) head.fields.appendLine(connectionUpgrade, FieldId.connection);
  forwarding.apply(head, hop);
  if (typeof host === "object") head.fields.set("Host", host.literal);
  // An HTTP/1.0 client may send none, but the upstream is spoken to in 1.1 (RFC 9112 §3.2).
  else if (host === "endpoint" || head.fields.first(FieldId.host) === -1) {
    head.fields.set("Host", endpoint);
  }
}

/**
 * `Upgrade: h2c` would let a client speak to the upstream past this proxy's rules (h2c smuggling): it
 * is not passed on, and the request goes as plain HTTP/1.1 (RFC 9113 §3.1 withdrew it anyway).
 */
function isH2c(head: RequestHead): boolean {
  const { fields } = head;
  for (let i = fields.first(FieldId.upgrade); i !== -1; i = fields.next(FieldId.upgrade, i)) {
    if (/\bh2c\b/i.test(fields.value(i))) return true;
  }
  return false;
}

/** TRACE would show a client the fields that this hop adds; CONNECT needs an explicit yes. */
export const isRefused = (method: string, { allowConnect }: ListenerSettings): boolean =>
  method === "TRACE" || (method === "CONNECT" && !allowConnect);

/** The framing in which a request goes out after every hook had its say; its head announces it. */
export function settleFraming(head: RequestHead, filtered: boolean): Framing {
  const lost = head.framing === "length" && head.fields.first(FieldId.contentLength) < 0;
  const framing = filtered || lost ? "chunked" : head.framing;
  if (framing === "chunked") announceChunked(head);
  return framing;
}

function announceChunked(head: RequestHead): void {
  head.fields.removeId(FieldId.contentLength);
  head.fields.removeId(FieldId.transferEncoding);
  head.fields.appendLine(transferChunked, FieldId.transferEncoding);
}
