import { bytesOf } from "../core/bytes.ts";
import type { Stream } from "../core/transport.ts";
import { FieldId } from "../http/field-id.ts";
import { listHas } from "../http/token-list.ts";
import type { Exchange } from "./exchange.ts";
import type { Upstream } from "./sides.ts";
import { goingAway, Tunnel, type TunnelKind, TunnelSide } from "./tunnel.ts";
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

/** Tells the client of the switch and takes both connections out of HTTP. */
export function joinSides(exchange: Exchange, upstream: Upstream): Tunnel {
  const { context, downstream, responseHead } = exchange;
  const kind = kindOf(exchange);
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
    side: kind === "websocket" ? (...of) => new TrackedSide(...of, transport.rng) : bytes,
    onEnd(end, ended) {
      tunnels.delete(ended);
      observer.tunnelClosed(name, kind);
      exchange.tunnelOver(end);
    },
  });
  if (!tunnel.over) tunnels.add(tunnel);
  if (context.draining) tunnel.leave(goingAway, "", null);
  return tunnel;
}

const bytes = (stream: Stream): TunnelSide => new TunnelSide(stream);

function kindOf({ outgoing, responseHead }: Exchange): TunnelKind {
  if (outgoing.form === "authority") return "connect";
  const { fields } = responseHead;
  // Of an upstream that speaks HTTP/2 the request says it: there is one protocol, accepted or not.
  const told = fields.first(FieldId.upgrade) !== -1 ? fields : outgoing.fields;
  return listHas(told, FieldId.upgrade, "websocket") ? "websocket" : "upgrade";
}
