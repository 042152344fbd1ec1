import { NetError } from "../../core/errors.ts";
import { FieldId } from "../../http/field-id.ts";
import type { RequestHead, ResponseHead } from "../../http/head.ts";
import { listHas } from "../../http/token-list.ts";
import { acceptOf, isKey } from "../../http/websocket/handshake-key.ts";

/*
 * Upgrade and extended CONNECT read alike here: a GET with `Upgrade`, answered by 101. What HTTP/1.1 has
 * beyond that, the key of WebSocket and its answer (RFC 6455 §4), HTTP/2 has not (RFC 8441 §5): towards
 * an upstream of HTTP/2 the key stays here and is answered here.
 */

const keyName = "Sec-WebSocket-Key";

/**
 * Looks whether an upgrade can go out as extended CONNECT; one that nobody depends on is left out. Throws a
 * NetError where the request is of no use without it.
 */
export function prepareUpgrade(
  head: RequestHead,
  client: "http/1.1" | "h2",
  available: boolean,
): void {
  const { fields } = head;
  const webSocket = listHas(fields, FieldId.upgrade, "websocket");
  // RFC 9110 §7.8: a server may ignore an Upgrade; most protocols but WebSocket mean nothing in HTTP/2.
  const meant = client === "h2" || (webSocket && head.isMethod("GET"));
  if (!meant || head.framing !== "none") {
    head.upgrade = false;
    fields.removeId(FieldId.upgrade);
    fields.removeId(FieldId.connection);
    return;
  }
  if (!available) throw noExtendedConnect();
  if (client === "h2") return;
  if (!isKey(fields.get(keyName) ?? "")) throw noKey();
  fields.set("Upgrade", "websocket");
}

/** Takes the key out of a request; null where there is none. */
export function takeKey({ fields }: RequestHead): string | null {
  const key = fields.get(keyName) ?? null;
  if (key !== null) fields.delete(keyName);
  return key;
}

/** Makes a 2xx to extended CONNECT, which reads as 101, what a server of HTTP/1.1 would have answered. */
export function answerUpgrade(
  response: ResponseHead,
  request: RequestHead,
  key: string | null,
): void {
  const protocol = request.fields.get("Upgrade");
  if (protocol !== undefined) response.fields.set("Upgrade", protocol);
  if (key !== null) response.fields.set("Sec-WebSocket-Accept", acceptOf(key));
}

/**
 * Whether a status would tell the client that a tunnel is open where there is none: any 2xx does, to extended
 * CONNECT (RFC 8441 §4, RFC 9110 §9.3.6), where HTTP/1.1 wants 101.
 */
export const feignsTunnel = (
  status: number,
  request: RequestHead,
  client: "http/1.1" | "h2",
): boolean => client === "h2" && request.upgrade && status >= 200 && status < 300;

/** The upstream answered an upgrade as if it were any request, where the client cannot be told so. */
export const upgradeIgnored = (): NetError =>
  new NetError("UNSUPPORTED", "the upstream did not switch protocols", { source: "upstream" });

const noExtendedConnect = (): NetError =>
  new NetError(
    "UNSUPPORTED",
    "the upstream's HTTP/2 takes no upgrades (extended CONNECT); with protocol: http1 it might",
    { source: "upstream" },
  );

const noKey = (): NetError =>
  new NetError("MALFORMED_MESSAGE", `${keyName} is missing, or not 16 bytes in base64`, {
    source: "downstream",
  });
