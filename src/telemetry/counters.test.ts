import { expect, test } from "vitest";
import { CounterMemory } from "./counters.ts";

test("two workers, each counts in its row, a sum has both", () => {
  const memory = new CounterMemory(3, 2);
  memory.row(0)[1]! += 2;
  memory.row(1)[1]! += 5;
  expect(memory.sum(0)).toBe(0);
  expect(memory.sum(1)).toBe(7);
});

test("shared memory, a second view of it, sees and makes the same counts", () => {
  const memory = new CounterMemory(20, 3);
  const other = new CounterMemory(20, 3, memory.buffer);
  other.row(2)[19] = 4;
  expect(memory.sum(19)).toBe(4);
});

test("rows, side by side, share no line of 128 bytes", () => {
  const memory = new CounterMemory(17, 3);
  for (let worker = 0; worker < 3; worker++) {
    expect(memory.row(worker).byteOffset % 128).toBe(0);
    expect(memory.row(worker).length).toBe(17);
  }
});

test("memory of another shape, wrapped, is refused", () => {
  expect(() => new CounterMemory(3, 2, new SharedArrayBuffer(8))).toThrow(RangeError);
  expect(() => new CounterMemory(3, 2).row(2)).toThrow(RangeError);
});
