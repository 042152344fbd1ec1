import { expect, test } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import { Bbr } from "./bbr.ts";
import { ack, at, MSS, us } from "./testing/acks.ts";

const RATE = 10_000_000;
const RTT = 10_000;

/** Rounds of one ACK each, which deliver a window at `rate`. */
function rounds(bbr: Bbr, from: number, count: number, rate = RATE, lost = 0): number {
  let now = from;
  for (let i = 0; i < count; i++) {
    now += RTT;
    bbr.onSent(at(now), bbr.cwnd, bbr.cwnd);
    bbr.onAck(
      at(now),
      ack({
        delivered: bbr.cwnd - lost,
        lost,
        deliveryRate: rate,
        rtt: us(RTT),
        roundStart: true,
        priorInFlight: bbr.cwnd,
        inFlight: (rate * RTT) / 1e6 - 1,
      }),
    );
  }
  return now;
}

test("rate flat for three rounds: startup, drain, probe-bw", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  expect(bbr.phase).toBe("startup");
  rounds(bbr, 0, 3);
  expect(bbr.phase).toBe("startup");
  rounds(bbr, 3 * RTT, 3);
  expect(bbr.phase).toBe("probe-bw");
  expect(bbr.cwnd).toBeLessThan((2.5 * RATE * RTT) / 1e6);
});

test("probe-bw: the gains 1.25 and 0.75 follow each other around the rate", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  let now = rounds(bbr, 0, 8);
  const rates = new Set<number>();
  for (let i = 0; i < 30; i++) {
    now = rounds(bbr, now, 1);
    rates.add(Math.round((bbr.pacingRate / RATE) * 100) / 100);
  }
  expect([...rates].sort()).toEqual([0.74, 0.99, 1.24]);
});

test("least rtt ten seconds old: probe-rtt with four segments for 200 ms", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  let now = rounds(bbr, 0, 8);
  const slower = { delivered: MSS, deliveryRate: RATE, rtt: us(2 * RTT), roundStart: true };
  now += 10_100_000;
  bbr.onAck(at(now), ack({ ...slower, inFlight: MSS }));
  expect([bbr.phase, bbr.cwnd]).toEqual(["probe-rtt", 4 * MSS]);
  bbr.onAck(at(now + 199_000), ack({ ...slower, inFlight: MSS }));
  expect(bbr.phase).toBe("probe-rtt");
  bbr.onAck(at(now + 201_000), ack({ ...slower, inFlight: MSS }));
  expect(bbr.phase).toBe("probe-bw");
  expect(bbr.cwnd).toBeGreaterThan(20 * MSS);
});

test("startup, a round with six ACKs that tell of losses: it ends, and a BDP is the bound", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  const now = rounds(bbr, 0, 2);
  for (let i = 1; i <= 6; i++) bbr.onAck(at(now + i), ack({ lost: MSS, inFlight: bbr.cwnd }));
  expect(bbr.phase).toBe("startup");
  rounds(bbr, now, 1);
  expect(bbr.phase).not.toBe("startup");
  expect(bbr.cwnd).toBeLessThanOrEqual((1.25 * RATE * RTT) / 1e6);
});

test("startup, a round that loses a tenth by one ACK: goes on, as that may be chance", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  const now = rounds(bbr, 0, 2);
  const { cwnd } = bbr;
  rounds(bbr, now, 1, RATE, Math.trunc(cwnd / 10));
  expect(bbr.phase).toBe("startup");
  expect(bbr.cwnd).toBeGreaterThan(cwnd);
});

test("probe-bw, each round loses a twentieth: what is in flight stays at a BDP, probes go above", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  const bdp = (RATE * RTT) / 1e6;
  let now = rounds(bbr, 0, 8);
  const windows: number[] = [];
  for (let i = 0; i < 100; i++) {
    now = rounds(bbr, now, 1, RATE, bbr.cwnd / 20);
    windows.push(bbr.cwnd);
  }
  expect(Math.min(...windows.slice(2))).toBeGreaterThanOrEqual(bdp);
  expect(Math.max(...windows.slice(2))).toBeGreaterThanOrEqual(1.2 * bdp);
  expect(Math.max(...windows.slice(2))).toBeLessThanOrEqual(1.3 * bdp);
});

test("application-limited samples below the best: the rate does not fall", () => {
  const bbr = new Bbr(MSS, new SeededRng(1));
  const now = rounds(bbr, 0, 8);
  const { pacingRate } = bbr;
  for (let i = 1; i <= 5; i++) {
    bbr.onAck(at(now + i), ack({ deliveryRate: RATE / 10, appLimited: true, rtt: us(RTT) }));
  }
  expect(bbr.pacingRate).toBe(pacingRate);
});
