import { expect, test } from "vitest";
import { type Instant, millis, seconds } from "../../../core/time.ts";
import { RttEstimator } from "./rtt-estimator.ts";

const bounds = { minRto: millis(200), maxRto: seconds(120), initialRto: seconds(1) };
const at = (us: number): Instant => us as Instant;

test("no sample: rto is the initial one, and 3 s after a lost syn", () => {
  const rtt = new RttEstimator(bounds);
  expect(rtt.rto).toBe(1_000_000);
  rtt.onSynLost();
  expect(rtt.rto).toBe(3_000_000); // RFC 6298 §5.7
});

test("first and second sample: the formulas of RFC 6298 §2.2 and §2.3", () => {
  const rtt = new RttEstimator(bounds);
  rtt.onSample(at(0), 100_000);
  expect([rtt.srtt, rtt.rttvar, rtt.rto]).toEqual([100_000, 50_000, 300_000]);
  rtt.onSample(at(100_000), 180_000);
  // rttvar = 3/4 · 50 + 1/4 · 80 ms, srtt = 7/8 · 100 + 1/8 · 180 ms
  expect([rtt.srtt, rtt.rttvar]).toEqual([110_000, 57_500]);
  expect(rtt.rto).toBe(340_000);
});

test("even samples: rto keeps the floor above srtt", () => {
  const rtt = new RttEstimator(bounds);
  for (let i = 0; i < 200; i++) rtt.onSample(at(i * 300_000), 300_000);
  expect(rtt.rto).toBe(500_000);
});

test("many samples a round trip: a step is followed no faster than with one", () => {
  const rtt = new RttEstimator(bounds);
  rtt.onSample(at(0), 100_000);
  for (let t = 0; t <= 400_000; t += 1_000) rtt.onSample(at(t), 100_000);
  for (let t = 401_000; t < 501_000; t += 1_000) rtt.onSample(at(t), 200_000);
  expect(rtt.srtt).toBeGreaterThan(105_000);
  expect(rtt.srtt).toBeLessThan(120_000); // one sample would make 112.5 ms
});

test("backoff: doubles up to the maximum", () => {
  const rtt = new RttEstimator(bounds);
  expect([0, 1, 3, 6, 7, 40].map((n) => rtt.backedOff(n))).toEqual([
    1_000_000, 2_000_000, 8_000_000, 64_000_000, 120_000_000, 120_000_000,
  ]);
});

test("path grown longer: the least rtt is forgotten after ten seconds, not before", () => {
  const rtt = new RttEstimator(bounds);
  rtt.onSample(at(0), 10_000);
  for (let t = 100_000; t < 10_000_000; t += 100_000) rtt.onSample(at(t), 50_000);
  expect(rtt.minRtt).toBe(10_000);
  rtt.onSample(at(10_100_000), 60_000);
  expect(rtt.minRtt).toBe(50_000);
});
