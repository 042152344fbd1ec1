import { expect, test } from "vitest";
import { TurnQueue } from "./turn-queue.ts";

function recording(): { queue: TurnQueue; told: string[]; faults: unknown[] } {
  const faults: unknown[] = [];
  return { queue: new TurnQueue((error) => faults.push(error)), told: [], faults };
}

test("targets added, run, are called once, in order", () => {
  const { queue, told } = recording();
  queue.add({ onTurnEnd: () => told.push("a") });
  queue.add({ onTurnEnd: () => told.push("b") });
  queue.run();
  queue.run();
  expect(told).toEqual(["a", "b"]);
});

test("a target that adds itself, run, is called in the next run", () => {
  const { queue, told } = recording();
  const target = {
    onTurnEnd: () => {
      told.push("again");
      queue.add(target);
    },
  };
  queue.add(target);
  queue.run();
  expect(told).toEqual(["again"]);
  expect(queue.empty).toBe(false);
  queue.run();
  expect(told).toEqual(["again", "again"]);
});

test("a target that throws, run, keeps no other from its call", () => {
  const { queue, told, faults } = recording();
  const thrown = new Error("a fault");
  queue.add({
    onTurnEnd: () => {
      throw thrown;
    },
  });
  queue.add({ onTurnEnd: () => told.push("b") });
  queue.run();
  expect(told).toEqual(["b"]);
  expect(faults).toEqual([thrown]);
});
