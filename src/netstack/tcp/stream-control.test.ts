import { describe, expect, test } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { type Duration, type Instant, millis, seconds } from "../../core/time.ts";
import { Ip } from "../ip-address.ts";
import { forge, reprOf, sentSince } from "./testing/forge.ts";
import { Pair, pattern } from "./testing/pair.ts";

const RTT = millis(20);

/** What the client sends from now on, during `time`. */
function during(pair: Pair, time: Duration): string[] {
  const before = pair.sent.length;
  pair.settle(time);
  return sentSince(pair, before);
}

const fromClient = (lines: string[]) => lines.filter((line) => line.startsWith("client"));

describe("acknowledging", () => {
  test("established: one small segment after the quick start, is acknowledged after the delay", () => {
    const pair = new Pair().established();
    for (let i = 0; i < 20; i++) {
      pair.client.write("x");
      pair.settle(millis(100));
    }
    pair.client.write("late");
    expect(during(pair, millis(49))).toEqual(["client AP 21:25 ack 1"]);
    expect(during(pair, millis(2))).toEqual(["server A 1 ack 25"]);
  });

  test("established: two full segments, are acknowledged at once", () => {
    const pair = new Pair().established();
    for (let i = 0; i < 20; i++) {
      pair.client.write(new Uint8Array(1448));
      pair.settle(millis(100));
    }
    pair.client.write(new Uint8Array(2896));
    expect(during(pair, millis(11)).filter((line) => line.startsWith("server"))).toHaveLength(1);
  });

  test("established: an answer within the delay, carries the ACK", () => {
    const pair = new Pair().established();
    pair.server.onEvent = (event) => {
      if (event === "data") pair.server.write("answer");
    };
    pair.client.write("question");
    expect(during(pair, RTT)).toEqual([
      "client AP 1:9 ack 1",
      "server AP 1:7 ack 9",
      "client A 9 ack 7",
    ]);
  });
});

describe("small segments", () => {
  test("established: Nagle, holds the second small segment until the first is acknowledged", () => {
    const pair = new Pair().established();
    pair.client.write("a");
    expect(during(pair, millis(1))).toEqual(["client AP 1:2 ack 1"]);
    pair.client.write("b");
    pair.client.write("c");
    expect(during(pair, millis(15))).toEqual(["server A 1 ack 2"]);
    expect(during(pair, millis(10))[0]).toBe("client AP 2:4 ack 1");
  });

  test("established: noDelay, sends each at once", () => {
    const pair = new Pair().established();
    pair.client.c.noDelay = true;
    pair.client.write("a");
    pair.settle(millis(1));
    pair.client.write("b");
    expect(during(pair, millis(1))).toEqual(["client AP 2:3 ack 1"]);
  });

  test("established: a full segment behind a small one, does not wait (Minshall)", () => {
    const pair = new Pair().established();
    pair.client.write("a");
    pair.settle(millis(1));
    pair.client.write(new Uint8Array(1500));
    expect(during(pair, millis(1))).toEqual(["client A 2:1450 ack 1"]);
  });

  test("established: cork, holds for 200 ms, and lets go when it is pulled", () => {
    const pair = new Pair().established();
    pair.client.c.cork = true;
    pair.client.write("held");
    expect(during(pair, millis(199))).toEqual([]);
    expect(fromClient(during(pair, millis(2)))).toEqual(["client AP 1:5 ack 1"]);
    pair.settle(RTT);
    pair.client.write("again");
    expect(fromClient(during(pair, millis(100)))).toEqual([]);
    pair.client.c.cork = false;
    expect(fromClient(during(pair, millis(1)))).toEqual(["client AP 5:10 ack 1"]);
  });
});

describe("windows", () => {
  test("paused reader: the window closes, is probed for hours, and opens when reading resumes", () => {
    const pair = new Pair({ server: { receiveBuffer: 20_000, maxReceiveBuffer: 20_000 } });
    pair.established();
    pair.server.c.pause();
    const data = pattern(50_000, new SeededRng(3));
    pair.client.write(data);
    pair.settle(seconds(1));
    expect(pair.client.c.snd.usableWindow).toBeLessThan(1448);
    expect(pair.server.receivedLength).toBe(0);
    expect(pair.server.c.rcv.unreadBytes).toBeLessThanOrEqual(20_000);
    const before = pair.sent.length;
    pair.settle(seconds(7_200));
    const probes = fromClient(sentSince(pair, before)).length;
    expect(probes).toBeGreaterThan(50);
    expect(probes).toBeLessThan(80);
    expect(pair.client.events).toEqual(["established"]);
    pair.server.c.resume();
    pair.settle(seconds(1));
    expect(Buffer.compare(pair.server.bytes, data)).toBe(0);
  });

  test("paused reader, memory of all gone: no more than 16 KiB is kept; it is read, all arrives in the end", () => {
    const pair = new Pair().established();
    const { receiveMemory } = pair.server;
    receiveMemory.used = receiveMemory.limit;
    pair.server.c.pause();
    const data = pattern(200_000, new SeededRng(4));
    pair.client.write(data);
    pair.client.c.end();
    pair.settle(seconds(30));
    expect(pair.server.c.rcv.unreadBytes).toBe(16_384);
    pair.server.c.resume();
    pair.settle(seconds(300));
    expect(Buffer.compare(pair.server.bytes, data)).toBe(0);
    expect(receiveMemory.used).toBe(receiveMemory.limit);
    expect(pair.server.events).toEqual(["established", "end"]);
  });

  test("jumbo segments through the least of windows: they go on", () => {
    const pair = new Pair({ mss: 65_460 }).established();
    pair.server.receiveMemory.used = pair.server.receiveMemory.limit;
    const data = pattern(1_000_000, new SeededRng(5));
    pair.client.write(data);
    expect(pair.run(() => pair.server.receivedLength === data.length, seconds(60))).toBe(true);
  });

  test("closed window: nobody answers the probes, ETIMEDOUT after the user timeout", () => {
    const pair = new Pair({
      server: { receiveBuffer: 5_000, maxReceiveBuffer: 5_000 },
    }).established();
    pair.server.c.pause();
    pair.client.c.userTimeout = seconds(30);
    pair.client.write(new Uint8Array(20_000));
    pair.settle(seconds(5));
    pair.filter = () => false;
    pair.settle(seconds(100));
    expect(pair.client.events).toEqual(["established", "closed ETIMEDOUT"]);
  });

  test("established: a window update is lost, the probe brings the next one", () => {
    const pair = new Pair({
      server: { receiveBuffer: 8_000, maxReceiveBuffer: 8_000 },
    }).established();
    pair.server.c.pause();
    pair.client.write(new Uint8Array(20_000));
    pair.settle(seconds(2));
    pair.filter = (from) => from === pair.client;
    pair.server.c.resume();
    pair.settle(millis(1));
    pair.filter = () => true;
    pair.settle(seconds(20));
    expect(pair.server.receivedLength).toBe(20_000);
  });

  test("established: half a megabyte each round trip, the receive buffer grows past its start", () => {
    const pair = new Pair({ wire: { delay: millis(50) }, gso: true }).established();
    expect(pair.server.c.info().receiveBuffer).toBe(262_144);
    pair.client.write(new Uint8Array(40 << 20));
    pair.settle(seconds(5));
    expect(pair.server.c.info().receiveBuffer).toBeGreaterThan(1 << 20);
    expect(pair.server.c.info().receiveBuffer).toBeLessThanOrEqual(8 << 20);
  });
});

describe("silence", () => {
  test("syn-sent: no answer, gives up after all retries with ETIMEDOUT", () => {
    const pair = new Pair({ client: { synRetries: 3 } }).connect();
    pair.filter = () => false;
    pair.settle(seconds(1 + 2 + 4 + 8 - 1));
    expect(pair.sent.length).toBe(4);
    expect(pair.client.events).toEqual([]);
    pair.settle(seconds(2));
    expect(pair.client.events).toEqual(["closed ETIMEDOUT"]);
  });

  test("syn-sent: ECN asked and not answered, the third syn asks no more", () => {
    const pair = new Pair({ client: { ecn: "on" } }).connect();
    pair.filter = () => false;
    pair.settle(seconds(10));
    const flags = pair.sent.map((sent) => (reprOf(sent).flags & 0xc0) !== 0);
    expect(flags).toEqual([true, true, false, false]);
  });

  test("established: data unacknowledged, ETIMEDOUT at the user timeout", () => {
    const pair = new Pair().established();
    pair.client.c.userTimeout = seconds(20);
    pair.filter = () => false;
    pair.client.write("lost");
    pair.settle(seconds(19));
    expect(pair.client.events).toEqual(["established"]);
    pair.settle(seconds(2));
    expect(pair.client.events).toEqual(["established", "closed ETIMEDOUT"]);
  });

  test("established: user timeout set, the peer is told and adopts it within bounds (RFC 5482)", () => {
    const pair = new Pair({ server: { userTimeout: seconds(50) } }).established();
    pair.client.c.userTimeout = seconds(200);
    pair.client.write("x");
    pair.settle(RTT);
    expect(reprOf(pair.sent.at(-2)!).options.userTimeout).toEqual({ unit: "seconds", value: 200 });
    expect(pair.server.c.userTimeoutLimit).toBe(seconds(200));
    pair.client.c.userTimeout = seconds(1_000_000);
    pair.client.write("y");
    pair.settle(RTT);
    expect(pair.server.c.userTimeoutLimit).toBe(seconds(3_600));
  });

  test("established: keep-alive answered, goes on; unanswered, resets with ETIMEDOUT", () => {
    const keepAlive = { idle: seconds(10), interval: seconds(2), probes: 3 };
    const pair = new Pair({ client: { keepAlive } }).established();
    const lines = during(pair, seconds(31));
    expect(lines.slice(0, 2)).toEqual(["client A 0 ack 1", "server A 1 ack 1"]);
    expect(fromClient(lines)).toHaveLength(3);
    pair.filter = () => false;
    const last = during(pair, seconds(20));
    expect(last).toEqual([
      "client A 0 ack 1",
      "client A 0 ack 1",
      "client A 0 ack 1",
      "client RA 1 ack 1",
    ]);
    expect(pair.client.events).toEqual(["established", "closed ETIMEDOUT"]);
  });
});

describe("ECN (RFC 3168)", () => {
  test("negotiated: a marked segment, is echoed until CWR", () => {
    const pair = new Pair({ client: { ecn: "on" } }).established();
    expect(pair.client.c.info().ecn).toBe(true);
    expect(pair.server.c.info().ecn).toBe(true);
    expect(forge(pair, pair.server, { payload: "a", ecn: 3 })).toEqual(["AE 1 ack 2"]);
    expect(forge(pair, pair.server, { payload: "b", ecn: 2 })).toEqual(["AE 1 ack 3"]);
    expect(forge(pair, pair.server, { payload: "c", flags: "AC", ecn: 2 })).toEqual(["A 1 ack 4"]);
  });

  test("negotiated: an echo, makes the next new data say CWR once, data are ECT and ACKs are not", () => {
    const pair = new Pair({ client: { ecn: "on" }, wire: { marking: 0 } }).established();
    pair.client.write(new Uint8Array(3_000));
    pair.settle(millis(1));
    forge(pair, pair.client, { flags: "AE", ack: -1552, window: 500 });
    pair.settle(RTT);
    const before = pair.sent.length;
    pair.client.write(new Uint8Array(3_000));
    pair.settle(RTT);
    const data = pair.sent.slice(before).filter((sent) => sent.from === "client");
    expect(data.map((sent) => (reprOf(sent).flags & 0x80) !== 0)[0]).toBe(true);
    expect(data.slice(1).some((sent) => (reprOf(sent).flags & 0x80) !== 0)).toBe(false);
    expect(data.every((sent) => sent.ecn === 2)).toBe(true);
    const acks = pair.sent.slice(before).filter((sent) => sent.from === "server");
    expect(acks.every((sent) => sent.ecn === 0)).toBe(true);
  });

  test("passive by default: nobody asks, nobody marks", () => {
    const pair = new Pair().established();
    expect(pair.client.c.info().ecn).toBe(false);
  });
});

describe("ICMP (RFC 5927)", () => {
  const error = (kind: "port-unreachable" | "host-unreachable") => ({
    version: 4 as const,
    kind,
    type: 3,
    code: kind === "port-unreachable" ? 3 : 1,
    from: Ip.v4(1),
    source: Ip.v4(1),
    destination: Ip.v4(2),
    protocol: 6,
    view: new DataView(new ArrayBuffer(8)),
    transportStart: 0,
    transportEnd: 8,
    mtu: 0,
  });

  test("syn-sent: port unreachable about the syn, refuses; about another number, nothing", () => {
    const pair = new Pair().connect();
    pair.filter = () => false;
    pair.settle(millis(1));
    const { c } = pair.client;
    expect(c.handleIcmp(pair.now, error("port-unreachable"), (c.snd.una + 9) as never)).toBe(false);
    expect(pair.client.events).toEqual([]);
    expect(c.handleIcmp(pair.now, error("port-unreachable"), c.snd.una)).toBe(true);
    expect(pair.client.events).toEqual(["closed ECONNREFUSED"]);
  });

  test("established: host unreachable, is only the reason of a later timeout", () => {
    const pair = new Pair().established();
    pair.client.c.userTimeout = seconds(5);
    pair.filter = () => false;
    pair.client.write("x");
    pair.settle(millis(1));
    const { c } = pair.client;
    expect(c.handleIcmp(pair.now as Instant, error("host-unreachable"), c.snd.una)).toBe(true);
    expect(c.state.kind).toBe("Established");
    pair.settle(seconds(6));
    expect(pair.client.events).toEqual(["established", "closed EHOSTUNREACH"]);
  });
});
