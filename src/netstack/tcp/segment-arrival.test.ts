import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../core/time.ts";
import { seqDiff } from "../../wire/seq.ts";
import { forge, reprOf, sentSince } from "./testing/forge.ts";
import { Pair } from "./testing/pair.ts";

const RTT = millis(25);

describe("resets (RFC 5961 §3)", () => {
  test("established: rst at rcv.nxt, ends with ECONNRESET and answers nothing", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { flags: "R" })).toEqual([]);
    expect(pair.server.events).toEqual(["established", "closed ECONNRESET"]);
    expect(pair.server.error).toMatchObject({ source: "downstream" });
  });

  test("established: rst elsewhere in the window, draws a challenge ACK alone", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { flags: "R", seq: 1 })).toEqual(["A 1 ack 1"]);
    expect(pair.server.c.state.kind).toBe("Established");
  });

  test("established: rst outside the window, is ignored", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { flags: "R", seq: -1 })).toEqual([]);
    expect(forge(pair, pair.server, { flags: "R", seq: 10_000_000 })).toEqual([]);
    expect(pair.server.c.state.kind).toBe("Established");
  });

  test("time-wait: rst, is ignored (RFC 1337)", () => {
    const pair = new Pair().established();
    pair.client.c.end();
    pair.server.c.end();
    pair.settle(millis(200));
    expect(pair.client.c.state.kind).toBe("TimeWait");
    forge(pair, pair.client, { flags: "R" });
    expect(pair.client.c.state.kind).toBe("TimeWait");
  });

  test("syn-sent: rst without ack is ignored, with the right ack it refuses", () => {
    const pair = new Pair().connect();
    pair.filter = () => false;
    pair.settle(millis(1));
    forge(pair, pair.client, { flags: "R" });
    expect(pair.client.events).toEqual([]);
    expect(forge(pair, pair.client, { flags: "RA", ack: 1 })).toEqual([]);
    expect(pair.client.events).toEqual([]);
    forge(pair, pair.client, { flags: "RA" });
    expect(pair.client.events).toEqual(["closed ECONNREFUSED"]);
  });

  test("syn-sent: an ACK of something else, draws a reset with its number", () => {
    const pair = new Pair().connect();
    pair.filter = () => false;
    pair.settle(millis(1));
    expect(forge(pair, pair.client, { flags: "SA", ack: 7 })).toEqual(["R 8"]);
    expect(pair.client.c.state.kind).toBe("SynSent");
  });
});

describe("acceptability (RFC 9293 §3.10.7.4)", () => {
  test("established: syn, wherever, draws a challenge ACK (RFC 5961 §4)", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { flags: "S", seq: 5 })).toEqual(["A 1 ack 1"]);
    expect(forge(pair, pair.server, { flags: "S", seq: -90_000 })).toEqual(["A 1 ack 1"]);
    expect(pair.server.c.state.kind).toBe("Established");
  });

  test("established: data beyond the window, are dropped and draw an ACK", () => {
    const pair = new Pair().established();
    const far = pair.server.c.rcv.window + 10;
    expect(forge(pair, pair.server, { seq: far, payload: "late" })).toEqual(["A 1 ack 1"]);
    expect(pair.server.c.rcv.hasGap).toBe(false);
  });

  test("established: an ACK of what was never sent, draws an ACK and nothing is taken (RFC 5961 §5)", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { ack: 1, payload: "x" })).toEqual(["A 1 ack 1"]);
    expect(pair.server.text).toBe("");
  });

  test("established: no ACK bit, is dropped", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { flags: "P", payload: "x" })).toEqual([]);
    expect(pair.server.text).toBe("");
  });

  test("established: empty segments out of the window, draw one ACK in half a second", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { seq: -1 })).toEqual(["A 1 ack 1"]);
    expect(forge(pair, pair.server, { seq: -1 })).toEqual([]);
    pair.settle(millis(500));
    expect(forge(pair, pair.server, { seq: -1 })).toEqual(["A 1 ack 1"]);
  });

  test("syn-received: the syn again, draws the SYN+ACK again", () => {
    const pair = new Pair().connect();
    pair.filter = (from) => from === pair.client;
    pair.settle(millis(15));
    const before = pair.sent.length;
    pair.inject(pair.server, pair.sent[0]!.bytes);
    expect(sentSince(pair, before)).toEqual(["server SA 0 ack 1"]);
    expect(pair.server.c.state.kind).toBe("SynReceived");
  });

  test("syn-sent both: simultaneous open, establishes both (RFC 9293 §3.5, figure 8)", () => {
    const pair = new Pair().connectBoth();
    pair.settle(millis(100));
    expect(pair.client.states).toEqual(["SynReceived", "Established"]);
    expect(pair.server.states).toEqual(["SynReceived", "Established"]);
    pair.client.write("both");
    pair.settle(RTT);
    expect(pair.server.text).toBe("both");
  });
});

describe("timestamps (RFC 7323)", () => {
  test("established: an older timestamp, is dropped and acknowledged (PAWS)", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { timestamp: -1, payload: "old" })).toEqual(["A 1 ack 1"]);
    expect(pair.server.text).toBe("");
  });

  test("established: an older timestamp after 24 idle days, is taken", () => {
    const pair = new Pair().established();
    pair.settle(seconds(24 * 24 * 3600 + 1));
    forge(pair, pair.server, { timestamp: -1, payload: "young" });
    expect(pair.server.text).toBe("young");
  });

  test("established: no timestamp, is dropped; a rst without one still counts", () => {
    const pair = new Pair().established();
    expect(forge(pair, pair.server, { timestamp: null, payload: "bare" })).toEqual([]);
    forge(pair, pair.server, { timestamp: null, flags: "R" });
    expect(pair.server.c.state.kind).toBe("Closed");
  });
});

describe("out of order", () => {
  test("established: segments ahead of a gap, are SACKed newest first and delivered once filled", () => {
    const pair = new Pair().established();
    const { server } = pair;
    expect(forge(pair, server, { seq: 4, payload: "efgh" })).toHaveLength(1);
    forge(pair, server, { seq: 12, payload: "mnop" });
    const { options } = reprOf(pair.sent.at(-1)!);
    const next = server.c.rcv.nxt;
    const relative = options.sack.map(({ start, end }) => [
      seqDiff(start, next),
      seqDiff(end, next),
    ]);
    expect(relative).toEqual([
      [12, 16],
      [4, 8],
    ]);
    expect(server.text).toBe("");
    forge(pair, server, { payload: "abcd" });
    expect(server.text).toBe("abcdefgh");
    forge(pair, server, { payload: "ijkl" });
    expect(server.text).toBe("abcdefghijklmnop");
    expect(reprOf(pair.sent.at(-1)!).options.sack).toEqual([]);
  });

  test("established: what it has already, is told as D-SACK once (RFC 2883)", () => {
    const pair = new Pair().established();
    const { server } = pair;
    forge(pair, server, { payload: "abcd" });
    const next = server.c.rcv.nxt;
    forge(pair, server, { seq: -4, payload: "abcd" });
    const [block] = reprOf(pair.sent.at(-1)!).options.sack;
    expect([seqDiff(block!.start, next), seqDiff(block!.end, next)]).toEqual([-4, 0]);
    forge(pair, server, { payload: "ef" });
    pair.settle(millis(50));
    expect(reprOf(pair.sent.at(-1)!).options.sack).toEqual([]);
    expect(server.text).toBe("abcdef");
  });

  test("established: fin ahead of a gap, ends only after the data", () => {
    const pair = new Pair().established();
    const { server } = pair;
    forge(pair, server, { seq: 3, flags: "FA", payload: "def" });
    expect(server.events).toEqual(["established"]);
    forge(pair, server, { payload: "abc" });
    expect(server.text).toBe("abcdef");
    expect(server.events).toEqual(["established", "end"]);
    expect(server.c.state.kind).toBe("CloseWait");
  });
});

test("established: anything at all, injected, never throws and keeps the window", () => {
  const pair = new Pair().established();
  let word = 12_345;
  const draw = (n: number) => {
    word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((word / 2 ** 32) * n);
  };
  for (let i = 0; i < 3_000 && pair.server.c.state.kind !== "Closed"; i++) {
    const letters = [..."SPAEC"].filter(() => draw(3) === 0).join("");
    forge(pair, pair.server, {
      flags: draw(4) > 0 ? `A${letters}` : letters,
      seq: draw(2) === 0 ? 0 : draw(400_000) - 100_000,
      ack: draw(3) - 1,
      window: draw(65_536),
      payload: "x".repeat(draw(50)),
      timestamp: draw(8) === 0 ? -draw(1000) : draw(3),
      ecn: draw(4),
    });
    pair.settle(millis(draw(100)));
    expect(pair.server.c.rcv.window).toBeGreaterThanOrEqual(0);
    expect(pair.server.c.rcv.assembler?.count ?? 0).toBeLessThan(280);
  }
  expect(pair.server.c.state.kind).toBe("Established");
});
