import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { millis, seconds } from "../../../src/core/time.ts";
import { CALM, CHOPPY } from "../../../src/drivers/memory/link.ts";
import { acceptTls } from "../../../src/tls/accept.ts";
import { createTlsClient, type TlsClient } from "../../../src/tls/client.ts";
import { createTlsServer, type TlsServer } from "../../../src/tls/server.ts";
import { TestAuthority } from "../../../src/tls/testing/authority.ts";
import { ok } from "../origin.ts";
import { SimulatedOrigin, World, type WorldOptions } from "../simulated.ts";

const GET = "GET /path HTTP/1.1\r\nHost: h\r\n\r\n";
const clean = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };

let authority: TestAuthority;
/** The proxy's own certificate is for a.test, the origin's for others. */
let ours: TlsServer;
let theirs: TlsServer;
let client: TlsClient;

beforeAll(() => {
  authority = new TestAuthority();
  ours = createTlsServer({ certificates: [authority.issue({ names: ["a.test"] })] });
  theirs = createTlsServer({
    certificates: [authority.issue({ names: ["db.test", "x.wild.test"] })],
  });
  // A long list of protocols: a hello of several records, and of many segments.
  const padding = Array.from({ length: 120 }, (_, i) => `${i}-${"x".repeat(200)}`);
  client = createTlsClient({ ca: [authority.pem], alpn: padding });
});
afterAll(() => {
  for (const one of [ours, theirs, client]) one.close();
  authority[Symbol.dispose]();
});

const start = (options: Partial<WorldOptions> = {}): Promise<World> =>
  World.start({
    seed: 5,
    link: CALM,
    accept: (stream, transport) =>
      acceptTls({ server: theirs, transport }, (secured) => {
        return new SimulatedOrigin(secured, () => ok("y".repeat(300_000)));
      })(stream)!,
    listener: { timeouts: { tunnel: seconds(300) } },
    ...options,
    tls: {
      server: ours,
      handshakeTimeout: seconds(3),
      passthrough: [{ names: ["db.test", "*.wild.test", "gone.test"], upstream: "origin" }],
    },
  });

describe("TLS that is passed through", () => {
  test.each([
    ["db.test", CALM],
    ["x.wild.test", CHOPPY],
  ])(
    "%s: the origin's certificate is seen, bytes cross both ways, nothing is terminated",
    async (name, link) => {
      const world = await start({ link });
      const one = world.connectTls(client, name);
      one.send(GET);
      await world.pass(seconds(60));
      expect(one.responses(["GET"])[0]!.body.length).toBe(300_000);
      expect(world.recorder.tunnels).toMatchObject({ passthrough: 1 });
      expect([world.recorder.handshakes, world.recorder.requests]).toEqual([0, []]);
      one.stream.end();
      expect(await world.leftovers()).toEqual(clean);
    },
  );

  test("other names and none: terminated here", async () => {
    const world = await start();
    const plain = createTlsClient({ ca: [authority.pem] });
    const named = world.connectTls(plain, "a.test");
    await world.pass(seconds(1));
    expect([named.connected, world.recorder.handshakes]).toEqual([true, 1]);
    named.stream.abort();
    plain.close();
    expect(await world.leftovers()).toEqual(clean);
  });

  test("an origin that is away: tried as often as retries say, then the client is cut off", async () => {
    const world = await start({ origin: { timeouts: { connect: seconds(1) } } });
    world.network.blackHole("10.0.0.3");
    const one = world.connectTls(client, "db.test");
    await world.pass(millis(900));
    expect(one.closed).toBe(false);
    await world.pass(seconds(10));
    expect(one.closed).toBe(true);
    expect(world.recorder.connectFailures).toEqual(["CONNECT_TIMEOUT", "CONNECT_TIMEOUT"]);
    expect(await world.leftovers()).toEqual(clean);
  });

  test("the client leaves before the origin answers: the books are closed", async () => {
    const world = await start({ origin: { timeouts: { connect: seconds(5) } } });
    world.network.blackHole("10.0.0.3");
    const one = world.connectTls(client, "db.test");
    await world.pass(seconds(1));
    one.stream.abort();
    expect(await world.leftovers()).toEqual(clean);
  });

  test("draining: it may go on until the deadline, then it is cut", async () => {
    const world = await start();
    const one = world.connectTls(client, "db.test");
    await world.pass(seconds(1));
    let drained = false;
    void world.server.drain(seconds(5)).then(() => {
      drained = true;
    });
    await world.pass(seconds(4));
    one.send(GET);
    await world.pass(millis(900));
    expect([one.responses(["GET"]).length, drained]).toEqual([1, false]);
    await world.pass(seconds(1));
    expect([one.closed, drained]).toEqual([true, true]);
  });
});
