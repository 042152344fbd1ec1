import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant, micros } from "../../core/time.ts";
import { IdleConnection } from "./fixture.ts";
import { Pool } from "./pool.ts";

const seed = 20260711;

function filled(max: number, count: number) {
  const pool = new Pool(max);
  const members = Array.from({ length: count }, () => new IdleConnection());
  members.forEach((member, i) => {
    pool.put(member, instant(i * 10));
  });
  return { pool, members };
}

describe("Pool", () => {
  it("members idle: take, the most recently used comes first, then null", () => {
    const { pool, members } = filled(8, 3);
    expect([pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([
      members[2],
      members[1],
      members[0],
      null,
    ]);
    expect(members.map(({ retired }) => retired)).toEqual([0, 0, 0]);
  });

  it("put: the instant is noted on the member, and oldest is the one who waits longest", () => {
    const { pool, members } = filled(8, 3);
    expect(members.map(({ idleSince }) => idleSince)).toEqual([0, 10, 20]);
    expect(pool.oldest()).toBe(0);
    pool.remove(members[0]!);
    expect(pool.oldest()).toBe(10);
    pool.clear();
    expect(pool.oldest()).toBeUndefined();
  });

  it("full: one more put, the oldest is retired", () => {
    const { pool, members } = filled(3, 5);
    expect(pool.size).toBe(3);
    expect(members.map(({ retired }) => retired)).toEqual([1, 1, 0, 0, 0]);
    expect(pool.take()).toBe(members[4]);
  });

  it("max 0: what is put is retired at once", () => {
    const { pool, members } = filled(0, 1);
    expect([pool.size, members[0]!.retired]).toEqual([0, 1]);
  });

  it("sweep: idle for exactly the timeout goes, a microsecond less stays", () => {
    const { pool, members } = filled(8, 3);
    pool.sweep(instant(110), micros(101));
    expect(members.map(({ retired }) => retired)).toEqual([1, 0, 0]);
    pool.sweep(instant(110), micros(100));
    expect(members.map(({ retired }) => retired)).toEqual([1, 1, 0]);
    expect(pool.size).toBe(1);
  });

  it("several idle since the same instant: remove, exactly that one is gone", () => {
    const pool = new Pool(8);
    const members = Array.from({ length: 5 }, () => new IdleConnection());
    for (const member of members) pool.put(member, instant(7));
    expect(pool.remove(members[2]!)).toBe(true);
    expect(pool.remove(members[2]!)).toBe(false);
    expect([pool.take(), pool.take(), pool.take(), pool.take(), pool.take()]).toEqual([
      members[4],
      members[3],
      members[1],
      members[0],
      null,
    ]);
  });

  it("a stranger: remove, false and nothing changes", () => {
    const { pool } = filled(8, 3);
    expect(pool.remove(new IdleConnection())).toBe(false);
    expect(pool.size).toBe(3);
  });

  it("retiring leads back into remove and put: the pool stays whole", () => {
    const { pool, members } = filled(8, 3);
    const newcomer = new IdleConnection();
    members[0]!.onRetire = () => {
      expect(pool.remove(members[0]!)).toBe(false);
      pool.put(newcomer, instant(1_000));
    };
    pool.clear();
    expect(members.map(({ retired }) => retired)).toEqual([1, 1, 1]);
    expect([pool.size, newcomer.retired]).toEqual([1, 0]);
  });

  it("closed: members are retired, and so is all that is put later", () => {
    const { pool, members } = filled(8, 2);
    pool.close();
    const late = new IdleConnection();
    pool.put(late, instant(99));
    expect([pool.size, late.retired, ...members.map(({ retired }) => retired)]).toEqual([
      0, 1, 1, 1,
    ]);
  });

  it("any sequence of operations: as a plain list behaves", () => {
    const op = fc.oneof(
      { weight: 5, arbitrary: fc.constant({ op: "put" as const, at: 0 }) },
      { weight: 2, arbitrary: fc.constant({ op: "take" as const, at: 0 }) },
      { weight: 2, arbitrary: fc.record({ op: fc.constant("remove" as const), at: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("sweep" as const), at: fc.nat(40) }) },
    );
    const property = fc.property(
      fc.integer({ min: 0, max: 50 }),
      fc.array(op, { maxLength: 400 }),
      fc.nat(3),
      (max, ops, slowness) => {
        const pool = new Pool(max);
        const model: IdleConnection[] = [];
        const retired: IdleConnection[] = [];
        const everyMember: IdleConnection[] = [];
        ops.forEach(({ op, at }, i) => {
          // Steps of time in which some instants repeat.
          const now = instant(Math.floor(i / (slowness + 1)));
          if (op === "put") {
            const member = new IdleConnection();
            everyMember.push(member);
            pool.put(member, now);
            model.push(member);
            if (model.length > max) retired.push(model.shift()!);
          } else if (op === "take") expect(pool.take()).toBe(model.pop() ?? null);
          else if (op === "remove") {
            const member = model[at];
            if (member === undefined) return;
            expect(pool.remove(member)).toBe(true);
            model.splice(at, 1);
          } else {
            pool.sweep(now, micros(at));
            while (model.length > 0 && now - model[0]!.idleSince >= at) {
              retired.push(model.shift()!);
            }
          }
          expect(pool.size).toBe(model.length);
          expect(pool.oldest()).toBe(model[0]?.idleSince as Instant | undefined);
        });
        expect(everyMember.filter((member) => member.retired === 1)).toEqual(
          everyMember.filter((member) => retired.includes(member)),
        );
      },
    );
    fc.assert(property, { seed, numRuns: 200 });
  });
});
