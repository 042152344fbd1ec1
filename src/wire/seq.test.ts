import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Seq,
  seq,
  seqAcceptable,
  seqAdd,
  seqBetween,
  seqDiff,
  seqGe,
  seqGt,
  seqInWindow,
  seqLe,
  seqLt,
  seqMax,
  seqMin,
} from "./seq.ts";

const seed = 9293;
const anySeq = fc.nat(0xffff_ffff).map(seq);

describe("sequence numbers", () => {
  test("any number, moved by less than half the circle, is ordered as the move says", () => {
    fc.assert(
      fc.property(anySeq, fc.integer({ min: -0x7fff_ffff, max: 0x7fff_ffff }), (a, n) => {
        const b = seqAdd(a, n);
        expect(b).toBeGreaterThanOrEqual(0);
        expect(b).toBeLessThan(2 ** 32);
        expect(seqDiff(b, a)).toBe(n);
        expect([seqLt(b, a), seqLe(b, a), seqGt(b, a), seqGe(b, a)]).toEqual([
          n < 0,
          n <= 0,
          n > 0,
          n >= 0,
        ]);
        expect(seqMax(a, b)).toBe(n > 0 ? b : a);
        expect(seqMin(a, b)).toBe(n < 0 ? b : a);
      }),
      { seed, numRuns: 1000 },
    );
  });

  test("a window, across the wrap, holds its first number and not the one past its last", () => {
    fc.assert(
      fc.property(anySeq, fc.nat({ max: 0x3fff_ffff }), fc.nat(), (start, length, n) => {
        expect(seqInWindow(start, start, length)).toBe(length > 0);
        expect(seqInWindow(seqAdd(start, length), start, length)).toBe(false);
        expect(seqInWindow(seqAdd(start, -1), start, length)).toBe(false);
        expect(seqBetween(seqAdd(start, length), start, seqAdd(start, length))).toBe(true);
        expect(seqBetween(seqAdd(start, length + 1), start, seqAdd(start, length))).toBe(false);
        if (length > 0) expect(seqInWindow(seqAdd(start, n % length), start, length)).toBe(true);
      }),
      { seed },
    );
  });

  test.each<[string, number, number, number, boolean]>([
    ["empty, closed window, expected", 0, 0, 0, true],
    ["empty, closed window, one ahead", 1, 0, 0, false],
    ["empty, open window, its last", 9, 0, 10, true],
    ["empty, open window, one past", 10, 0, 10, false],
    ["empty, open window, one before", -1, 0, 10, false],
    ["data, closed window, expected", 0, 1, 0, false],
    ["data, starts before and ends inside", -4, 5, 10, true],
    ["data, ends just before", -5, 5, 10, false],
    ["data, starts at the last", 9, 100, 10, true],
    ["data, starts past the end", 10, 100, 10, false],
    ["data, larger than the window on both sides", -1, 20, 10, false],
  ])("a segment that is %s: the table of RFC 9293 §3.4 decides", (_, at, length, window, want) => {
    for (const next of [0, 5, 0xffff_fffe, 0x7fff_ffff] as Seq[]) {
      expect(seqAcceptable(seqAdd(next, at), length, next, window)).toBe(want);
    }
  });
});
