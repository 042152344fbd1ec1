import { describe, expect, test } from "vitest";
import { millis, seconds } from "../../core/time.ts";
import { seqAdd, seqGt } from "../../wire/seq.ts";
import type { TcpView } from "../../wire/tcp.ts";
import type { TcpSettings } from "./settings.ts";
import { Pair } from "./testing/pair.ts";
import { expire, mayReopen, nextIss, reopenedBy } from "./time-wait.ts";

/** A client in TIME_WAIT; its connection, and SYNs relative to what it has last seen. */
function waiting(client: Partial<TcpSettings> = {}, server: Partial<TcpSettings> = {}) {
  const pair = new Pair({ client: { timeWait: seconds(60), ...client }, server }).established();
  pair.client.c.end();
  pair.server.c.end();
  pair.settle(millis(100));
  const { c } = pair.client;
  expect(c.state.kind).toBe("TimeWait");
  const syn = (offset: number, value: number | null, fin = false) =>
    ({
      sequence: seqAdd(c.rcv.nxt, offset),
      fin,
      options: {
        hasTimestamps: value !== null,
        timestampValue: (c.rcv.tsRecent + (value ?? 0)) >>> 0,
      },
    }) as TcpView;
  return { pair, c, syn };
}

describe("a peer's syn in time-wait (RFC 6191 §2)", () => {
  test.each([
    ["a newer timestamp", -5, 1, true],
    ["the same timestamp, a newer number", 5, 0, true],
    ["the same timestamp, an older number", -5, 0, false],
    ["an older timestamp", 5, -1, false],
    ["no timestamp, a newer number", 5, null, true],
    ["no timestamp, an older number", -5, null, false],
  ] as const)("%s", (_what, offset, value, reopens) => {
    const { c, syn } = waiting();
    expect(reopenedBy(c, syn(offset, value))).toBe(reopens);
  });

  test("the old connection had none: a syn with one opens the next; where we want none, by number", () => {
    const old = waiting({}, { timestamps: false });
    expect([5, -5].map((offset) => reopenedBy(old.c, old.syn(offset, 1)))).toEqual([true, true]);
    const unwanted = waiting({ timestamps: false });
    const { c, syn } = unwanted;
    expect([5, -5].map((offset) => reopenedBy(c, syn(offset, 1)))).toEqual([true, false]);
  });

  test("with fin: opens nothing", () => {
    const { c, syn } = waiting();
    expect(reopenedBy(c, syn(5, 1, true))).toBe(false);
  });
});

test("ended early with data unread: they, the end and the close come when it reads on", () => {
  const pair = new Pair().established();
  const { client, server } = pair;
  client.c.end();
  pair.settle(millis(100));
  client.c.pause();
  server.write("late");
  server.c.end();
  pair.settle(millis(100));
  expect([client.c.state.kind, client.text]).toEqual(["TimeWait", ""]);
  expire(client.c);
  expect([client.c.state.kind, client.events]).toEqual(["Closed", ["established"]]);
  client.c.resume();
  expect([client.text, client.events]).toEqual(["late", ["established", "end", "closed"]]);
});

describe("a syn of ours", () => {
  test("timestamps and a second of quiet: may reopen; sooner, or without them: may not", () => {
    const { pair, c } = waiting();
    expect(mayReopen(c, pair.now)).toBe(false);
    pair.settle(seconds(1));
    expect(mayReopen(c, pair.now)).toBe(true);
    const bare = waiting({ timestamps: false });
    bare.pair.settle(seconds(30));
    expect(mayReopen(bare.c, bare.pair.now)).toBe(false);
  });

  test("its number: larger than all that were used", () => {
    const { c } = waiting();
    for (const offset of [-1_000_000, -1, 0, 1, 1_000_000]) {
      expect(seqGt(nextIss(c, seqAdd(c.snd.nxt, offset)), c.snd.nxt)).toBe(true);
    }
  });
});
