import { afterAll, beforeAll } from "vitest";
import { after, millis } from "../core/time.ts";
import { createEpollTransport } from "../drivers/epoll/transport.ts";
import { CHOPPY, type LinkConditions } from "../drivers/memory/link.ts";
import { MemoryNetwork } from "../drivers/memory/network.ts";
import { transportSuite } from "../drivers/testing/transport-suite.ts";
import { at } from "../drivers/testing/world.ts";
import { createTlsClient, type TlsClient } from "./client.ts";
import { createTlsServer, type TlsServer } from "./server.ts";
import { TestAuthority } from "./testing/authority.ts";
import { TlsTransport } from "./testing/tls-transport.ts";

let server: TlsServer;
let client: TlsClient;

beforeAll(() => {
  using authority = new TestAuthority();
  server = createTlsServer({ certificates: [authority.issue({ names: ["a.test"] })] });
  client = createTlsClient({ ca: [authority.pem] });
});
afterAll(() => {
  server.close();
  client.close();
});

overMemory("TLS over memory, choppy", CHOPPY);

transportSuite(
  "TLS over epoll",
  async () => new TlsTransport(createEpollTransport({ seed: 1, onFault() {} }), server, client),
  { clientFirst: true },
);

function overMemory(name: string, link: Partial<LinkConditions>): void {
  let network: MemoryNetwork;
  transportSuite(
    name,
    async () => {
      network = new MemoryNetwork({ seed: 7, link, onFault() {} });
      network.blackHole("198.51.100.1");
      const inner = network.transport("192.0.2.7", "2001:db8::7");
      return new TlsTransport(inner, server, client);
    },
    {
      clientFirst: true,
      async turn() {
        await network.settle(after(network.now, millis(2)));
      },
      async unanswered() {
        return { address: at("198.51.100.1:80"), async release() {} };
      },
    },
  );
}
