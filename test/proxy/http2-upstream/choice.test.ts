import { once } from "node:events";
import type { RequestListener } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createTlsClient, type TlsClient } from "../../../src/tls/client.ts";
import { type IssuedPair, TestAuthority } from "../../../src/tls/testing/authority.ts";
import { H2Client } from "../http2/client.ts";
import { type OriginOverrides, startProxy } from "../support.ts";

let authority: TestAuthority;
let pair: IssuedPair;
beforeAll(() => {
  authority = new TestAuthority();
  pair = authority.issue({ names: ["app.test"] });
});
afterAll(() => authority[Symbol.dispose]());

const offers = { auto: ["h2", "http/1.1"], http1: ["http/1.1"], http2: ["h2"] };

/** A server of both by ALPN, or of HTTP/1.1 alone, that tells what it was asked in. */
class ChoosingOrigin implements AsyncDisposable {
  readonly chosen: (string | false | null)[] = [];
  readonly #server: Http2SecureServer | Server;
  readonly #sockets = new Set<TLSSocket>();

  constructor(both: boolean) {
    const { certificate: cert, key } = pair;
    this.#server = both
      ? createSecureServer({ cert, key, allowHTTP1: true })
      : createServer({ cert, key, ALPNProtocols: ["http/1.1"] });
    this.#server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      this.chosen.push(socket.alpnProtocol);
    });
    const answer: RequestListener = (request, response) => response.end(request.httpVersion);
    this.#server.on("request", answer as never);
    const sockets = new WebSocketServer({ noServer: true });
    this.#server.on("upgrade", (request, socket, head) =>
      sockets.handleUpgrade(request as never, socket as never, head as never, (webSocket) =>
        webSocket.on("message", (data) => webSocket.send(data)),
      ),
    );
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

const both = () => new ChoosingOrigin(true).listen();
const old = () => new ChoosingOrigin(false).listen();

async function before(
  port: number,
  protocol: keyof typeof offers,
  clients: DisposableStack,
  more: OriginOverrides = {},
) {
  const { pem } = authority;
  const client: TlsClient = clients.use(createTlsClient({ ca: [pem], alpn: offers[protocol] }));
  const tls = { client, serverName: "app.test" };
  return startProxy({ driver: "epoll", to: [port], origin: { protocol, ...more }, tls });
}

async function ask(client: H2Client, count: number): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => client.ask()));
  return answers.map(({ status, body }) => `${status} ${body}`);
}

describe("what is spoken over TLS", () => {
  test("auto, before a server of both, is HTTP/2 on one connection", async () => {
    using clients = new DisposableStack();
    await using origin = await both();
    await using proxy = await before(origin.port, "auto", clients);
    await using client = await H2Client.connect(proxy.port);
    expect(await ask(client, 10)).toEqual(Array(10).fill("200 2.0"));
    expect(origin.chosen).toEqual(["h2"]);
  });

  test("auto, before a server of HTTP/1.1, is that, and each request has its connection", async () => {
    using clients = new DisposableStack();
    await using origin = await old();
    await using proxy = await before(origin.port, "auto", clients);
    await using client = await H2Client.connect(proxy.port);
    expect(await ask(client, 5)).toEqual(Array(5).fill("200 1.1"));
    expect(origin.chosen).toEqual(Array(5).fill("http/1.1"));
    expect(await ask(client, 5)).toEqual(Array(5).fill("200 1.1"));
    expect(origin.chosen.length).toBe(5);
    expect(proxy.origin.idle).toBe(5);
  });

  test("http1, is never offered anything else", async () => {
    using clients = new DisposableStack();
    await using origin = await both();
    await using proxy = await before(origin.port, "http1", clients);
    await using client = await H2Client.connect(proxy.port);
    expect(await ask(client, 1)).toEqual(["200 1.1"]);
  });

  test("http2, before a server that does not choose it, is an error that says so", async () => {
    using clients = new DisposableStack();
    await using origin = await old();
    await using proxy = await before(origin.port, "http2", clients);
    await using client = await H2Client.connect(proxy.port);
    expect((await client.ask()).status).toBe(502);
    expect(proxy.recorder.last.error).toMatch(/^TLS_/);
  });

  test("a WebSocket, where the server has the choice, goes over HTTP/1.1 beside the rest", async () => {
    using clients = new DisposableStack();
    await using origin = await both();
    await using proxy = await before(origin.port, "auto", clients);
    await using client = await H2Client.connect(proxy.port);
    expect(await ask(client, 1)).toEqual(["200 2.0"]);
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
    await once(socket, "open");
    socket.send("hello");
    const [data] = (await once(socket, "message")) as [Buffer];
    expect(data.toString()).toBe("hello");
    expect(origin.chosen).toEqual(["h2", "http/1.1"]);
    socket.close();
    await once(socket, "close");
    expect(await ask(client, 1)).toEqual(["200 2.0"]);
    expect(origin.chosen.length).toBe(2);
  });

  test("a full endpoint, is not gone beyond for requests that waited together", async () => {
    using clients = new DisposableStack();
    await using origin = await old();
    const limits = { connectionsPerEndpoint: 2 };
    await using proxy = await before(origin.port, "auto", clients, { limits });
    await using client = await H2Client.connect(proxy.port);
    expect(await ask(client, 6)).toEqual(Array(6).fill("200 1.1"));
    expect(origin.chosen.length).toBe(2);
  });
});
