import fc from "fast-check";
import { expect, test } from "vitest";
import type { Instant } from "../../../core/time.ts";
import { seq, seqAdd, seqLt } from "../../../wire/seq.ts";
import { Scoreboard } from "./scoreboard.ts";
import type { SentSegment } from "./sent-segment.ts";

const START = seq(0xffff_f000);

/** Counts and links as a fresh walk finds them. */
function check(board: Scoreboard): void {
  const count = { flight: 0, sacked: 0, lost: 0, runs: 0, records: 0 };
  let previous: SentSegment | null = null;
  for (let s = board.head; s !== null; s = s.next) {
    expect(s.previous).toBe(previous);
    expect(s.length).toBeGreaterThan(0);
    if (previous !== null) expect(s.start).toBe(previous.end);
    if (s.sacked) {
      count.sacked += s.length;
      count.runs++;
      expect(previous?.sacked ?? false).toBe(false);
    } else if (s.lost) count.lost += s.length;
    else count.flight += s.length;
    count.records++;
    previous = s;
  }
  expect(board.tail).toBe(previous);
  let timed = 0;
  for (let s = board.oldest; s !== null; s = s.newer) {
    expect(s.sacked || s.lost).toBe(false);
    if (s.newer !== null) expect(s.newer.order).toBeGreaterThanOrEqual(s.order);
    else expect(board.newest).toBe(s);
    timed += s.length;
  }
  expect([board.inFlight, board.sackedBytes, board.lostBytes]).toEqual([
    count.flight,
    count.sacked,
    count.lost,
  ]);
  expect([timed, board.records, board.sackedRuns]).toEqual([
    count.flight,
    count.records,
    count.runs,
  ]);
  let first = board.head;
  while (first !== null && !first.lost) first = first.next;
  expect(board.firstLost()).toBe(first);
}

const nth = (board: Scoreboard, n: number): SentSegment | null => {
  let s = board.head;
  for (let i = n % Math.max(1, board.records); i > 0 && s !== null; i--) s = s.next;
  return s;
};

test("any sequence of operations: counts, order and both lists agree", () => {
  const operation = fc.tuple(
    fc.constantFrom(
      "append",
      "sack",
      "lose",
      "resend",
      "split",
      "drop",
      "trim",
      "unlose",
      "renege",
    ),
    fc.nat(40),
    fc.integer({ min: 2, max: 4000 }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const board = new Scoreboard();
      let nxt = START;
      let now = 0;
      for (const [name, n, size] of operations) {
        now += n % 3;
        const s = nth(board, n);
        if (name === "append") {
          board.append(now as Instant, nxt, seqAdd(nxt, size));
          nxt = seqAdd(nxt, size);
        } else if (s === null) continue;
        else if (name === "sack" && !s.sacked) board.sack(s);
        else if (name === "lose" && !s.sacked && !s.lost) board.lose(s);
        else if (name === "resend" && !s.sacked) board.resend(now as Instant, s);
        else if (name === "split" && !s.sacked && s.length > 1) {
          board.split(s, seqAdd(s.start, 1 + (size % (s.length - 1))));
        } else if (name === "drop") board.dropHead();
        else if (name === "trim" && board.head!.length > 1) {
          board.trimHead(seqAdd(board.head!.start, 1));
        } else if (name === "unlose") board.unlose();
        else if (name === "renege") board.renege();
        check(board);
        const found = s === null || board.head === null ? null : board.find(board.tail!.start);
        if (found !== null) expect(found).toBe(board.tail);
      }
      board.clear();
      check(board);
    }),
    { seed: 20_26, numRuns: 300 },
  );
});

test("a window full of tiny segments: records stay bounded", () => {
  const board = new Scoreboard();
  for (let i = 0; i < 20_000; i++) {
    board.append(i as Instant, seqAdd(START, i), seqAdd(START, i + 1));
  }
  expect(board.records).toBeLessThanOrEqual(8192);
  expect(board.inFlight).toBe(20_000);
  expect(seqLt(board.head!.start, board.tail!.end)).toBe(true);
  board.clear();
});
