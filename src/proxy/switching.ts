import { bytesOf } from "../core/bytes.ts";
import { FieldId } from "../http/field-id.ts";
import type { Exchange } from "./exchange.ts";
import type { Upstream } from "./sides.ts";
import { Tunnel } from "./tunnel.ts";

const connectionUpgrade = bytesOf("Connection: upgrade\r\n");

/**
 * Whether the upstream may turn the connection into a tunnel now: it was asked to (Upgrade, CONNECT), and
 * the request is complete.
 */
export function expectsTunnel({ requests, outgoing }: Exchange): boolean {
  // The client may have asked for what was not passed on: see `prepareRequest`.
  const asked = outgoing.upgrade && outgoing.fields.first(FieldId.upgrade) !== -1;
  return requests.received && (asked || outgoing.form === "authority");
}

/** Tells the client of the switch and takes both connections out of HTTP. */
export function joinSides(exchange: Exchange, upstream: Upstream): Tunnel {
  const { context, downstream, responseHead } = exchange;
  responseHead.removeHopByHop(true);
  if (responseHead.status === 101) {
    responseHead.fields.appendLine(connectionUpgrade, FieldId.connection);
  }
  downstream.sendHead(responseHead, "tunnel", -1, false);
  const timeout = downstream.settings.timeouts.tunnel;
  const client = downstream.detach();
  return new Tunnel(client, upstream.detach(), context.transport, timeout, (end) =>
    exchange.tunnelOver(end),
  );
}
