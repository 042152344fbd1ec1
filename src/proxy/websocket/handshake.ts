import { NetError } from "../../core/errors.ts";
import { FieldId } from "../../http/field-id.ts";
import type { RequestHead } from "../../http/head.ts";
import { listHas } from "../../http/token-list.ts";
import { acceptOf, newKey } from "../../http/websocket/handshake-key.ts";
import {
  acceptDeflate,
  DEFLATE_OFFER,
  type DeflateAgreement,
  readDeflateAnswer,
} from "../../http/websocket/permessage-deflate.ts";
import type { Exchange } from "../exchange.ts";

const KEY = "Sec-WebSocket-Key";
const ACCEPT = "Sec-WebSocket-Accept";
const VERSION = "Sec-WebSocket-Version";
const EXTENSIONS = "Sec-WebSocket-Extensions";

/** What a WebSocket agreed to with each side; permessage-deflate, where messages are looked at. */
export interface WebSocketTerms {
  readonly client: DeflateAgreement | null;
  readonly upstream: DeflateAgreement | null;
}

const asIs: WebSocketTerms = { client: null, upstream: null };

/** Whether a request as it goes to the upstream asks for a WebSocket. */
function asksForWebSocket({ fields, upgrade }: RequestHead): boolean {
  return upgrade && listHas(fields, FieldId.upgrade, "websocket");
}

/**
 * Adds to a request for a WebSocket what its client did not say: a key, which HTTP/2 has not (RFC 8441 §5);
 * and where messages are looked at, our own offer of extensions, which are agreed on with each side apart.
 */
export function prepareHandshake(exchange: Exchange): void {
  const { context, downstream, outgoing, program, request } = exchange;
  if (!asksForWebSocket(outgoing)) return;
  const { fields } = outgoing;
  if (downstream.protocol === "h2") {
    fields.set(KEY, newKey(context.transport.rng));
    if (!fields.has(VERSION)) fields.set(VERSION, "13");
  }
  if (program.webSocketMessage === undefined) return;
  const offers = request.fields.get(EXTENSIONS);
  // What the client cannot use is not worth the work towards the upstream.
  if (offers !== undefined && acceptDeflate(offers) !== null) fields.set(EXTENSIONS, DEFLATE_OFFER);
  else fields.delete(EXTENSIONS);
}

/** Of a switch, what was agreed on, with the response made into the client's; null: no WebSocket. */
export function completeHandshake(exchange: Exchange): WebSocketTerms | NetError | null {
  const { downstream, outgoing, program, request, responseHead } = exchange;
  const { fields } = responseHead;
  if (responseHead.status !== 101 || !asksForWebSocket(outgoing)) return null;
  // Of an upstream that speaks HTTP/2 the status says it.
  if (fields.first(FieldId.upgrade) !== -1 && !listHas(fields, FieldId.upgrade, "websocket")) {
    return null;
  }
  if (downstream.protocol === "h2") {
    const key = outgoing.fields.get(KEY);
    if (key !== undefined && fields.get(ACCEPT) !== acceptOf(key)) {
      return refused("the upstream's Sec-WebSocket-Accept does not answer the key");
    }
    fields.delete(ACCEPT);
  }
  if (program.webSocketMessage === undefined) return asIs;
  const offered = outgoing.fields.has(EXTENSIONS);
  const upstream = readDeflateAnswer(fields.get(EXTENSIONS) ?? null);
  if (upstream === "invalid" || (upstream !== null && !offered)) {
    return refused("the upstream agreed to extensions that were not offered");
  }
  fields.delete(EXTENSIONS);
  const accepted = acceptDeflate(request.fields.get(EXTENSIONS) ?? "");
  if (accepted === null) return { client: null, upstream };
  fields.set(EXTENSIONS, accepted.answer);
  return { client: accepted.agreement, upstream };
}

const refused = (message: string): NetError =>
  new NetError("MALFORMED_MESSAGE", message, { source: "upstream" });
