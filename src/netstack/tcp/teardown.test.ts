import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../core/time.ts";
import { forge, sentSince } from "./testing/forge.ts";
import { Pair } from "./testing/pair.ts";

const RTT = millis(30);

describe("ends", () => {
  test("both end at once, closing and then time-wait on both sides", () => {
    const pair = new Pair().established();
    pair.client.c.end();
    pair.server.c.end();
    pair.settle(RTT);
    for (const side of [pair.client, pair.server]) {
      expect(side.states.slice(-3)).toEqual(["FinWait1", "Closing", "TimeWait"]);
      expect(side.events).toEqual(["established", "end", "closed"]);
    }
  });

  test("half-closed, the other side goes on sending", () => {
    const pair = new Pair().established();
    pair.client.c.end();
    pair.settle(RTT);
    expect(pair.client.c.state.kind).toBe("FinWait2");
    pair.server.write("still here");
    pair.settle(RTT);
    expect(pair.client.text).toBe("still here");
    pair.settle(seconds(1_000));
    expect(pair.client.c.state.kind).toBe("FinWait2");
    pair.server.c.end();
    pair.settle(RTT);
    expect(pair.client.c.state.kind).toBe("TimeWait");
    expect(pair.server.c.state.kind).toBe("Closed");
  });

  test("end before established, the fin follows the data", () => {
    const pair = new Pair().connect();
    pair.client.write("early");
    pair.client.c.end();
    pair.settle(millis(100));
    expect(pair.server.text).toBe("early");
    expect(pair.server.events).toEqual(["established", "end"]);
    expect(pair.client.c.state.kind).toBe("FinWait2");
  });

  test("time-wait: the fin again, is acknowledged and 2 MSL begin anew", () => {
    const pair = new Pair().established();
    pair.client.c.end();
    pair.server.c.end();
    pair.settle(seconds(30));
    expect(forge(pair, pair.client, { flags: "FA", seq: -1 })).toEqual(["A 2 ack 2"]);
    pair.settle(seconds(59));
    expect(pair.client.c.state.kind).toBe("TimeWait");
    pair.settle(seconds(2));
    expect(pair.client.c.state.kind).toBe("Closed");
  });

  test("paused, the end and the close are told once reading resumes", () => {
    const pair = new Pair().established();
    pair.server.c.pause();
    pair.client.write("unread");
    pair.client.c.end();
    pair.settle(RTT);
    pair.server.c.end();
    pair.settle(RTT);
    expect(pair.server.c.state.kind).toBe("Closed");
    expect(pair.server.events).toEqual(["established"]);
    pair.server.c.resume();
    expect(pair.server.text).toBe("unread");
    expect(pair.server.events).toEqual(["established", "end", "closed"]);
  });
});

describe("aborts", () => {
  test("established: abort, resets the peer and tells both once", () => {
    const pair = new Pair().established();
    pair.client.write("never read");
    pair.client.c.abort();
    const before = pair.sent.length;
    pair.settle(RTT);
    expect(sentSince(pair, before)).toEqual(["client RA 1 ack 1"]);
    expect(pair.client.events).toEqual(["established", "closed"]);
    expect(pair.server.events).toEqual(["established", "closed ECONNRESET"]);
    pair.client.c.abort();
    expect(pair.client.events).toHaveLength(2);
  });

  test("syn-sent: abort, sends nothing more", () => {
    const pair = new Pair().connect();
    pair.filter = () => false;
    pair.settle(millis(1));
    pair.client.c.abort();
    pair.settle(seconds(10));
    expect(pair.sent).toHaveLength(1);
    expect(pair.client.events).toEqual(["closed"]);
  });

  test("aborted from within onData, the rest of what was kept is not delivered", () => {
    const pair = new Pair().established();
    pair.server.c.pause();
    pair.client.write(new Uint8Array(100_000));
    pair.settle(RTT);
    pair.server.onEvent = (event) => {
      if (event === "data") pair.server.c.abort();
    };
    const kept = pair.server.c.rcv.unreadBytes;
    pair.server.c.resume();
    expect(pair.server.receivedLength).toBeLessThan(kept);
    expect(pair.server.events).toEqual(["established", "closed"]);
  });
});

describe("close", () => {
  test("with bytes unread, resets (RFC 2525 §2.17)", () => {
    const pair = new Pair().established();
    pair.server.c.pause();
    pair.client.write("unread");
    pair.settle(RTT);
    pair.server.c.close();
    pair.settle(RTT);
    expect(pair.server.events).toEqual(["established", "closed"]);
    expect(pair.client.events).toEqual(["established", "closed ECONNRESET"]);
  });

  test("with bytes queued, sends them and closes once they are acknowledged", () => {
    const pair = new Pair().established();
    pair.client.write("parting");
    pair.client.c.close();
    expect(pair.client.events).toEqual(["established"]);
    pair.settle(RTT);
    expect(pair.client.events).toEqual(["established", "closed"]);
    expect(pair.server.text).toBe("parting");
    expect(pair.server.events).toEqual(["established", "end"]);
  });

  test("fin-wait-2 without an owner, is over after a minute", () => {
    const pair = new Pair().established();
    pair.client.c.close();
    pair.settle(seconds(59));
    expect(pair.client.c.state.kind).toBe("FinWait2");
    pair.settle(seconds(2));
    expect(pair.client.c.state.kind).toBe("Closed");
  });

  test("data after it, draw a reset (RFC 1122 §4.2.2.13)", () => {
    const pair = new Pair().established();
    pair.client.c.close();
    pair.settle(RTT);
    pair.server.write("too late");
    pair.settle(RTT);
    expect(pair.client.c.state.kind).toBe("Closed");
    expect(pair.server.events).toEqual(["established", "end", "closed ECONNRESET"]);
  });

  test("linger 0, resets; linger that runs out, resets", () => {
    const first = new Pair().established();
    first.client.c.linger = seconds(0);
    first.client.c.close();
    first.settle(RTT);
    expect(first.server.events).toEqual(["established", "closed ECONNRESET"]);
    const second = new Pair().established();
    second.client.c.linger = seconds(3);
    second.client.write("stuck");
    second.filter = (from) => from === second.server;
    second.client.c.close();
    second.settle(seconds(2));
    expect(second.client.events).toEqual(["established"]);
    second.settle(seconds(2));
    expect(second.client.events).toEqual(["established", "closed"]);
    expect(second.client.c.state.kind).toBe("Closed");
  });

  test("corked and closed with data in flight, the cork's deadline does not reset", () => {
    const pair = new Pair({ wire: { delay: millis(400) } }).established();
    pair.settle(seconds(3));
    pair.client.c.cork = true;
    pair.client.write("held");
    pair.settle(millis(50));
    pair.client.c.close();
    pair.settle(seconds(2));
    expect(pair.server.text).toBe("held");
    expect(pair.server.events).toEqual(["established", "end"]);
  });
});
