import { expect, test } from "vitest";
import { AcmeFailure } from "./authority.ts";
import { Renewals } from "./renewals.ts";
import { DAY, TestWorld } from "./testing/fakes.ts";

function begin(world: TestWorld, ...groups: readonly (readonly string[])[]) {
  const told: string[] = [];
  const keepers = groups.map((names) => world.keeper(...names));
  const renewals = new Renewals(keepers, world.clock, (keeper, { kind }) => {
    told.push(`${keeper.names.join()} ${kind}`);
  });
  renewals.start();
  return { told, renewals, keepers };
}

test("350 days: each certificate is renewed when a third of its life is left, and not before", async () => {
  const world = new TestWorld();
  const { told } = begin(world, ["one.test"], ["two.test", "three.test"]);
  await world.clock.pass(350 * DAY);
  expect(told.slice(0, 2)).toEqual(["one.test issued", "two.test,three.test issued"]);
  for (const names of ["one.test", "two.test,three.test"]) {
    const times = world.authority.orders.filter((order) => order.names === names);
    // 350 days in steps of 60 to 63.
    expect(times.length).toBe(6);
    for (const [i, { at }] of times.entries()) {
      if (i === 0) continue;
      const gap = at - times[i - 1]!.at;
      expect(gap).toBeGreaterThanOrEqual(60 * DAY);
      expect(gap).toBeLessThan(63 * DAY + 3_600_000);
    }
  }
});

test("the authority is away for a day, it is asked again until it is back", async () => {
  const world = new TestWorld();
  world.authority.failure = new AcmeFailure("unreachable", "connection refused");
  const { told } = begin(world, ["one.test"]);
  await world.clock.pass(DAY);
  expect(told.length).toBeGreaterThan(30);
  expect(told.length).toBeLessThan(80);
  world.authority.failure = null;
  await world.clock.pass(DAY / 24);
  expect(told.at(-1)).toBe("one.test issued");
});

test("it refuses one name for a week, the other is issued, and there is no loop", async () => {
  const world = new TestWorld();
  const issue = world.authority.issue.bind(world.authority);
  world.authority.issue = async (names) => {
    const pair = await issue(names);
    if (names[0] === "bad.test") throw new AcmeFailure("refused", "wrong answer");
    return pair;
  };
  const { told } = begin(world, ["bad.test"], ["good.test"]);
  await world.clock.pass(7 * DAY);
  expect(told.filter((line) => line === "good.test issued")).toHaveLength(1);
  expect(told.filter((line) => line === "bad.test failed").length).toBeLessThan(24);
});

test("many names, four orders at once and all of them in the end", async () => {
  const world = new TestWorld();
  let release = (): void => {};
  world.authority.held = new Promise((resolve) => {
    release = resolve;
  });
  const groups = Array.from({ length: 20 }, (_, i) => [`n${i}.test`]);
  const { told, renewals } = begin(world, ...groups);
  expect(renewals.running).toBe(4);
  release();
  await world.clock.pass(1_000);
  expect(told).toHaveLength(20);
});

test("stopped while an order is under way, it tells nothing and leaves no timer", async () => {
  const world = new TestWorld();
  let finish = (): void => {};
  world.authority.held = new Promise((resolve) => {
    finish = resolve;
  });
  const { told, renewals } = begin(world, ["one.test"]);
  renewals.stop();
  finish();
  await world.clock.pass(DAY);
  expect(told).toEqual([]);
  expect(world.clock.waiting).toBe(0);
});

test("the clock jumps ahead by a hundred days, the renewal comes within the hour", async () => {
  const world = new TestWorld();
  const { told } = begin(world, ["one.test"]);
  await world.clock.pass(DAY);
  world.clock.time += 100 * DAY;
  await world.clock.pass(3_600_000);
  expect(told).toEqual(["one.test issued", "one.test issued"]);
});
