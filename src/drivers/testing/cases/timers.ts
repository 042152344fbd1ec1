import { expect, it } from "vitest";
import { after, type Instant, micros, millis } from "../../../core/time.ts";
import type { TimerTarget } from "../../../core/transport.ts";
import type { Scene } from "../transport-suite.ts";

export function timerCases(scene: Scene): void {
  /** A target that notes its name. */
  const noting = (name: string, log: string[], then?: (now: Instant) => void): TimerTarget => ({
    onTimer(now) {
      log.push(name);
      then?.(now);
    },
  });

  it("time: never goes back, and goes on", async () => {
    const { world } = scene;
    const start = world.transport.now();
    let last = start;
    await world.until("two milliseconds", () => {
      const now = world.transport.now();
      expect(now).toBeGreaterThanOrEqual(last);
      expect(Number.isInteger(now)).toBe(true);
      last = now;
      return now - start > millis(2);
    });
  });

  it("due: fires once, not before its deadline, in the order of deadlines", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const start = transport.now();
    const early: number[] = [];
    for (const ms of [30, 5, 12, 20]) {
      const deadline = after(start, millis(ms));
      transport.schedule(
        noting(`${ms}`, log, (now) => {
          if (now < deadline || transport.now() < deadline) early.push(ms);
        }),
        deadline,
      );
    }
    await world.until("all", () => log.length === 4);
    await world.quiet();
    expect(log).toEqual(["5", "12", "20", "30"]);
    expect(early).toEqual([]);
  });

  it("a nearer timer set later: does not wait for the far one", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const far = transport.schedule(noting("far", log), after(transport.now(), millis(3_600_000)));
    transport.schedule(noting("near", log), after(transport.now(), millis(3)));
    await world.until("near", () => log.length > 0);
    expect(log).toEqual(["near"]);
    expect(far.active).toBe(true);
  });

  it("cancelled: never fires; rescheduled: fires at the new deadline", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const start = transport.now();
    const cancelled = transport.schedule(noting("cancelled", log), after(start, millis(2)));
    const moved = transport.schedule(noting("moved", log), after(start, millis(2)));
    transport.schedule(noting("last", log), after(start, millis(40)));
    cancelled.cancel();
    moved.reschedule(after(start, millis(20)));
    expect([cancelled.active, moved.active]).toEqual([false, true]);
    await world.until("last", () => log.includes("last"));
    expect(log).toEqual(["moved", "last"]);
    expect(moved.active).toBe(false);
  });

  it("fired, and set again by its own callback: fires again", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const timer = transport.schedule(
      noting("tick", log, (now) => {
        if (log.length < 5) timer.reschedule(after(now, micros(1_500)));
      }),
      transport.now(),
    );
    await world.until("five", () => log.length === 5);
    await world.quiet();
    expect(log).toHaveLength(5);
  });

  it("a timer that throws: the others fire", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const at = after(transport.now(), millis(2));
    const failing: TimerTarget = {
      onTimer() {
        throw new Error("on purpose");
      },
    };
    transport.schedule(failing, at);
    transport.schedule(noting("same tick", log), at);
    transport.schedule(noting("later", log), after(at, millis(10)));
    await world.until("both", () => log.length === 2);
  });

  it("the transport closed: no timer fires any more", async () => {
    const { world } = scene;
    const { transport } = world;
    const log: string[] = [];
    const timer = transport.schedule(noting("late", log), after(transport.now(), millis(2)));
    transport.close();
    await world.quiet();
    expect(log).toEqual([]);
    expect(timer.active).toBe(false);
  });
}
