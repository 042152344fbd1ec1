import { afterAll, beforeAll } from "vitest";
import { createNodeTransport } from "../../../drivers/node/transport.ts";
import { transportSuite } from "../../../drivers/testing/transport-suite.ts";
import { TestAuthority } from "../../../tls/testing/authority.ts";
import { TlsTransport } from "../../../tls/testing/tls-transport.ts";
import { NodeTlsClient } from "./node-tls-client.ts";
import { NodeTlsServer } from "./node-tls-server.ts";

let server: NodeTlsServer;
let client: NodeTlsClient;

beforeAll(() => {
  using authority = new TestAuthority();
  server = new NodeTlsServer({ certificates: [authority.issue({ names: ["a.test"] })] });
  client = new NodeTlsClient({ ca: [authority.pem] });
});
afterAll(() => {
  server.close();
  client.close();
});

transportSuite(
  "TLS over node:tls",
  async () => new TlsTransport(createNodeTransport({ seed: 1, onFault() {} }), server, client),
  { clientFirst: true },
);
