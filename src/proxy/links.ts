import type { Exchange } from "./exchange.ts";
import { UpstreamConnection } from "./h1/upstream-connection.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Upstream as UpstreamSide } from "./sides.ts";
import type { Endpoint } from "./upstream/endpoint.ts";
import type { Upstream } from "./upstream/upstream.ts";

/**
 * A way to `endpoint` for an exchange: a kept connection, or else a new one. A new one is not established
 * yet: `exchange.attempts.connected` or `exchange.onUpstreamError` follows, never before this returned.
 * With `fresh` a kept one is closed and not used.
 */
export function obtainLink(
  exchange: Exchange,
  endpoint: Endpoint,
  group: Upstream | null,
  settings: UpstreamSettings,
  fresh: boolean,
): UpstreamSide {
  const kept = endpoint.pool.take() as UpstreamConnection | null;
  if (kept !== null && !fresh) {
    kept.reuse(exchange, settings.timeouts);
    return kept;
  }
  kept?.retire();
  const connection = new UpstreamConnection(exchange.context, endpoint, group, exchange);
  connection.open(settings.timeouts);
  return connection;
}
