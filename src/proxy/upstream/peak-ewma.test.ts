import { describe, expect, it } from "vitest";
import { instant, millis, seconds } from "../../core/time.ts";
import { PeakEwma } from "./peak-ewma.ts";

const at = (s: number) => instant(s * 1_000_000);

describe("PeakEwma", () => {
  it("unmeasured: 30 ms, and after the decay of 10 s a 1/e of it", () => {
    const ewma = new PeakEwma(at(5));
    expect(ewma.cost(at(5))).toBe(30_000);
    // 30 000 / 2.718281828 = 11 036.383
    expect(ewma.cost(at(15))).toBeCloseTo(11_036.383, 3);
  });

  it("rtt above the cost: the cost is that rtt at once", () => {
    const ewma = new PeakEwma(at(0));
    ewma.observe(at(1), millis(200));
    expect(ewma.cost(at(1))).toBe(200_000);
  });

  it("rtt below the cost: drawn down by the time since the last observation", () => {
    const ewma = new PeakEwma(at(0));
    ewma.observe(at(0), millis(100));
    ewma.observe(at(10), millis(50));
    // w = exp(-1) = 0.36787944: 100 000 × w + 50 000 × (1 - w) = 36 787.944 + 31 606.028
    expect(ewma.cost(at(10))).toBeCloseTo(68_393.972, 3);
    ewma.observe(at(12), millis(10));
    // w = exp(-0.2) = 0.81873075: 68 393.972 × w + 10 000 × (1 - w) = 55 996.248 + 1 812.692
    expect(ewma.cost(at(12))).toBeCloseTo(57_808.94, 2);
  });

  it("no time between observations: a lower rtt changes nothing", () => {
    const ewma = new PeakEwma(at(0));
    ewma.observe(at(0), millis(1));
    expect(ewma.cost(at(0))).toBe(30_000);
  });

  it("read many times: the value is that of one read", () => {
    const read = new PeakEwma(at(0));
    const unread = new PeakEwma(at(0));
    for (let s = 1; s < 10; s++) read.cost(at(s));
    read.observe(at(10), millis(5));
    unread.observe(at(10), millis(5));
    expect(read.cost(at(10))).toBe(unread.cost(at(10)));
  });

  it("quick failure: at least the cost of an unknown endpoint, and no decay for the time before", () => {
    const quick = new PeakEwma(at(0));
    quick.observe(at(100), millis(1));
    expect(quick.cost(at(100))).toBeLessThan(1_100);
    quick.observeFailure(at(101), millis(1));
    expect(quick.cost(at(101))).toBe(30_000);

    const slow = new PeakEwma(at(0));
    slow.observe(at(0), millis(400));
    slow.observeFailure(at(50), millis(1));
    expect(slow.cost(at(50))).toBe(400_000);
    slow.observeFailure(at(51), seconds(2));
    expect(slow.cost(at(51))).toBe(2_000_000);
  });

  it("given up: raises the cost where it took longer, never lowers it", () => {
    const ewma = new PeakEwma(at(0));
    ewma.observeAtLeast(at(10), millis(1));
    expect(ewma.cost(at(0))).toBe(30_000);
    ewma.observeAtLeast(at(10), millis(90));
    expect(ewma.cost(at(10))).toBe(90_000);
  });

  it("a clock that stands still or behind: no decay, no growth", () => {
    const ewma = new PeakEwma(at(5));
    expect(ewma.cost(at(4))).toBe(30_000);
  });
});
