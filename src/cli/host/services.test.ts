import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { IpAddress } from "../../core/address.ts";
import { SeededRng } from "../../core/random.ts";
import { after, seconds } from "../../core/time.ts";
import type { ConnectHandler, Stream, Transport } from "../../core/transport.ts";
import { CHOPPY, MemoryNetwork } from "../../drivers/memory/public.ts";
import { Ip } from "../../netstack/ip-address.ts";
import { UdpSender } from "../../netstack/udp/endpoint.ts";
import type { UdpSocket } from "../../netstack/udp/udp-socket.ts";
import { CHARGEN_BLOCK, ChargenService } from "./chargen.ts";
import { DiscardService } from "./discard.ts";
import { EchoService } from "./echo.ts";
import { HttpService } from "./http-service.ts";
import type { Service } from "./service.ts";

const at = { kind: "ip", ip: "10.0.0.2" as IpAddress, port: 7 } as const;

/** A client that keeps what it gets. */
class Client implements ConnectHandler {
  stream: Stream | null = null;
  connected = false;
  ended = false;
  closed = false;
  readonly pieces: Buffer[] = [];
  writable = 0;

  get received(): Buffer {
    return Buffer.concat(this.pieces);
  }

  onConnect(): void {
    this.connected = true;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.pieces.push(Buffer.from(buf.subarray(start, end)));
  }

  onWritable(): void {
    this.writable++;
  }

  onEnd(): void {
    this.ended = true;
  }

  onClose(): void {
    this.closed = true;
  }
}

async function connected(made: Service | ((timers: Transport) => Service)) {
  const network = new MemoryNetwork({ seed: 5, link: CHOPPY });
  const host = network.transport("10.0.0.2");
  const service = typeof made === "function" ? made(host) : made;
  await host.listen(at, {}, (stream) => service.accept(stream));
  const client = new Client();
  client.stream = network.transport("10.0.0.1").connect(at, {}, client);
  await network.settle(() => client.connected);
  return { network, client, stream: client.stream };
}

const send = (stream: Stream, text: string): boolean => {
  const bytes = Buffer.from(text, "latin1");
  return stream.write(bytes, 0, bytes.length);
};

test("echo: what is sent comes back whole, and the end as well", async () => {
  const service = new EchoService();
  const { network, client, stream } = await connected(service);
  const sent = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255));
  stream.write(sent, 0, sent.length);
  stream.end();
  await network.settle(() => client.closed);
  expect(client.received.equals(sent)).toBe(true);
  expect(service.counters).toMatchObject({ connections: 1, open: 0, bytesIn: 300_000 });
});

test("echo: a client that does not read is not read either", async () => {
  const service = new EchoService();
  const { network, client, stream } = await connected(service);
  stream.pause();
  const piece = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 1_000 && !client.closed; i++) {
    if (!stream.write(piece, 0, piece.length)) continue;
    const before = client.writable;
    if (!(await network.settle(() => client.writable > before))) break;
  }
  expect(service.counters.bytesIn).toBeLessThan(4 << 20);
});

test("discard: counts, answers nothing, ends when the peer does", async () => {
  const service = new DiscardService();
  const { network, client, stream } = await connected(service);
  send(stream, "x".repeat(10_000));
  stream.end();
  await network.settle(() => client.closed);
  expect(client.received.length).toBe(0);
  expect(service.counters.bytesIn).toBe(10_000);
});

test("chargen: the pattern has no seam between blocks, and stops when the peer ends", async () => {
  const { network, client, stream } = await connected(new ChargenService(new SeededRng(1)));
  await network.settle(() => client.received.length > 2.5 * CHARGEN_BLOCK.length);
  stream.end();
  await network.settle(() => client.closed);
  const lines = client.received.toString("latin1").split("\r\n").slice(0, -1);
  const ring = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).repeat(3);
  const wrong = lines.findIndex((line, i) => line !== ring.slice(i % 95, (i % 95) + 72));
  expect(wrong).toBe(-1);
});

const page = { html: () => "<p>host</p>", json: () => '{"ok":true}' };

const pages = (timers: Transport) => new HttpService(page, timers);

const request = (line: string, more = ""): string => `${line} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

test("http: several requests on one connection, then one that closes it", async () => {
  const { network, client, stream } = await connected(pages);
  send(stream, request("GET /") + request("GET /status.json") + request("HEAD /bytes/5"));
  send(stream, request("GET /nothing", "Connection: close\r\n"));
  await network.settle(() => client.closed || client.ended);
  const text = client.received.toString("latin1");
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual([
    "HTTP/1.1 200",
    "HTTP/1.1 200",
    "HTTP/1.1 200",
    "HTTP/1.1 404",
  ]);
  expect(text).toContain("<p>host</p>");
  expect(text).toContain('{"ok":true}');
});

test("http: a long download arrives whole, and the connection goes on", async () => {
  const { network, client, stream } = await connected(pages);
  send(stream, request("GET /bytes/1000000"));
  await network.settle(() => client.received.length > 1_000_000);
  const head = client.received.indexOf("\r\n\r\n") + 4;
  await network.settle(() => client.received.length === head + 1_000_000);
  const body = client.received.subarray(head);
  expect(body.subarray(0, 1000).equals(Buffer.from(CHARGEN_BLOCK.subarray(0, 1000)))).toBe(true);
  send(stream, request("GET /bytes/0", "Connection: close\r\n"));
  await network.settle(() => client.ended);
  expect(client.received.subarray(head + 1_000_000).toString()).toMatch(/Content-Length: 0/);
});

test("http: an upload is told by its length and digest, after 100-continue", async () => {
  const { network, client, stream } = await connected(pages);
  const body = "abc".repeat(50_000);
  send(stream, request("PUT /sum", `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n`));
  await network.settle(() => client.received.toString().includes("100 Continue"));
  send(stream, body);
  await network.settle(() => client.received.toString().endsWith("}\n"));
  const sha256 = createHash("sha256").update(body).digest("hex");
  expect(client.received.toString()).toContain(`{"length":150000,"sha256":"${sha256}"}`);
});

test("http: what is no request is answered and cut off", async () => {
  const { network, client, stream } = await connected(pages);
  send(stream, "no request at all\r\n\r\n");
  await network.settle(() => client.ended);
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 400 .*Connection: close/s);
});

test.each([
  ["POST /", "GET, HEAD"],
  ["DELETE /status.json", "GET, HEAD"],
  ["PUT /bytes/5", "GET, HEAD"],
  ["GET /sum", "PUT, POST"],
])("http: %s is a method of another path, 405 says which ones are allowed", async (line, allow) => {
  const { network, client, stream } = await connected(pages);
  send(stream, request(line, "Connection: close\r\n"));
  await network.settle(() => client.ended);
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 405 /);
  expect(client.received.toString()).toContain(`\r\nAllow: ${allow}\r\n`);
});

test("http: nothing is asked, the connection is ended after half a minute, and is gone soon", async () => {
  const { network, client, stream } = await connected(pages);
  const start = network.now;
  await network.settle(after(start, seconds(29)));
  send(stream, request("GET /status.json"));
  await network.settle(after(start, seconds(58)));
  expect([client.ended, client.closed]).toEqual([false, false]);
  await network.settle(after(start, seconds(62)));
  expect([client.ended, client.closed]).toEqual([true, false]);
  expect(client.received.toString().match(/HTTP/g)).toHaveLength(1);
  await network.settle(after(start, seconds(95)));
  expect(client.closed).toBe(true);
});

test.each([
  ["within its head", "GET / HTTP/1.1\r\nHost:"],
  ["within its body", `${request("PUT /sum", "Content-Length: 9\r\n")}12345`],
])("http: a request stops %s, 408 after half a minute", async (_where, text) => {
  const { network, client, stream } = await connected(pages);
  send(stream, text);
  await network.settle(after(network.now, seconds(29)));
  expect(client.received.length).toBe(0);
  await network.settle(after(network.now, seconds(3)));
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 408 .*Connection: close/s);
  expect(client.ended).toBe(true);
});

test("http: a head that drips in does not take longer for that, a body may", async () => {
  const { network, client, stream } = await connected(pages);
  send(stream, request("PUT /sum", "Content-Length: 6\r\n"));
  for (const letter of "abcdef") {
    await network.settle(after(network.now, seconds(20)));
    send(stream, letter);
  }
  await network.settle(after(network.now, seconds(1)));
  expect(client.received.toString()).toMatch(/^HTTP\/1\.1 200 /);
  for (const letter of "GET") {
    send(stream, letter);
    await network.settle(after(network.now, seconds(14)));
  }
  expect(client.received.toString()).toContain("HTTP/1.1 408 ");
});

test("http: a download that nobody reads ends after five minutes", async () => {
  const { network, client, stream } = await connected(pages);
  stream.pause();
  send(stream, request("GET /bytes/100000000"));
  await network.settle(after(network.now, seconds(290)));
  expect(client.closed).toBe(false);
  await network.settle(after(network.now, seconds(15)));
  stream.resume();
  await network.settle(after(network.now, seconds(15)));
  expect(client.closed).toBe(true);
});

/** What a service sends, where UDP would. */
function datagramsOf(service: Service, port: number): number[] {
  const lengths: number[] = [];
  const socket = {
    send: (_bytes: Uint8Array, start: number, end: number) => {
      lengths.push(end - start);
      return "sent";
    },
  } as unknown as UdpSocket;
  const from = new UdpSender();
  Object.defineProperty(from, "ip", { value: Ip.parse("10.0.0.1") });
  from.port = port;
  const handler = service.datagrams(() => socket);
  for (let i = 0; i < 100; i++) handler?.onMessage(new Uint8Array(20), 5, 17, from);
  return lengths;
}

test("datagrams: echo and chargen answer, discard does not; other services are never answered", () => {
  const rng = new SeededRng(3);
  expect(datagramsOf(new EchoService(), 5000)).toEqual(new Array(100).fill(12));
  expect(datagramsOf(new DiscardService(), 5000)).toEqual([]);
  const lengths = datagramsOf(new ChargenService(rng), 5000);
  expect(lengths.length).toBe(100);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(512);
  expect(new Set(lengths).size).toBeGreaterThan(50);
  expect(datagramsOf(new EchoService(), 19)).toEqual([]);
  expect(datagramsOf(new ChargenService(rng), 7)).toEqual([]);
});
