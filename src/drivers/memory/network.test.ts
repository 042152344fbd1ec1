import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, millis, seconds } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import { Recorder } from "../testing/recorder.ts";
import { at } from "../testing/world.ts";
import { CHOPPY, type LinkConditions } from "./link.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "./network.ts";

const SEED = 20260304;

/** A client and a server on two hosts, connected. */
async function fixture(options: Omit<MemoryNetworkOptions, "seed"> & { seed?: number } = {}) {
  const network = new MemoryNetwork({ seed: SEED, ...options });
  const near = network.transport("10.0.0.1");
  const far = network.transport("10.0.0.2");
  const client = new Recorder("client");
  const server = new Recorder("server");
  await far.listen(at("10.0.0.2:80"), {}, (stream) => {
    server.stream = stream;
    return server;
  });
  client.stream = near.connect(at("10.0.0.2:80"), {}, client);
  return { network, near, far, client, server };
}

describe("time", () => {
  it("stands still until somebody steps, and moves from event to event", async () => {
    const { network, client, server } = await fixture();
    const start = network.now;
    expect(client.connected).toBe(false);
    expect(network.run(() => client.connected)).toBe(true);
    expect(network.now - start).toBe(200); // there and back
    client.send("x");
    network.run(() => server.length > 0);
    expect(network.now - start).toBe(300);
  });

  it("run until an instant: stops there, also with nothing to do", async () => {
    const { network } = await fixture();
    const goal = after(network.now, seconds(3));
    expect(network.run(goal)).toBe(true);
    expect(network.now).toBe(goal);
  });

  it("run until a condition that never comes: says so when nothing is left", async () => {
    const { network } = await fixture();
    expect(network.run(() => false)).toBe(false);
    expect(network.step()).toBe(false);
  });

  it("a day of timers passes at once", async () => {
    const { network, near } = await fixture();
    const fired: number[] = [];
    const day = after(network.now, seconds(86_400));
    near.schedule({ onTimer: (now) => fired.push(now) }, day);
    network.run();
    expect(fired).toEqual([day]);
  });

  it("a timer that repeats for ever: run gives up", async () => {
    const { network, near } = await fixture({ mostSteps: 1_000 });
    const timer = near.schedule(
      { onTimer: (now) => timer.reschedule(after(now, millis(1))) },
      network.now,
    );
    expect(() => network.run()).toThrow("still busy after 1000 steps");
    await expect(network.settle()).rejects.toThrow("still busy");
  });

  it("settle: promises make progress between steps, in virtual time", async () => {
    const { network, near } = await fixture();
    const start = network.now;
    let total = 0;
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        near.schedule({ onTimer: () => resolve() }, after(near.now(), millis(ms)));
      });
    const work = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        await wait(100);
        total++;
      }
    };
    void work();
    expect(await network.settle(() => total === 10)).toBe(true);
    expect(network.now - start).toBe(1_000_000);
  });
});

/** A conversation under the given conditions, as everything that can be observed of it. */
async function conversation(seed: number, link: Partial<LinkConditions>): Promise<string[]> {
  const trace: string[] = [];
  const { network, near, client, server } = await fixture({
    seed,
    link,
    trace: (line) => trace.push(line),
  });
  server.whenData = (buf, start, end) => server.stream.write(buf, start, end);
  server.whenEnded = () => server.stream.end();
  for (let i = 0; i < 5; i++) client.send("0123456789".repeat(1 + (near.rng.u32() % 200)));
  client.act((stream) => stream.end());
  network.run();
  return [...trace, ...client.events, ...server.events, client.text, server.text];
}

describe("chance", () => {
  it("the same seed: the same run, event for event; another seed: another", async () => {
    const rough = { ...CHOPPY, resetChance: 0.02 };
    const first = await conversation(42, rough);
    expect(await conversation(42, rough)).toEqual(first);
    expect(await conversation(43, rough)).not.toEqual(first);
  });

  it("choppy: bytes are cut and joined, but none is lost or moved", async () => {
    let cut = 0;
    let joined = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), fc.array(fc.nat(3_000)), async (seed, sizes) => {
        const { network, client, server } = await fixture({ seed, link: CHOPPY });
        let sent = "";
        for (const [index, size] of sizes.entries()) {
          const text = String.fromCharCode(0x61 + (index % 26)).repeat(size);
          sent += text;
          client.send(text);
        }
        client.act((stream) => stream.end());
        network.run(() => server.ended);
        expect(server.text).toBe(sent);
        const pieces = server.events.filter((event) => event === "data").length;
        const writes = sizes.filter((size) => size > 0).length;
        if (pieces > writes) cut++;
        if (pieces < writes) joined++;
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(cut).toBeGreaterThan(5);
    expect(joined).toBeGreaterThan(0);
  });

  it("a stall: holds up a delivery and all behind it", async () => {
    const stall = [seconds(1), seconds(1)] as const;
    const { network, client, server } = await fixture({ link: { stallChance: 1, stall } });
    client.send("slow");
    network.run(() => server.length > 0);
    expect(network.now - 1_000_000).toBeGreaterThan(seconds(3)); // request, answer, bytes
    expect(server.text).toBe("slow");
  });

  it("a link is chosen by its ends", async () => {
    const asked: string[] = [];
    const { network, client } = await fixture({
      link: (from, to) => {
        asked.push(`${from.kind === "ip" && from.ip} ${to.kind === "ip" && to.port}`);
        return { latency: [millis(50), millis(50)] };
      },
    });
    network.run(() => client.connected);
    expect(asked).toEqual(["10.0.0.1 80"]);
    expect(network.now - 1_000_000).toBe(millis(100));
  });
});

describe("faults of the network", () => {
  it.each([0, 1, 5, 9, 10, 14])(
    "reset after byte %i of both directions: both ends hear it once, no byte too many came",
    async (resetAfter) => {
      const { network, client, server } = await fixture({ link: { resetAfter } });
      server.whenData = (buf, start, end) => server.stream.write(buf, start, end);
      client.send("0123456789");
      network.run();
      expect(client.length + server.length).toBe(resetAfter);
      for (const end of [client, server]) {
        expect(end.closes.map((error) => error?.code)).toEqual(["ECONNRESET"]);
        expect(end.violations).toEqual([]);
      }
      expect([client.closes[0]?.source, server.closes[0]?.source]).toEqual([
        "upstream",
        "downstream",
      ]);
    },
  );

  it("resets at random: every stream closes, and what came is a prefix of what was sent", async () => {
    let resets = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0 }), async (seed) => {
        const link = { ...CHOPPY, resetChance: 0.1 };
        const { network, client, server } = await fixture({ seed, link });
        const sent = "abcdefghij".repeat(5_000);
        client.send(sent);
        client.act((stream) => stream.end());
        server.whenEnded = () => server.stream.end();
        network.run();
        expect([client.closed, server.closed]).toEqual([true, true]);
        expect(sent.startsWith(server.text)).toBe(true);
        expect([...client.violations, ...server.violations]).toEqual([]);
        if (client.closes[0] !== null) resets++;
        else expect(server.text).toBe(sent);
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(resets).toBeGreaterThan(10);
  });

  it.each([
    ["a black hole, no timeout given", "10.9.9.9:80", "ETIMEDOUT", 127_000_000],
    ["nobody has the address", "10.8.8.8:80", "EHOSTUNREACH", 200],
    ["nobody listens there", "10.0.0.2:81", "ECONNREFUSED", 200],
  ])("%s: %s gives %s", async (_name, address, code, took) => {
    const { network, near } = await fixture();
    network.blackHole("10.9.9.9");
    const client = new Recorder("client");
    const start = network.now;
    client.stream = near.connect(at(address), {}, client);
    network.run(() => client.closed);
    expect(client.closes[0]?.code).toBe(code);
    expect(network.now - start).toBeGreaterThanOrEqual(took);
    expect(network.now - start).toBeLessThan(took + 1_000);
  });

  it("a full backlog: newcomers get no answer", async () => {
    const { network, near, far } = await fixture();
    const listener = await far.listen(at("10.0.0.2:90"), { backlog: 1 }, () => new Recorder("s"));
    listener.pause();
    const clients = [1, 2, 3].map((n) => new Recorder(`client ${n}`));
    for (const client of clients) {
      client.stream = near.connect(at("10.0.0.2:90"), { timeout: seconds(1) }, client);
    }
    network.run();
    expect(clients.map((client) => client.events)).toEqual([["connect"], ["connect"], ["close"]]);
    expect(clients[2]?.closes[0]?.code).toBe("CONNECT_TIMEOUT");
  });
});

describe("what it finds in the code under test", () => {
  it("a borrowed buffer that was kept: its bytes are gone after the call", async () => {
    const { network, client, server } = await fixture();
    let kept: Uint8Array = new Uint8Array();
    server.whenData = (buf, start, end) => {
      kept = buf.subarray(start, end);
      expect(start).toBeGreaterThan(0);
    };
    client.send("borrowed");
    network.run();
    expect([...kept]).toEqual(new Array(8).fill(0xdb));
    expect(server.text).toBe("borrowed");
  });

  it("a handler that throws, no onFault given: step throws its error, the stream is reset", async () => {
    const { network, client, server } = await fixture();
    server.whenData = () => {
      throw new Error("on purpose");
    };
    client.send("x");
    expect(() => network.run()).toThrow("on purpose");
    network.run();
    expect(server.closes).toEqual([null]);
    expect(client.closes[0]?.code).toBe("ECONNRESET");
  });
});

describe("hosts", () => {
  const acceptor = () => new Recorder("server");

  it("two transports of one host share its ports", async () => {
    const network = new MemoryNetwork({ seed: 1 });
    const [one, two] = [network.transport("10.0.0.1"), network.transport("10.0.0.1")];
    await one.listen(at("10.0.0.1:80"), {}, acceptor);
    await expect(two.listen(at("0.0.0.0:80"), {}, acceptor)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await two.listen(at("[::]:80"), { ipv6Only: true }, acceptor);
    await expect(one.listen(at("[::1]:80"), {}, acceptor)).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
  });

  it("loopback is each host's own", async () => {
    const network = new MemoryNetwork({ seed: 1 });
    const [here, there] = [network.transport("10.0.0.1"), network.transport("10.0.0.2")];
    await here.listen(at("127.0.0.1:80"), {}, acceptor);
    const connect = (from: Transport): Recorder => {
      const client = new Recorder("client");
      client.stream = from.connect(at("127.0.0.1:80"), {}, client);
      return client;
    };
    const [near, far] = [connect(here), connect(there)];
    network.run();
    expect(near.events).toEqual(["connect"]);
    expect(far.closes[0]?.code).toBe("ECONNREFUSED");
  });

  it("names: what was given, literals, and ENOTFOUND for the rest", async () => {
    const network = new MemoryNetwork({ seed: 1 });
    const transport = network.transport("10.0.0.1");
    network.name("api.test", ["10.0.0.2", "2001:db8::2"]);
    expect(await transport.resolve("api.test")).toEqual(["10.0.0.2", "2001:db8::2"]);
    expect(await transport.resolve("::1")).toEqual(["::1"]);
    network.name("api.test", []);
    await expect(transport.resolve("api.test")).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});
