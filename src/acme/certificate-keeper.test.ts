import { expect, test } from "vitest";
import { AcmeFailure } from "./authority.ts";
import { DAY, TestWorld } from "./testing/fakes.ts";

test("nothing stored, it is due at once, and what is issued is kept", async () => {
  const world = new TestWorld();
  const keeper = world.keeper("one.test");
  expect(keeper.dueAt).toBe(0);
  const result = await keeper.renew(() => world.clock.now());
  expect(result).toMatchObject({ kind: "issued", certificate: { key: "key" } });
  expect(keeper.certificate?.certificate).toBe("certificate of one.test");
  expect(result.next).toBeGreaterThan(world.clock.now() + 60 * DAY);
  expect(world.store.readAttempts(["one.test"])).toBeNull();
});

test("stored, a new keeper has it and waits for its renewal", async () => {
  const world = new TestWorld();
  const first = world.keeper("one.test");
  await first.renew(() => world.clock.now());
  const again = world.keeper("one.test");
  expect(again.certificate).toEqual(first.certificate);
  expect(again.dueAt).toBe(first.dueAt);
});

test("refused, a new keeper knows: no attempt before its time", async () => {
  const world = new TestWorld();
  world.authority.failure = new AcmeFailure("refused", "no such name");
  const first = world.keeper("one.test");
  await first.renew(() => world.clock.now());
  await first.renew(() => world.clock.now());
  const again = world.keeper("one.test");
  expect(again.failures).toBe(2);
  expect(again.dueAt).toBe(first.dueAt);
  expect(again.dueAt).toBeGreaterThanOrEqual(world.clock.now() + 6 * 60_000);
  expect(world.store.readAttempts(["one.test"])?.reason).toBe("no such name");
});

test("limited, the authority's time holds", async () => {
  const world = new TestWorld();
  world.authority.failure = new AcmeFailure("limited", "too many", 5 * DAY);
  const keeper = world.keeper("one.test");
  await keeper.renew(() => world.clock.now());
  expect(keeper.dueAt).toBeGreaterThanOrEqual(world.clock.now() + 5 * DAY);
});

test("ended in the middle of an order, a new keeper waits a while", async () => {
  const world = new TestWorld();
  world.authority.held = new Promise(() => {});
  void world.keeper("one.test").renew(() => world.clock.now());
  const again = world.keeper("one.test");
  expect(again.failures).toBe(1);
  expect(again.dueAt).toBeGreaterThanOrEqual(world.clock.now() + 2_000);
});

test("a clock that is a year ahead: what is issued is used for a while, also across restarts", async () => {
  const world = new TestWorld();
  world.store.writeCertificate = (names, pair) => {
    const validFrom = world.clock.now() - 365 * DAY;
    const stored = { ...pair, validFrom, validTo: validFrom + 90 * DAY, serial: "1" };
    world.store.certificates.set(names.join(), stored);
    return stored;
  };
  const keeper = world.keeper("one.test");
  await keeper.renew(() => world.clock.now());
  expect(keeper.dueAt).toBe(world.clock.now() + 15 * DAY);
  expect(world.keeper("one.test").dueAt).toBe(keeper.dueAt);
  expect(world.keeper("one.test").failures).toBe(0);
});

test("storage cannot be written, nothing is ordered", async () => {
  const world = new TestWorld();
  world.store.writeAttempts = () => {
    throw new AcmeFailure("local", "disk full");
  };
  const keeper = world.keeper("one.test");
  const result = await keeper.renew(() => world.clock.now());
  expect(result).toMatchObject({ kind: "failed", failure: { message: "disk full" } });
  expect(world.authority.orders).toEqual([]);
});

test("an error of another kind is a refusal, and the old certificate stays", async () => {
  const world = new TestWorld();
  const keeper = world.keeper("one.test");
  await keeper.renew(() => world.clock.now());
  world.authority.failure = new TypeError("cannot read properties of undefined");
  const result = await keeper.renew(() => world.clock.now());
  expect(result).toMatchObject({ kind: "failed", failure: { kind: "refused" } });
  expect(keeper.certificate).not.toBeNull();
});
