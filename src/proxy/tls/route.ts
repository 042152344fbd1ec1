import type { TlsClient } from "../../tls/client.ts";
import type { TlsTarget } from "../../tls/client-config.ts";

/** How a worker reaches an endpoint through TLS. */
export interface TlsRoute {
  /** Offers the protocols that the upstream's settings allow (ALPN). */
  readonly client: TlsClient;
  readonly target: TlsTarget;
}
