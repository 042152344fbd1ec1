import { describe, expect, test } from "vitest";
import { after, millis, seconds } from "../../core/time.ts";
import { MemoryNetwork } from "../../drivers/memory/network.ts";
import { EndpointHealth } from "./endpoint-health.ts";
import type { Verdict } from "./verdict.ts";

/** An endpoint in virtual time whose checks the test judges; "begun", "cancelled" and changes are told. */
class Bench {
  readonly told: string[] = [];
  readonly network = new MemoryNetwork({ seed: 1 });
  readonly health: EndpointHealth;
  verdict: Verdict = () => {};

  constructor() {
    this.health = new EndpointHealth(
      {
        check: { kind: "grpc", service: "" },
        interval: seconds(10),
        timeout: seconds(2),
        healthy: 2,
        unhealthy: 3,
      },
      this.network.transport("10.0.0.1"),
      (verdict) => {
        this.told.push("begun");
        this.verdict = verdict;
        return { cancel: () => this.told.push("cancelled") };
      },
      (up, why) => this.told.push(up ? "up" : `down: ${why}`),
    );
    this.health.start();
  }

  async pass(ms: number): Promise<void> {
    await this.network.settle(after(this.network.now, millis(ms)));
  }

  news(): string[] {
    return this.told.splice(0);
  }

  /** Waits for the next check, judges it, and says what came of it. */
  async judged(failure: string | null): Promise<string[]> {
    for (let i = 0; i < 120 && !this.told.includes("begun"); i++) await this.pass(100);
    this.verdict(failure);
    return this.news().filter((word) => word !== "begun");
  }
}

describe("an endpoint's checks", () => {
  test("the first, begins within a tenth of the interval, the next one interval behind it", async () => {
    const bench = new Bench();
    await bench.pass(1_001);
    expect(bench.news()).toEqual(["begun"]);
    bench.verdict(null);
    await bench.pass(8_999);
    expect(bench.news()).toEqual([]);
    await bench.pass(2_010);
    expect(bench.news()).toEqual(["begun"]);
  });

  test("up: three failures in a row put it down, a good one between counts anew", async () => {
    const bench = new Bench();
    expect(await bench.judged("x")).toEqual([]);
    expect(await bench.judged("x")).toEqual([]);
    expect(await bench.judged(null)).toEqual([]);
    expect(await bench.judged("x")).toEqual([]);
    expect(await bench.judged("x")).toEqual([]);
    expect(await bench.judged("says not-serving")).toEqual(["down: says not-serving"]);
    expect(await bench.judged("x")).toEqual([]);
  });

  test("down: two good ones in a row put it up", async () => {
    const bench = new Bench();
    for (let i = 0; i < 3; i++) await bench.judged("x");
    expect(await bench.judged(null)).toEqual([]);
    expect(await bench.judged("x")).toEqual([]);
    expect(await bench.judged(null)).toEqual([]);
    expect(await bench.judged(null)).toEqual(["up"]);
  });

  test("no verdict within the timeout, the check is cancelled and counts as failed", async () => {
    const bench = new Bench();
    await bench.pass(3_100);
    expect(bench.news()).toEqual(["begun", "cancelled"]);
    await bench.pass(13_100);
    await bench.pass(13_100);
    expect(bench.news().at(-1)).toBe("down: did not answer in time");
  });

  test("stopped, cancels what is under way and begins nothing", async () => {
    const bench = new Bench();
    await bench.pass(1_100);
    bench.health.stop();
    bench.verdict("late");
    await bench.pass(60_000);
    expect(bench.news()).toEqual(["begun", "cancelled"]);
  });
});
