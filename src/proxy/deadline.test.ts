import { expect, it } from "vitest";
import { type Instant, instant, millis } from "../core/time.ts";
import { TimerWheel } from "../core/timer-wheel.ts";
import { Deadline } from "./deadline.ts";

function setUp() {
  const wheel = new TimerWheel(instant(0));
  const calls: Instant[] = [];
  const deadline = new Deadline({ onDeadline: (now) => calls.push(now) }, wheel);
  return { wheel, calls, deadline, at: (ms: number) => instant(ms * 1_000) };
}

it("set, time passes: calls once, at or soon after", () => {
  const { wheel, calls, deadline, at } = setUp();
  deadline.set(at(0), millis(100));
  wheel.advance(at(99));
  expect(calls).toEqual([]);
  wheel.advance(at(102));
  wheel.advance(at(1_000));
  expect(calls.length).toBe(1);
  expect(deadline.pending).toBe(false);
});

it("set, moved later many times: calls for the last one alone", () => {
  const { wheel, calls, deadline, at } = setUp();
  for (let ms = 0; ms < 500; ms += 10) {
    deadline.set(at(ms), millis(100));
    wheel.advance(at(ms + 9));
  }
  expect(calls).toEqual([]);
  wheel.advance(at(589));
  expect(calls).toEqual([]);
  wheel.advance(at(592));
  expect(calls.length).toBe(1);
});

it("set far, moved near: calls at the near one", () => {
  const { wheel, calls, deadline, at } = setUp();
  deadline.set(at(0), millis(60_000));
  deadline.set(at(1), millis(10));
  wheel.advance(at(13));
  expect(calls.length).toBe(1);
  wheel.advance(at(120_000));
  expect(calls.length).toBe(1);
});

it("set, cleared, set again: the first never calls", () => {
  const { wheel, calls, deadline, at } = setUp();
  deadline.set(at(0), millis(10));
  deadline.clear();
  wheel.advance(at(50));
  expect(calls).toEqual([]);
  deadline.set(at(50), millis(10));
  wheel.advance(at(62));
  expect(calls.length).toBe(1);
});

it("set, disposed: never calls, and leaves no timer behind", () => {
  const { wheel, calls, deadline, at } = setUp();
  deadline.set(at(0), millis(10));
  deadline.dispose();
  wheel.advance(at(100));
  expect(calls).toEqual([]);
  expect(wheel.size).toBe(0);
});
