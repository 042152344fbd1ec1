import { expect, test } from "vitest";
import { seconds } from "../../../core/time.ts";
import { Cubic } from "./cubic.ts";
import { ack, at, MSS, round, us } from "./testing/acks.ts";

/** In congestion avoidance after a loss at `segments`, at time 0. */
function reduced(segments: number): Cubic {
  const cubic = new Cubic(MSS);
  cubic.startAt(segments * MSS);
  cubic.onCongestion(at(0), "loss", segments * MSS);
  cubic.onRecovered(at(0));
  return cubic;
}

test("loss: ssthresh and window are 0.7 of flight (RFC 9438 §4.6)", () => {
  const cubic = reduced(100);
  expect([cubic.ssthresh, cubic.cwnd]).toEqual([70 * MSS, 70 * MSS]);
});

test("long path: the window is back at W_max after K seconds, flat there, and convex after", () => {
  const cubic = reduced(1000);
  // K = cbrt(W_max (1 − 0.7) / 0.4) = cbrt(750) = 9.0856 s (RFC 9438 §4.2)
  const rtt = 200_000;
  const windows: number[] = [];
  for (let t = 0; t < 14_000_000; t += rtt) {
    round(cubic, t, rtt);
    windows.push(cubic.cwnd / MSS);
  }
  const when = (s: number): number => windows[Math.round((s * 1e6) / rtt) - 1]!;
  expect(when(9)).toBeGreaterThan(985);
  expect(when(9)).toBeLessThan(1005);
  // W_cubic(5) = 0.4 (5 − 9.0856)³ + 1000 = 972.7; W_cubic(12) = 0.4 · 2.9144³ + 1000 = 1009.9
  expect(when(5)).toBeGreaterThan(968);
  expect(when(5)).toBeLessThan(976);
  expect(when(12)).toBeGreaterThan(1006);
  expect(when(12)).toBeLessThan(1014);
});

test("short path: grows like AIMD with alpha 0.529, then like Reno (RFC 9438 §4.3)", () => {
  const cubic = reduced(20);
  for (let i = 0; i < 10; i++) round(cubic, i * 1000, 1000);
  // Ten round trips of 1 ms: the cubic curve has not moved, W_est = 14 + 10 · 0.529
  expect(cubic.cwnd / MSS).toBeGreaterThan(18.5);
  expect(cubic.cwnd / MSS).toBeLessThan(19.7);
  for (let i = 10; i < 20; i++) round(cubic, i * 1000, 1000);
  expect(cubic.cwnd / MSS).toBeGreaterThan(26);
});

test("second loss below W_max: fast convergence lowers what it aims at (RFC 9438 §4.7)", () => {
  const cubic = reduced(1000);
  cubic.onCongestion(at(1000), "loss", 700 * MSS);
  cubic.onRecovered(at(1000));
  // W_max = 700 (1 + 0.7) / 2 = 595; K = cbrt((595 − 490) / 0.4) = 6.4 s
  for (let t = 0; t < 6_400_000; t += 200_000) round(cubic, t, 200_000);
  expect(cubic.cwnd / MSS).toBeGreaterThan(585);
  expect(cubic.cwnd / MSS).toBeLessThan(600);
});

test("timeout: one segment, then slow start to 0.7 of flight without hystart", () => {
  const cubic = new Cubic(MSS);
  cubic.onTimeout(at(0), 10 * MSS);
  expect([cubic.cwnd, cubic.ssthresh]).toEqual([MSS, 7 * MSS]);
  for (let i = 0; i < 3; i++) round(cubic, i * 1000, 1000 * (i + 1));
  expect(Math.floor(cubic.cwnd / MSS)).toBe(7); // the last of them in congestion avoidance
});

test("spurious loss: window, threshold and curve come back", () => {
  const cubic = new Cubic(MSS);
  const { cwnd, ssthresh } = cubic;
  cubic.onCongestion(at(0), "loss", cwnd);
  cubic.onSpurious(at(1));
  expect([cubic.cwnd, cubic.ssthresh]).toEqual([cwnd, ssthresh]);
});

test("application-limited for a while: the curve stands still (RFC 9438 §5.8)", () => {
  const paused = reduced(1000);
  const running = reduced(1000);
  round(paused, 0, 100_000);
  round(running, 0, 100_000);
  for (let t = 200_000; t <= 5_100_000; t += 100_000) {
    paused.onAck(at(t), ack({ cwndLimited: false, smoothedRtt: us(100_000) }));
  }
  round(paused, 5_100_000, 100_000);
  round(running, 100_000, 100_000);
  expect(Math.abs(paused.cwnd - running.cwnd)).toBeLessThan(2 * MSS);
});

test("idle for longer than rto: the initial window, slow start up to what was learnt", () => {
  const cubic = reduced(100);
  cubic.onIdle(at(0), seconds(2), seconds(1));
  expect([cubic.cwnd, cubic.ssthresh]).toEqual([10 * MSS, 70 * MSS]);
});
