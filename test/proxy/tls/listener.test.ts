import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { below, SeededRng } from "../../../src/core/random.ts";
import { millis, seconds } from "../../../src/core/time.ts";
import { CALM, CHOPPY } from "../../../src/drivers/memory/link.ts";
import { createTlsClient, type TlsClient } from "../../../src/tls/client.ts";
import { createTlsServer, type TlsServer } from "../../../src/tls/server.ts";
import { TestAuthority } from "../../../src/tls/testing/authority.ts";
import { ok } from "../origin.ts";
import { SimulatedOrigin, World, type WorldOptions } from "../simulated.ts";

const GET = "GET /path HTTP/1.1\r\nHost: a.test\r\n\r\n";
const PLAIN = 'GET / HTTP/1.1\r\nHost: "\r\n\r\n'.replace('"', "h");

let authority: TestAuthority;
let server: TlsServer;
let trusting: TlsClient;
const closing: (() => void)[] = [];

beforeAll(() => {
  authority = new TestAuthority();
  server = createTlsServer({
    certificates: [authority.issue({ names: ["a.test"] })],
    alpn: ["h2", "http/1.1"],
  });
  trusting = createTlsClient({ ca: [authority.pem], alpn: ["http/1.1"] });
});
afterAll(() => {
  server.close();
  trusting.close();
  authority[Symbol.dispose]();
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const start = (options: Partial<WorldOptions> = {}): Promise<World> =>
  World.start({
    seed: 1,
    link: CALM,
    accept: (stream) => new SimulatedOrigin(stream, ({ line }) => ok(line)),
    ...options,
    tls: { server, ...options.tls },
  });

const clean = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };

describe("a listener that speaks TLS", () => {
  test("over links that cut and delay: requests on one connection, the scheme is told to the origin", async () => {
    const raw: string[] = [];
    const world = await start({
      seed: 7,
      link: CHOPPY,
      listener: { forwarding: { xForwarded: "replace" } },
      accept: (stream) =>
        new SimulatedOrigin(stream, (request) => {
          raw.push(request.raw);
          return ok("x".repeat(100_000));
        }),
    });
    const client = world.connectTls(trusting, "a.test");
    for (let i = 0; i < 3; i++) client.send(GET);
    await world.pass(seconds(60));
    const bodies = client.responses(["GET", "GET", "GET"]).map(({ body }) => body.length);
    expect(bodies).toEqual([100_000, 100_000, 100_000]);
    expect(raw[0]).toContain("X-Forwarded-Proto: https\r\n");
    expect(world.recorder.handshakes).toBe(1);
    client.stream.end();
    expect(await world.leftovers()).toEqual(clean);
  });

  test("a client that says nothing, or half a hello: closed in time, counted, and no request", async () => {
    const world = await start({ tls: { handshakeTimeout: seconds(3) } });
    const silent = world.connect();
    const half = world.connect();
    half.send("\x16\x03\x01\x02\x00\x01\x00");
    await world.pass(millis(2_900));
    expect(world.server.connections).toBe(2);
    expect([silent.closed, half.closed]).toEqual([false, false]);
    await world.pass(millis(300));
    expect(world.server.connections).toBe(0);
    expect(world.recorder.tlsFailures.map(({ code }) => code)).toEqual([
      "TLS_TIMEOUT",
      "TLS_TIMEOUT",
    ]);
    expect(world.recorder.requests).toEqual([]);
    expect(await world.leftovers()).toEqual(clean);
  });

  test("a hello byte by byte: within the time of the handshake, which does not begin anew", async () => {
    const world = await start({ tls: { handshakeTimeout: seconds(3) } });
    const client = world.connect();
    for (const byte of "\x16\x03\x01\x02\x00\x01\x00") {
      client.send(byte);
      await world.pass(millis(500));
    }
    await world.pass(millis(100));
    expect(world.server.connections).toBe(0);
    expect(await world.leftovers()).toEqual(clean);
  });

  test("handshakes under way count against the listener's limit", async () => {
    const world = await start({ listener: { limits: { connections: 3 } } });
    const silent = [1, 2, 3].map(() => world.connect());
    await world.pass(millis(100));
    const refused = world.connectTls(trusting, "a.test");
    await world.pass(millis(100));
    expect([refused.closed, world.recorder.refused]).toEqual([true, 1]);
    silent[0]!.stream.abort();
    await world.pass(millis(100));
    const taken = world.connectTls(trusting, "a.test");
    taken.send(GET);
    await world.pass(seconds(1));
    expect(taken.responses(["GET"])).toHaveLength(1);
    for (const client of silent) client.stream.abort();
    taken.stream.end();
    expect(await world.leftovers()).toEqual(clean);
  });

  test("plain HTTP: 400 that says what to do, once, and the connection ends", async () => {
    const world = await start();
    const client = world.connect();
    client.send(PLAIN + PLAIN);
    await world.pass(seconds(10));
    const [answer, ...more] = client.responses(["GET", "GET"]);
    expect([answer!.status, String(answer!.body)]).toEqual([
      400,
      "400 Bad Request: this port speaks TLS, use https://\n",
    ]);
    expect([more, client.ended]).toEqual([[], true]);
    expect(world.recorder.requests.map(({ error }) => error)).toEqual(["PLAIN_ON_TLS"]);
    expect(await world.leftovers()).toEqual(clean);
  });

  test("a client that does not trust us, or wants what we do not speak: refused, counted, nothing left", async () => {
    const world = await start();
    const wary = createTlsClient({ ca: [] });
    const strange = createTlsClient({ ca: [authority.pem], alpn: ["smtp"] });
    closing.push(
      () => wary.close(),
      () => strange.close(),
    );
    const clients = [world.connectTls(wary, "a.test"), world.connectTls(strange, "a.test")];
    await world.pass(seconds(1));
    expect(clients.map(({ error }) => error?.code)).toEqual(["TLS_CERTIFICATE", "TLS_HANDSHAKE"]);
    const told = world.recorder.tlsFailures.map(({ message }) => message).join("\n");
    expect(told).toMatch(/unknown ca/);
    expect(told).toMatch(/no application protocol/);
    expect(await world.leftovers()).toEqual(clean);
  });

  test("random and damaged bytes: nobody throws, every connection ends, nothing is left", async () => {
    const rng = new SeededRng(20_261_121);
    const world = await start({ tls: { handshakeTimeout: seconds(2) } });
    const hello = "\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03";
    for (let i = 0; i < 300; i++) {
      const client = world.connect();
      const text = Array.from({ length: below(rng, 400) }, () =>
        String.fromCharCode(below(rng, 256)),
      ).join("");
      client.send(i % 2 === 0 ? hello + text : text);
      if (i % 3 === 0) client.stream.end();
      if (i % 20 === 0) await world.pass(millis(50));
    }
    expect(await world.leftovers()).toEqual(clean);
    expect(world.recorder.handshakes).toBe(0);
    expect(world.recorder.unexpectedFaults()).toEqual([]);
  });

  test("draining: a handshake under way is finished and its request served; a silent one does not hold", async () => {
    const world = await start({ tls: { handshakeTimeout: seconds(2) } });
    const silent = world.connect();
    await world.pass(millis(50));
    const client = world.connectTls(trusting, "a.test");
    client.send(GET);
    await world.pass(millis(3));
    let drained = false;
    void world.server.drain(seconds(20)).then(() => {
      drained = true;
    });
    await world.pass(seconds(5));
    expect(client.responses(["GET"]).map(({ status }) => status)).toEqual([200]);
    expect([silent.closed, client.closed, drained]).toEqual([true, true, true]);
  });

  test("a thousand handshakes at once: all are served", async () => {
    const world = await start({ seed: 3 });
    const clients = Array.from({ length: 1_000 }, () => {
      const client = world.connectTls(trusting, "a.test");
      client.send(GET);
      return client;
    });
    await world.pass(seconds(5));
    const served = clients.filter((client) => client.responses(["GET"])[0]?.status === 200);
    expect([served.length, world.recorder.handshakes]).toEqual([1_000, 1_000]);
    for (const client of clients) client.stream.end();
    expect(await world.leftovers()).toEqual(clean);
  });
});
