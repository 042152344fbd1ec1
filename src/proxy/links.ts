import type { Exchange } from "./exchange.ts";
import { UpstreamConnection } from "./h1/upstream-connection.ts";
import { enter, mayEnter } from "./h2/settings-wait.ts";
import type { UpstreamSession } from "./h2/upstream-session.ts";
import { PendingLink } from "./pending-link.ts";
import type { UpstreamSettings } from "./settings.ts";
import { SharedDial } from "./shared-dial.ts";
import type { Upstream as UpstreamSide } from "./sides.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import type { Upstream } from "./upstream/upstream.ts";

/**
 * A way to `endpoint` for an exchange, which has capacity: a place on a connection of HTTP/2, a kept
 * connection of HTTP/1.1, or else a new one. What is not established yet tells
 * `exchange.attempts.connected` or `exchange.onUpstreamError`, never before this returned. With `fresh` a
 * kept one is closed and not used, nor a shared one where another can be made.
 */
export function obtainLink(
  exchange: Exchange,
  endpoint: Endpoint,
  group: Upstream | null,
  settings: UpstreamSettings,
  fresh: boolean,
): UpstreamSide {
  const { sessions } = endpoint;
  const old = wantsOld(exchange, settings);
  if (sessions !== null && !(fresh && endpoint.mayConnect)) {
    const session = sessions.find() as UpstreamSession | null;
    if (session !== null && (!old || session.machine.extendedConnect)) {
      return onSession(exchange, session, settings);
    }
  }
  const kept = endpoint.pool.take() as UpstreamConnection | null;
  if (kept !== null && !fresh) {
    kept.reuse(exchange, settings.timeouts);
    return kept;
  }
  kept?.retire();
  if (endpoint.dials !== null && !old) {
    const dial = endpoint.dials.find() as SharedDial | null;
    return (dial ?? new SharedDial(exchange.context, endpoint, group, settings)).join(exchange);
  }
  const connection = new UpstreamConnection(exchange.context, endpoint, group, exchange);
  connection.open(settings.timeouts);
  return connection;
}

/** Whether there is room at `endpoint` for a request of this kind. */
export function hasRoomFor(
  exchange: Exchange,
  endpoint: Endpoint,
  settings: UpstreamSettings,
): boolean {
  if (!wantsOld(exchange, settings)) return endpoint.hasCapacity;
  const session = (endpoint.sessions?.find() ?? null) as UpstreamSession | null;
  if (session?.machine.extendedConnect) return true;
  return endpoint.mayConnect || endpoint.pool.size > 0;
}

/** Where the server has the choice, what it may not take over HTTP/2 goes over HTTP/1.1, as browsers do. */
const wantsOld = ({ request }: Exchange, { protocol }: UpstreamSettings): boolean =>
  request.upgrade && protocol === "auto";

function onSession(
  exchange: Exchange,
  session: UpstreamSession,
  { timeouts }: UpstreamSettings,
): UpstreamSide {
  if (mayEnter(session, exchange)) return session.join(exchange, timeouts, true);
  const link = new PendingLink(exchange, session.endpoint);
  enter(session, link, timeouts);
  return link;
}
