import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { Chromium } from "../support/chromium.ts";
import { findTool, haveTools } from "../support/tools.ts";
import { ask, listening, portOf, startMillrace, TemporaryFolder, until } from "./millrace.ts";
import { tlsPortOf } from "./tls-support.ts";

const page = `<!doctype html><title>loading</title><script src="/script.js"></script>`;
const script = `
  window.said = [];
  window.ended = new Promise((done) => {
    window.opened = new Promise((ready) => {
      const socket = new WebSocket("wss://" + location.host + "/ws", ["chat"]);
      window.socket = socket;
      socket.onopen = () => ready([socket.protocol, socket.extensions.split(";")[0]]);
      socket.onmessage = ({ data }) => { said.push(data); document.title = data; };
      socket.onclose = ({ code, wasClean }) => done([code, wasClean]);
    });
  });
  window.hears = (count) => new Promise((done) => {
    const look = () => said.length >= count ? done(said) : setTimeout(look, 5);
    look();
  });`;

let authority: TestAuthority;
let folder: TemporaryFolder;
let origin: number;
const closes: number[] = [];
const upgrades: IncomingMessage[] = [];
const server = createServer((request, response) => {
  if (request.url === "/script.js")
    response.setHeader("content-type", "text/javascript").end(script);
  else response.setHeader("content-type", "text/html").end(page);
});
const sockets = new WebSocketServer({ server, perMessageDeflate: true });
sockets.on("connection", (socket: WebSocket, request) => {
  upgrades.push(request);
  socket.on("message", (data, binary) => socket.send(data, { binary }));
  socket.on("close", (code) => closes.push(code));
});

beforeAll(async () => {
  authority = new TestAuthority();
  folder = new TemporaryFolder();
  const pair = authority.issue({ names: ["127.0.0.1"] });
  folder.write("a.pem", pair.certificate);
  folder.write("a.key", pair.key);
  origin = await listening(server);
});
afterAll(() => {
  sockets.close();
  server.close();
  server.closeAllConnections();
  folder[Symbol.dispose]();
  authority[Symbol.dispose]();
});

const settings = (): string => `
  admin: "127.0.0.1:0",
  workers: 1,
  log: { access: "off" },
  listeners: [{
    name: "front",
    listen: "https://127.0.0.1:0",
    tls: { certificates: [{ cert: ${JSON.stringify(join(folder.path, "a.pem"))}, key: ${JSON.stringify(join(folder.path, "a.key"))} }] },
  }],
  upstreams: { app: { endpoints: ["127.0.0.1:${origin}"] } },
  upstreamPeer: () => "app",`;

describe.skipIf(!haveTools("chromium"))("chromium", () => {
  test.each([
    ["as bytes", "", "hello"],
    [
      "with a hook",
      `webSocketMessage: (session, direction, message) => message.text + "!",`,
      "hello!!",
    ],
  ])(
    "a page over h2 with a websocket over h2, %s: works, and is closed with 1001",
    async (name, hook, wanted) => {
      upgrades.length = 0;
      closes.length = 0;
      const file = folder.write(
        `${name.replaceAll(" ", "-")}.ts`,
        `import { defineProxy } from "millrace/config";\nexport default defineProxy({${settings()}${hook}});\n`,
      );
      await using proxy = await startMillrace("proxy", file);
      await using chromium = await Chromium.start(findTool("chromium")!);
      await chromium.open(`https://127.0.0.1:${tlsPortOf(proxy)}/`);
      expect(await chromium.evaluate("opened")).toEqual(["chat", "permessage-deflate"]);
      const protocols = `["navigation", "resource"].map((type) => performance.getEntriesByType(type)[0].nextHopProtocol)`;
      expect(await chromium.evaluate(protocols)).toEqual(["h2", "h2"]);
      await chromium.evaluate("socket.send('hello')");
      await chromium.evaluate("socket.send('x'.repeat(20000))");
      const said = (await chromium.evaluate("hears(2)")) as string[];
      expect([said[0], said[1]!.slice(0, 3), said[1]!.length]).toEqual([
        wanted,
        "xxx",
        20_000 + wanted.length - "hello".length,
      ]);
      const metrics = (await ask({ port: portOf(proxy, "admin"), path: "/metrics" })).body;
      expect(metrics).toContain('millrace_tunnels_active{listener="front",kind="websocket"} 1\n');
      if (hook !== "") {
        expect(metrics).toContain('direction="from-client"} 2\n');
      }
      // Via says in which version the proxy received it: extended CONNECT, not Upgrade.
      expect(upgrades[0]!.headers).toMatchObject({ via: "2.0 millrace", upgrade: "websocket" });
      const stopped = proxy.stop("SIGTERM");
      expect(await chromium.evaluate("ended")).toEqual([1001, true]);
      await stopped;
      await until("the origin heard", () => closes.length === 1);
      expect(closes).toEqual([1001]);
    },
  );
});
