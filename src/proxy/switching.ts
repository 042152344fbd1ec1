import { bytesOf } from "../core/bytes.ts";
import { FieldId } from "../http/field-id.ts";
import type { Exchange } from "./exchange.ts";
import type { Upstream } from "./sides.ts";
import { goingAway, Tunnel, type TunnelOptions, TunnelSide } from "./tunnel.ts";
import type { WebSocketTerms } from "./websocket/handshake.ts";
import { InspectedSide } from "./websocket/inspected-side.ts";
import { TrackedSide } from "./websocket/tracked-side.ts";

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

/**
 * Tells the client of the switch and takes both connections out of HTTP. `terms`: of a WebSocket, what
 * `completeHandshake` gave.
 */
export function joinSides(
  exchange: Exchange,
  upstream: Upstream,
  terms: WebSocketTerms | null,
): Tunnel {
  const { context, downstream, responseHead } = exchange;
  const kind =
    terms !== null ? "websocket" : exchange.outgoing.form === "authority" ? "connect" : "upgrade";
  responseHead.removeHopByHop(true);
  if (responseHead.status === 101) {
    responseHead.fields.appendLine(connectionUpgrade, FieldId.connection);
  }
  downstream.sendHead(responseHead, "tunnel", -1, false);
  const { name, timeouts } = downstream.settings;
  const { observer, transport, tunnels } = context;
  const client = downstream.detach();
  observer.tunnelOpened(name, kind);
  const tunnel = new Tunnel({
    client,
    upstream: upstream.detach(),
    clock: transport,
    timeout: timeouts.tunnel,
    side: sidesOf(exchange, terms),
    onEnd(end, ended) {
      tunnels.delete(ended);
      observer.tunnelClosed(name, kind);
      exchange.tunnelOver(end);
    },
  });
  if (!tunnel.over) tunnels.add(tunnel);
  if (context.draining) tunnel.leave(goingAway, goingAway, null);
  return tunnel;
}

function sidesOf(exchange: Exchange, terms: WebSocketTerms | null): TunnelOptions["side"] {
  if (terms === null) return (stream) => new TunnelSide(stream);
  if (exchange.program.webSocketMessage === undefined) {
    const { rng } = exchange.context.transport;
    return (stream, from) => new TrackedSide(stream, from, rng);
  }
  return (stream, from) => new InspectedSide(stream, from, exchange, terms);
}
