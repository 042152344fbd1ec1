import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant } from "./time.ts";
import { TimerWheel } from "./timer-wheel.ts";
import type { Timer, TimerTarget } from "./transport.ts";

const seed = 20260302;
const HOUR = 3_600_000_000;

/** A wheel with a log of what fired: [name, now]. */
function fixture(start = 0) {
  const wheel = new TimerWheel(instant(start));
  const log: [string, number][] = [];
  const set = (name: string, at: number, also?: () => void): Timer =>
    wheel.schedule(
      {
        onTimer(now) {
          log.push([name, now]);
          also?.();
        },
      },
      instant(at),
    );
  const advance = (to: number) => {
    log.length = 0;
    wheel.advance(instant(to));
    return log.map(([name]) => name);
  };
  return { wheel, log, set, advance };
}

describe("TimerWheel", () => {
  it("waiting: one microsecond before the deadline, nothing fires; a tick after it, it fires once", () => {
    const { set, advance, wheel } = fixture();
    const timer = set("a", 5_500);
    expect(advance(5_499)).toEqual([]);
    expect(timer.active).toBe(true);
    expect(advance(6_500)).toEqual(["a"]);
    expect(timer.active).toBe(false);
    expect(advance(100_000)).toEqual([]);
    expect(wheel.size).toBe(0);
  });

  it("a deadline on a tick: fires at that very instant", () => {
    const { set, advance, wheel } = fixture(123);
    set("a", 7_123);
    expect(wheel.nextDeadline()).toBe(7_123);
    expect(advance(7_122)).toEqual([]);
    expect(advance(7_123)).toEqual(["a"]);
  });

  it("several in one tick: fire by deadline, equal ones in the order set", () => {
    const { set, advance } = fixture();
    set("late", 2_900);
    set("tie-1", 2_500);
    set("early", 2_100);
    set("tie-2", 2_500);
    expect(advance(3_000)).toEqual(["early", "tie-1", "tie-2", "late"]);
  });

  it("a deadline in the past: fires at the next tick", () => {
    const { set, advance } = fixture(1_000_000);
    advance(2_000_000);
    set("a", 5);
    expect(advance(2_000_999)).toEqual([]);
    expect(advance(2_001_000)).toEqual(["a"]);
  });

  it("not advanced for an hour, many due: fire in the order of their deadlines", () => {
    const { set, advance } = fixture();
    for (const at of [40_000_000, 3_000, 900_000, 70_000, 3_599_000_000]) set(String(at), at);
    expect(advance(HOUR)).toEqual(["3000", "70000", "900000", "40000000", "3599000000"]);
  });

  it.each([1, 24, 24 * 50, 24 * 400, 24 * 4_000])(
    "a deadline %i hours away: waits that long in few steps",
    (hours) => {
      const { set, advance, wheel } = fixture(77);
      set("a", hours * HOUR);
      let steps = 0;
      for (let at = wheel.nextDeadline(); at !== undefined; at = wheel.nextDeadline()) {
        const fired = advance(at);
        expect(fired).toEqual(at >= hours * HOUR ? ["a"] : []);
        expect(at).toBeLessThanOrEqual(hours * HOUR + 1_000);
        expect(++steps).toBeLessThan(20);
      }
      expect(wheel.size).toBe(0);
    },
  );

  it.each([Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])(
    "a deadline of %d: never fires",
    (at) => {
      const { set, advance, wheel } = fixture();
      const timer = set("never", at);
      expect(advance(100 * 365 * 24 * HOUR)).toEqual([]);
      timer.cancel();
      expect(wheel.nextDeadline()).toBeUndefined();
    },
  );

  it("cancelled: does not fire, and may be set again", () => {
    const { set, advance, wheel } = fixture();
    const timer = set("a", 2_000);
    timer.cancel();
    timer.cancel();
    expect(wheel.nextDeadline()).toBeUndefined();
    expect(advance(10_000)).toEqual([]);
    timer.reschedule(instant(20_000));
    expect(wheel.size).toBe(1);
    expect(advance(20_000)).toEqual(["a"]);
    timer.reschedule(instant(30_000));
    expect(advance(30_000)).toEqual(["a"]);
  });

  it("moved later again and again: fires only after the last deadline", () => {
    const { set, advance } = fixture();
    const timer = set("idle", 60_000_000);
    for (let now = 0; now < 300_000_000; now += 7_000_000) {
      expect(advance(now)).toEqual([]);
      timer.reschedule(instant(now + 60_000_000));
    }
    // last set at 294 s
    expect(advance(353_999_999)).toEqual([]);
    expect(advance(354_000_000)).toEqual(["idle"]);
  });

  it("moved earlier: fires at the new deadline", () => {
    const { set, advance, wheel } = fixture();
    const timer = set("a", HOUR);
    timer.reschedule(instant(4_000));
    expect(wheel.nextDeadline()).toBe(4_000);
    expect(advance(4_000)).toEqual(["a"]);
  });

  it("a callback cancels and moves others of its tick: they obey", () => {
    const { set, advance } = fixture();
    set("first", 1_100, () => {
      cancelled.cancel();
      moved.reschedule(instant(9_000));
    });
    const cancelled = set("cancelled", 1_200);
    const moved = set("moved", 1_300);
    set("last", 1_400);
    expect(advance(2_000)).toEqual(["first", "last"]);
    expect(advance(9_000)).toEqual(["moved"]);
  });

  it("a callback sets itself again at once: called once in that advance", () => {
    const { set, advance, log } = fixture();
    const timer = set("again", 1_000, () => timer.reschedule(log.at(-1)![1] as Instant));
    expect(advance(5_000)).toEqual(["again", "again"]); // tick 1, then tick 5, whose instant is now
    expect(advance(5_999)).toEqual([]);
    expect(advance(6_000)).toEqual(["again"]);
  });

  it("a target throws: the others fire, then its error comes out", () => {
    const { wheel, set } = fixture();
    const fired: string[] = [];
    const boom = new Error("boom");
    set("bad", 1_000, () => {
      throw boom;
    });
    set("good", 1_500, () => fired.push("good"));
    expect(() => wheel.advance(instant(2_000))).toThrow(boom);
    expect(fired).toEqual(["good"]);
    set("bad", 3_000, () => {
      throw boom;
    });
    set("worse", 3_000, () => {
      throw new Error("worse");
    });
    expect(() => wheel.advance(instant(3_000))).toThrow(AggregateError);
    expect(() => wheel.advance(instant(4_000))).not.toThrow();
  });

  it("advance inside a callback is refused", () => {
    const { wheel, set } = fixture();
    set("a", 1_000, () => wheel.advance(instant(9_000)));
    expect(() => wheel.advance(instant(2_000))).toThrow("advance called from a timer");
  });

  it("time stands still or goes back: nothing happens", () => {
    const { set, advance } = fixture();
    advance(50_000);
    set("a", 51_000);
    expect(advance(50_000)).toEqual([]);
    expect(advance(10)).toEqual([]);
    expect(advance(51_000)).toEqual(["a"]);
  });

  it("onEarlier: called only when the next deadline comes closer", () => {
    const calls: number[] = [];
    const wheel = new TimerWheel(instant(0), (at) => calls.push(at));
    const target: TimerTarget = { onTimer() {} };
    const first = wheel.schedule(target, instant(20_000));
    wheel.schedule(target, instant(25_000));
    wheel.schedule(target, instant(HOUR));
    expect(calls).toEqual([20_000]);
    wheel.schedule(target, instant(7_000));
    expect(calls).toEqual([20_000, 7_000]);
    first.reschedule(instant(21_000));
    expect(calls).toHaveLength(2);
    wheel.advance(instant(7_000));
    wheel.schedule(target, instant(30_000));
    expect(calls).toHaveLength(2);
    expect(wheel.nextDeadline()).toBe(20_000); // where the timer that moved to 21 is looked at again
    first.reschedule(instant(8_000));
    expect(calls).toEqual([20_000, 7_000, 8_000]);
  });

  it("clear: nothing is left, also from inside a callback", () => {
    const { set, advance, wheel } = fixture();
    const far = set("far", HOUR);
    set("first", 1_000, () => wheel.clear());
    set("second", 1_000);
    expect(advance(2 * HOUR)).toEqual(["first"]);
    expect(wheel.size).toBe(0);
    expect(far.active).toBe(false);
    expect(wheel.nextDeadline()).toBeUndefined();
  });
});

type Operation =
  | { readonly kind: "set"; readonly id: number; readonly delay: number; readonly reacts: Reaction }
  | { readonly kind: "move"; readonly id: number; readonly delay: number }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "advance"; readonly by: number };
/** What a timer does to another when it fires. */
type Reaction = {
  readonly kind: "none" | "cancel" | "move";
  readonly id: number;
  readonly delay: number;
};

const TIMERS = 12;
const id = fc.nat(TIMERS - 1);
const delay = fc.oneof(
  fc.integer({ min: -3_000, max: 40_000 }),
  fc.integer({ min: 0, max: 3_000_000 }),
  fc.integer({ min: 0, max: 100 * HOUR }),
);
const reacts: fc.Arbitrary<Reaction> = fc.record({
  kind: fc.constantFrom("none" as const, "none" as const, "cancel" as const, "move" as const),
  id,
  delay: delay.map((d) => Math.abs(d) + 1_000),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("set" as const), id, delay, reacts }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("move" as const), id, delay }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("advance" as const), by: delay.map(Math.abs) }),
  },
);

/** The same promises, kept by searching a plain list. */
class Model {
  now = 0;
  tick = 0;
  order = 0;
  readonly fired: string[] = [];
  readonly waiting = new Map<number, { at: number; tick: number; order: number }>();
  readonly reactions = new Map<number, Reaction>();

  set(timer: number, at: number): void {
    const tick = Math.max(Math.ceil(at / 1_000), this.tick + 1);
    this.waiting.set(timer, { at, tick, order: this.order++ });
  }

  advance(now: number): void {
    this.now = now;
    const until = Math.floor(now / 1_000);
    for (let next = this.#next(until); next !== null; next = this.#next(until)) {
      this.tick = this.waiting.get(next)!.tick;
      this.waiting.delete(next);
      this.fired.push(`${next}@${now}`);
      const reaction = this.reactions.get(next)!;
      if (reaction.kind === "cancel") this.waiting.delete(reaction.id);
      if (reaction.kind === "move" && this.reactions.has(reaction.id)) {
        this.set(reaction.id, now + reaction.delay);
      }
    }
    this.tick = Math.max(this.tick, until);
  }

  #next(until: number): number | null {
    const due = [...this.waiting].filter(([, timer]) => timer.tick <= until);
    due.sort(([, a], [, b]) => a.tick - b.tick || a.at - b.at || a.order - b.order);
    return due[0]?.[0] ?? null;
  }
}

it("any sequence of operations, wheel and sorted list, fire the same timers in the same order", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 60 }), (operations) => {
      const model = new Model();
      const wheel = new TimerWheel(instant(0));
      const timers = new Map<number, Timer>();
      const reactions = new Map<number, Reaction>();
      const fired: string[] = [];
      const target = (timer: number): TimerTarget => ({
        onTimer(now) {
          fired.push(`${timer}@${now}`);
          const reaction = reactions.get(timer)!;
          if (reaction.kind === "cancel") timers.get(reaction.id)?.cancel();
          if (reaction.kind === "move") {
            timers.get(reaction.id)?.reschedule(instant(now + reaction.delay));
          }
        },
      });
      for (const step of operations) {
        if (step.kind === "advance") {
          const now = model.now + step.by;
          model.advance(now);
          wheel.advance(instant(now));
        } else if (step.kind === "cancel") {
          model.waiting.delete(step.id);
          timers.get(step.id)?.cancel();
        } else if (step.kind === "set") {
          timers.get(step.id)?.cancel();
          model.reactions.set(step.id, step.reacts);
          reactions.set(step.id, step.reacts);
          model.set(step.id, model.now + step.delay);
          timers.set(step.id, wheel.schedule(target(step.id), instant(model.now + step.delay)));
        } else if (timers.has(step.id)) {
          model.set(step.id, model.now + step.delay);
          timers.get(step.id)!.reschedule(instant(model.now + step.delay));
        }
        expect(fired).toEqual(model.fired);
        expect(wheel.size).toBe(model.waiting.size);
        for (const [key, timer] of timers) expect(timer.active).toBe(model.waiting.has(key));
        const next = wheel.nextDeadline();
        const earliest = Math.min(...[...model.waiting.values()].map((timer) => timer.tick));
        if (model.waiting.size === 0) expect(next).toBeUndefined();
        else {
          expect(next).toBeGreaterThan(model.tick * 1_000);
          expect(next).toBeLessThanOrEqual(earliest * 1_000);
        }
      }
    }),
    { seed, numRuns: 400 },
  );
});
