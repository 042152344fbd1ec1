import fc from "fast-check";
import { expect, test } from "vitest";
import { type Seq, seq, seqAdd } from "../../wire/seq.ts";
import { Assembler, MemoryAhead } from "./assembler.ts";

/** Just before the numbers wrap. */
const BASE = seq(0xffff_ff80);
const STREAM = Uint8Array.from({ length: 600 }, (_, i) => i * 31);
const at = (n: number): Seq => seqAdd(BASE, n);

const ranges = (assembler: Assembler): [number, number][] => {
  const found: [number, number][] = [];
  for (let r = assembler.first; r !== null; r = r.next) {
    found.push([(r.start - BASE) | 0, (r.end - BASE) | 0]);
  }
  return found;
};
const put = (assembler: Assembler, from: number, to: number) =>
  assembler.insert(at(from), STREAM, from, to - from);

test("assembler, any segments, keeps disjoint ranges and gives back the stream", () => {
  const segment = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 90 }));
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 40 }), (segments) => {
      const memory = new MemoryAhead(16 << 20);
      const assembler = new Assembler(memory);
      const known = new Set<number>();
      for (const [start, length] of segments) {
        put(assembler, start, start + length);
        for (let i = start; i < start + length; i++) known.add(i);
        const list = ranges(assembler);
        expect(list.length).toBe(assembler.count);
        for (let i = 1; i < list.length; i++) expect(list[i]![0]).toBeGreaterThan(list[i - 1]![1]);
        expect(list.reduce((sum, [a, b]) => sum + b - a, 0)).toBe(known.size);
        expect(memory.used).toBe(known.size + 2_048 * list.length);
      }
      for (let range = assembler.first; range !== null; ) {
        const start = (range.start - BASE) | 0;
        const taken = assembler.takeUpTo(range.start)!;
        const bytes = new Uint8Array(taken.bytes.length);
        taken.bytes.copyTo(0, bytes.length, bytes, 0);
        expect([...bytes]).toEqual([...STREAM.subarray(start, start + bytes.length)]);
        range = assembler.first;
      }
      expect(memory.used).toBe(0);
    }),
    { seed: 72, numRuns: 300 },
  );
});

test("assembler, data up to inside a range, takes only what is beyond", () => {
  const assembler = new Assembler(new MemoryAhead(16 << 20));
  put(assembler, 10, 20);
  expect(assembler.takeUpTo(at(5))).toBeNull();
  const range = assembler.takeUpTo(at(14))!;
  expect(range.bytes.length).toBe(6);
  expect(assembler.count).toBe(0);
});

test("assembler, more gaps than the bound, drops new ranges and still grows old ones", () => {
  const assembler = new Assembler(new MemoryAhead(16 << 20));
  const far = new Uint8Array(1);
  for (let i = 0; i < 400; i++) assembler.insert(at(1000 + 2 * i), far, 0, 1);
  expect(assembler.count).toBe(256);
  assembler.insert(at(1001), far, 0, 1);
  expect(assembler.count).toBe(255);
});

test("assembler, every second of many full segments missing, keeps them all up to its last bound", () => {
  const assembler = new Assembler(new MemoryAhead(16 << 20));
  const segment = new Uint8Array(1448);
  const put = (i: number) => assembler.insert(at(1448 * (2 * i + 1)), segment, 0, segment.length);
  for (let i = 0; i < 1_500; i++) put(i);
  expect(assembler.count).toBe(1_500);
  for (let i = 1_500; i < 3_000; i++) put(i);
  expect(assembler.count).toBe(2_048);
});

test("assembler, ranges that come, grow, merge and go, knows in which order they changed", () => {
  const assembler = new Assembler(new MemoryAhead(16 << 20));
  const order = () => {
    const starts: number[] = [];
    for (let r = assembler.newest; r !== null; r = r.older) starts.push((r.start - BASE) | 0);
    return starts;
  };
  for (const start of [10, 50, 30, 70]) put(assembler, start, start + 5);
  expect(order()).toEqual([70, 30, 50, 10]);
  put(assembler, 55, 60);
  expect(order()).toEqual([50, 70, 30, 10]);
  put(assembler, 15, 50);
  expect(order()).toEqual([10, 70]);
  assembler.takeUpTo(at(10));
  expect(order()).toEqual([70]);
});

test("assembler, a segment that it has, changes only which range is the newest", () => {
  const assembler = new Assembler(new MemoryAhead(16 << 20));
  put(assembler, 10, 20);
  put(assembler, 30, 40);
  expect(assembler.covers(at(12), at(20))).toBe(true);
  expect(assembler.covers(at(12), at(21))).toBe(false);
  put(assembler, 12, 15);
  expect(assembler.newest).toBe(assembler.first);
  expect(ranges(assembler)).toEqual([
    [10, 20],
    [30, 40],
  ]);
});

test("assembler, memory that all share is used up, drops segments until another gives some back", () => {
  const memory = new MemoryAhead(10_000);
  const [greedy, late] = [new Assembler(memory), new Assembler(memory)];
  const tiny = new Uint8Array(1);
  for (let i = 0; i < 100; i++) greedy.insert(at(2 * i), tiny, 0, 1);
  expect([greedy.count, memory.used]).toEqual([4, 4 * 2_049]);
  late.insert(at(0), tiny, 0, 1);
  expect(late.count).toBe(0);
  greedy.release();
  expect([greedy.count, greedy.first, memory.used]).toEqual([0, null, 0]);
  late.insert(at(0), tiny, 0, 1);
  expect(late.count).toBe(1);
});
