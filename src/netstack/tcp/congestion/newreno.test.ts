import { expect, test } from "vitest";
import { seconds } from "../../../core/time.ts";
import { initialWindow } from "./initial-window.ts";
import { NewReno } from "./newreno.ts";
import { ack, at, MSS, round } from "./testing/acks.ts";

test.each([
  [1460, 14_600],
  [536, 5_360],
  [8_960, 17_920],
  [1_000, 10_000],
])("segments of %i bytes: the initial window is %i", (mss, window) => {
  expect(initialWindow(mss)).toBe(window); // RFC 6928 §2
});

test("slow start: doubles each round trip, two segments at most for one ack", () => {
  const reno = new NewReno(MSS);
  round(reno, 0, 1000);
  expect(reno.cwnd).toBe(20 * MSS);
  reno.onAck(at(2000), ack({ delivered: 9 * MSS }));
  expect(reno.cwnd).toBe(22 * MSS); // RFC 3465 §2.3, L = 2
});

test("super-segments: what went as one packet counts as one", () => {
  const reno = new NewReno(MSS);
  reno.onSent(at(0), 8 * MSS, 8 * MSS);
  reno.onAck(at(2000), ack({ delivered: 8 * MSS }));
  expect(reno.cwnd).toBe(18 * MSS);
});

test("third duplicate: half of flight, then one segment a round trip", () => {
  const reno = new NewReno(MSS);
  reno.onCongestion(at(0), "loss", 20 * MSS);
  expect([reno.ssthresh, reno.cwnd]).toEqual([10 * MSS, 10 * MSS]);
  round(reno, 0, 1000);
  expect(reno.cwnd).toBe(11 * MSS);
});

test("timeout: one segment, and one for each ack until half of flight", () => {
  const reno = new NewReno(MSS);
  reno.onTimeout(at(0), 20 * MSS);
  expect([reno.ssthresh, reno.cwnd]).toEqual([10 * MSS, MSS]);
  reno.onAck(at(1), ack({ delivered: 2 * MSS }));
  expect(reno.cwnd).toBe(2 * MSS); // RFC 3465 §2.3: L = 1
});

test("spurious timeout: window and threshold come back", () => {
  const reno = new NewReno(MSS);
  const { cwnd, ssthresh } = reno;
  reno.onTimeout(at(0), 10 * MSS);
  reno.onSpurious(at(1));
  expect([reno.cwnd, reno.ssthresh]).toEqual([cwnd, ssthresh]);
});

test("application-limited: no growth", () => {
  const reno = new NewReno(MSS);
  reno.onAck(at(0), ack({ cwndLimited: false }));
  expect(reno.cwnd).toBe(10 * MSS);
});

test("idle for longer than rto: back to the initial window", () => {
  const reno = new NewReno(MSS);
  for (let i = 0; i < 3; i++) round(reno, i * 1000, 1000);
  reno.onIdle(at(0), seconds(1), seconds(2));
  expect(reno.cwnd).toBe(80 * MSS);
  reno.onIdle(at(0), seconds(3), seconds(2));
  expect(reno.cwnd).toBe(10 * MSS);
});
