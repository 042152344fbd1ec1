import { expect, it } from "vitest";
import type { Scene } from "../transport-suite.ts";

export function closingCases(scene: Scene): void {
  it.each(["client", "server"] as const)(
    "the %s ends: the other hears it, goes on writing, and its end closes both",
    async (first) => {
      const { world } = scene;
      const pair = await world.pair();
      const ending = pair[first];
      const other = pair[first === "client" ? "server" : "client"];
      ending.send("request");
      ending.act((stream) => stream.end());
      await world.until("end", () => other.ended);
      expect(other.text).toBe("request");
      expect(ending.closed).toBe(false);
      other.send("an answer ");
      await world.until("answer", () => ending.text === "an answer ");
      other.send("in two parts");
      other.act((stream) => stream.end());
      await world.until("both closed", () => ending.closed && other.closed);
      expect(ending.text).toBe("an answer in two parts");
      expect(ending.events.slice(-2)).toEqual(["end", "close"]);
      expect([ending.closes, other.closes]).toEqual([[null], [null]]);
    },
  );

  it("much written, then ended at once: all of it arrives before the end", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const big = Buffer.alloc(2_000_000, "abcdefg");
    client.act((stream) => {
      stream.write(big, 0, big.length);
      stream.end();
    });
    server.whenEnded = () => server.stream.end();
    await world.until("both closed", () => client.closed && server.closed);
    expect(server.bytes.equals(big)).toBe(true);
    expect([client.closes, server.closes]).toEqual([[null], [null]]);
  });

  it("both end at the same time: both close without error", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.act((stream) => stream.end());
    server.act((stream) => stream.end());
    await world.until("both closed", () => client.closed && server.closed);
    expect([client.closes, server.closes]).toEqual([[null], [null]]);
    expect([client.ended, server.ended]).toEqual([true, true]);
  });

  it("answered and ended inside onEnd: the peer gets both", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.whenEnded = () => {
      server.stream.write(Buffer.from("bye"), 0, 3);
      server.stream.end();
    };
    client.act((stream) => stream.end());
    await world.until("both closed", () => client.closed && server.closed);
    expect(client.text).toBe("bye");
    expect([client.closes, server.closes]).toEqual([[null], [null]]);
  });

  it("ended: write throws, end does nothing; closed: every call does nothing", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const byte = Buffer.from("x");
    client.act((stream) => stream.end());
    expect(() => client.stream.write(byte, 0, 1)).toThrow();
    client.act((stream) => stream.end());
    server.act((stream) => stream.end());
    await world.until("both closed", () => client.closed && server.closed);
    for (const { stream } of [client, server]) {
      expect(stream.closed).toBe(true);
      expect(stream.queued).toBe(0);
      expect(stream.write(byte, 0, 1)).toBe(false);
      stream.end();
      stream.abort();
      stream.pause();
      stream.resume();
    }
    await world.quiet();
    expect([client.closes, server.closes]).toEqual([[null], [null]]);
  });

  it("closed with bytes queued: all of them arrive, then the end; nothing more is read", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const big = Buffer.alloc(3_000_000, "abcdefg");
    client.act((stream) => {
      stream.write(big, 0, big.length);
      stream.close();
    });
    await world.until("end", () => server.ended);
    await world.until("close", () => client.closed);
    expect(server.bytes.equals(big)).toBe(true);
    expect(client.closes).toEqual([null]);
    server.act((stream) => stream.end());
    await world.until("close", () => server.closed);
    await world.quiet();
    expect(client.events.filter((event) => event !== "writable")).toEqual(["connect", "close"]);
  });

  it("closed with nothing queued: onClose at once, the peer hears the end", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.send("all");
    await world.until("sent", () => server.text === "all" && client.stream.queued === 0);
    client.act((stream) => stream.close());
    expect(client.closes).toEqual([null]);
    expect(client.stream.closed).toBe(true);
    client.act((stream) => stream.close());
    await world.until("end", () => server.ended);
  });

  it("closed inside onData after an answer: the peer gets the answer and the end", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.whenData = () => {
      server.stream.write(Buffer.from("answer"), 0, 6);
      server.stream.close();
    };
    client.send("request");
    await world.until("end", () => client.ended);
    await world.until("close", () => server.closed);
    expect(client.text).toBe("answer");
    expect(server.events).toEqual(["data", "close"]);
    expect(server.closes).toEqual([null]);
  });

  it("ended, then closed: what was queued arrives", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const big = Buffer.alloc(1_000_000, "abcdefg");
    client.act((stream) => {
      stream.write(big, 0, big.length);
      stream.end();
      stream.close();
    });
    await world.until("end", () => server.ended);
    await world.until("close", () => client.closed);
    expect(server.bytes.equals(big)).toBe(true);
    expect(client.closes).toEqual([null]);
  });

  it("closed, then aborted before all is sent: closes once", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.pause();
    const big = Buffer.alloc(16_000_000);
    client.act((stream) => {
      stream.write(big, 0, big.length);
      stream.close();
    });
    await world.quiet();
    expect(client.closed).toBe(false);
    client.act((stream) => stream.abort());
    expect(client.closes).toEqual([null]);
    if (!server.closed) server.resume();
    await world.until("close", () => server.closed);
    expect(server.closes[0]?.code).toBe("ECONNRESET");
    expect(server.length).toBeLessThan(big.length);
  });

  it("aborted: the peer closes once with ECONNRESET, the own end without error", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.act((stream) => stream.abort());
    expect(client.stream.closed).toBe(true);
    client.act((stream) => stream.abort());
    await world.until("both closed", () => client.closed && server.closed);
    await world.quiet();
    expect(client.events).toEqual(["connect", "close"]);
    expect(client.closes).toEqual([null]);
    expect(server.events).toEqual(["close"]);
    expect(server.closes[0]).toMatchObject({ name: "NetError", code: "ECONNRESET" });
  });

  it("aborted with bytes on their way to it: no data comes after", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.pause();
    const big = Buffer.alloc(500_000, "z");
    server.act((stream) => stream.write(big, 0, big.length));
    await world.quiet();
    client.act((stream) => stream.abort());
    await world.until("both closed", () => client.closed && server.closed);
    await world.quiet();
    expect(client.events).toEqual(["connect", "close"]);
    expect(server.closes[0]?.code).toMatch(/ECONNRESET|EPIPE/);
  });

  it("aborted inside onData: nothing but onClose follows", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const big = Buffer.alloc(400_000, "z");
    server.whenData = () => server.stream.abort();
    client.act((stream) => {
      stream.write(big, 0, big.length);
      stream.end();
    });
    await world.until("both closed", () => client.closed && server.closed);
    await world.quiet();
    expect(server.events).toEqual(["data", "close"]);
    expect(server.closes).toEqual([null]);
    expect(client.closes[0]?.code).toMatch(/ECONNRESET|EPIPE/);
  });

  it("aborted inside onEnd: onClose follows", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.whenEnded = () => server.stream.abort();
    client.act((stream) => stream.end());
    await world.until("both closed", () => client.closed && server.closed);
    expect(server.events).toEqual(["end", "close"]);
    expect(server.closes).toEqual([null]);
  });

  it("aborted by the peer after its end was read: ECONNRESET", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.act((stream) => stream.end());
    await world.until("end", () => server.ended);
    client.act((stream) => stream.abort());
    // Linux answers the next byte with a reset where abort could not send one.
    const byte = Buffer.from("x");
    await world.until("close", () => {
      server.act((stream) => stream.write(byte, 0, 1));
      return server.closed;
    });
    expect(server.closes[0]?.code).toMatch(/ECONNRESET|EPIPE/);
  });

  it("the transport closes: every stream closes once, its peers too, listeners are gone", async () => {
    const { world } = scene;
    const { client, server, listener } = await world.pair();
    world.transport.close();
    world.transport.close();
    await world.until("both closed", () => client.closed && server.closed);
    await world.quiet();
    expect(client.closes).toHaveLength(1);
    expect(server.closes).toHaveLength(1);
    listener.close();
  });
}
