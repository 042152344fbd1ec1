import type { TlsClient } from "../../tls/client.ts";
import type { TlsClientConfig } from "../../tls/client-config.ts";
import type { TlsServer } from "../../tls/server.ts";
import type { TlsServerConfig } from "../../tls/server-config.ts";
import type { Driver } from "../worker-protocol.ts";

/** What makes the two roles of TLS; both throw a NetError (EINVAL) that says what is wrong. */
export interface TlsMakers {
  server(config: TlsServerConfig): TlsServer;
  client(config: TlsClientConfig): TlsClient;
}

/** With the driver "node" nothing is called by FFI: TLS is node:tls's there, and OpenSSL's elsewhere. */
export async function tlsMakers(driver: Driver): Promise<TlsMakers> {
  if (driver === "node") {
    const { NodeTlsServer } = await import("./node/node-tls-server.ts");
    const { NodeTlsClient } = await import("./node/node-tls-client.ts");
    return {
      server: (config) => new NodeTlsServer(config),
      client: (config) => new NodeTlsClient(config),
    };
  }
  const { createTlsServer } = await import("../../tls/server.ts");
  const { createTlsClient } = await import("../../tls/client.ts");
  return { server: createTlsServer, client: createTlsClient };
}

/** What the driver "node" cannot do of TLS, for whoever starts it. */
export const nodeTlsLimits =
  "driver node: TLS is node:tls's; after a rotation of ticket keys older sessions begin anew, and a connection cut without close_notify passes for one that ended";
