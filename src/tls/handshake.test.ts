import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { live } from "../native/openssl/live-objects.ts";
import { createTlsClient, type TlsClient } from "./client.ts";
import type { TlsVersion } from "./protocol-settings.ts";
import { createTlsServer, type TlsServer } from "./server.ts";
import { TestAuthority } from "./testing/authority.ts";
import { bytewise, drawn } from "./testing/cuts.ts";
import { type Cut, EnginePair, whole } from "./testing/engine-pair.ts";

let authority: TestAuthority;
let server: TlsServer;

beforeAll(() => {
  authority = new TestAuthority();
  const pair = authority.issue({ names: ["a.test"] });
  server = createTlsServer({ certificates: [pair], alpn: ["h2", "http/1.1"] });
});
afterAll(() => {
  server.close();
  authority[Symbol.dispose]();
  expect(live).toEqual({ contexts: 0, connections: 0, sessions: 0 });
});

const target = { serverName: "a.test" };

function client(version: TlsVersion = "TLSv1.3"): TlsClient {
  return createTlsClient({ ca: [authority.pem], alpn: ["http/1.1"], maxVersion: version });
}

const cuts: readonly (readonly [string, Cut])[] = [
  ["whole", whole],
  ["byte by byte", bytewise],
  ["cut anywhere", drawn(1, 700)],
  ["cut anywhere, otherwise", drawn(2, 20_000)],
];

describe.each(["TLSv1.2", "TLSv1.3"] as const)("handshake of %s", (version) => {
  test.each(cuts)("both, records %s, agree and carry data both ways", (_, cut) => {
    using one = client(version);
    using pair = new EnginePair(server, one, target, { cut }).run();
    for (const end of [pair.client, pair.server]) {
      expect(end.error).toBeNull();
      expect(end.events).toEqual(["handshake"]);
      expect(end.engine.connection).toMatchObject({ version, alpn: "http/1.1", resumed: false });
      expect(end.engine.connection?.serverName).toBe("a.test");
    }
    const request = Buffer.alloc(20_000, "request ");
    const response = Buffer.alloc(80_000, "the answer, ");
    pair.client.engine.write(request, 0, request.length);
    pair.server.engine.write(response, 5, response.length);
    pair.settle();
    expect(pair.server.received.equals(request)).toBe(true);
    expect(pair.client.received.equals(response.subarray(5))).toBe(true);
  });
});

test("close_notify, from each side, ends one direction and leaves the other", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  pair.client.send("last words");
  pair.client.engine.end();
  pair.settle();
  expect(pair.server.text).toBe("last words");
  expect(pair.server.events).toEqual(["handshake", "data", "end"]);
  pair.server.send("still an answer");
  pair.server.engine.end();
  pair.settle();
  expect(pair.client.text).toBe("still an answer");
  expect(pair.client.events).toEqual(["handshake", "data", "end"]);
  expect(() => pair.client.send("more")).toThrow("write after end");
  pair.client.engine.receiveEnd();
  pair.server.engine.receiveEnd();
  expect([pair.client.error, pair.server.error]).toEqual([null, null]);
});

test("open: an end of the transport without close_notify is a truncation", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  pair.client.engine.receiveEnd();
  expect(pair.client.error).toMatchObject({ code: "TLS_TRUNCATED", source: "upstream" });
  pair.server.engine.receiveEnd();
  expect(pair.server.error).toMatchObject({ code: "TLS_TRUNCATED", source: "downstream" });
});

test("handshake: an end of the transport is a failed handshake", () => {
  using one = client();
  using pair = new EnginePair(server, one, target);
  pair.client.engine.start();
  pair.client.engine.receiveEnd();
  expect(pair.client.error).toMatchObject({ code: "TLS_HANDSHAKE", retry: "always" });
});

test("open: a changed byte is refused with an alert that the peer understands", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  pair.client.send("attack at dawn");
  const [record] = pair.client.outbox.splice(0);
  record![20]! ^= 1;
  pair.server.engine.receive(record!, 0, record!.length);
  expect(pair.server.error?.code).toBe("TLS_PROTOCOL");
  expect(pair.server.text).toBe("");
  pair.settle();
  expect(pair.client.error?.message).toMatch(/peer refuses: .*bad record mac \(alert 20\)/);
});

test("paused: what came waits, and is told in order on resume", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  pair.server.engine.pause();
  pair.client.send("one ");
  pair.client.send("two ");
  pair.client.engine.end();
  pair.settle();
  expect(pair.server.events).toEqual(["handshake"]);
  expect(pair.server.engine.holding).toBe(true);
  pair.server.engine.resume();
  expect(pair.server.text).toBe("one two ");
  expect(pair.server.events.at(-1)).toBe("end");
  expect(pair.server.engine.holding).toBe(false);
});

test("data: a pause from inside holds the rest of a long chunk back", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  const bytes = Buffer.alloc(400_000, "0123456789");
  pair.client.engine.write(bytes, 0, bytes.length);
  pair.server.whenPlaintext = () => pair.server.engine.pause();
  pair.settle();
  expect(pair.server.received.length).toBeLessThan(100_000);
  while (pair.server.engine.holding) pair.server.engine.resume();
  expect(pair.server.received.equals(bytes)).toBe(true);
});

test("data: an engine closed from inside of its own callback tells nothing more", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  const bytes = Buffer.alloc(200_000, "x");
  pair.client.engine.write(bytes, 0, bytes.length);
  pair.server.whenPlaintext = () => pair.server.engine.close();
  pair.settle();
  expect(pair.server.events).toEqual(["handshake", "data"]);
});

test("engines, one fed from inside of another's data, keep their bytes apart", () => {
  using one = client();
  using outer = new EnginePair(server, one, target).run();
  using inner = new EnginePair(server, one, target).run();
  const bytes = Buffer.alloc(500_000, "outer ");
  outer.client.engine.write(bytes, 0, bytes.length);
  const others: string[] = [];
  outer.server.whenPlaintext = () => {
    inner.client.send(`inner ${others.length} `);
    inner.settle();
    others.push(inner.server.text);
  };
  outer.settle();
  expect(outer.server.received.equals(bytes)).toBe(true);
  expect(others.at(-1)).toBe(others.map((_, i) => `inner ${i} `).join(""));
});

test("data of the output itself, as with TLS inside of TLS, is encrypted as it was", () => {
  using one = client();
  using outer = new EnginePair(server, one, target).run();
  using inner = new EnginePair(server, one, target).run();
  inner.client.onCiphertext = (buf, start, end) => outer.client.engine.write(buf, start, end);
  outer.server.onPlaintext = (buf, start, end) => inner.server.engine.receive(buf, start, end);
  const bytes = Buffer.alloc(300_000, "wrapped twice ");
  inner.client.engine.write(bytes, 0, bytes.length);
  outer.settle();
  expect(inner.server.received.equals(bytes)).toBe(true);
});

test("written: a range that does not exist is refused before native code sees it", () => {
  using one = client();
  using pair = new EnginePair(server, one, target).run();
  const bytes = Buffer.alloc(10);
  expect(() => pair.client.engine.write(bytes, 0, 11)).toThrow(RangeError);
  expect(() => pair.client.engine.write(bytes, -1, 5)).toThrow(RangeError);
  expect(() => pair.server.engine.receive(bytes, 5, 50_000)).toThrow(RangeError);
});

test("key log: each secret of a session is told once, as NSS writes them", () => {
  const lines: string[] = [];
  const keyLog = (line: string): void => {
    lines.push(line);
  };
  using one = createTlsClient({ ca: [authority.pem], keyLog });
  using pair = new EnginePair(server, one, target).run();
  expect(pair.client.error).toBeNull();
  expect(lines.map((line) => line.split(" ")[0]).toSorted()).toEqual([
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "EXPORTER_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_TRAFFIC_SECRET_0",
  ]);
});
