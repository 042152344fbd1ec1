import { expect, test } from "vitest";
import { seqAdd } from "../../../wire/seq.ts";
import { type Packet, Path, type PathOptions } from "./testing/path.ts";

const MSS = 1460;

/** Ordinals of the path's transmissions that are lost. */
function path(lost: readonly number[], options: Partial<PathOptions> = {}): Path {
  const fate = (packet: Packet) => (lost.includes(packet.ordinal) ? "drop" : "pass");
  return new Path({ fate, ...options });
}

/** How often the segment that starts `n` segments after the first was sent. */
const times = (p: Path, n: number): number => {
  const start = seqAdd(p.options.iss, n * MSS);
  return p.sent.filter((packet) => packet.start === start).length;
};

const repeats = (p: Path): number => {
  const seen = new Set<number>();
  let count = 0;
  for (const packet of p.sent) {
    if (seen.has(packet.start)) count++;
    seen.add(packet.start);
  }
  return count;
};

test("rack: one loss in a window is repaired in a round trip, and nothing else is sent again", () => {
  const p = path([2], { bytes: 20 * MSS });
  p.run();
  expect([p.done, times(p, 2), repeats(p)]).toEqual([true, 2, 1]);
  expect(p.outcomes).not.toContain("rto");
  expect(p.recovery.congestion.ssthresh).toBeLessThan(20 * MSS);
});

test("rack: a retransmission that is lost, too, is found without a timeout", () => {
  // Ten segments go at first, ten more meanwhile; the 3rd is lost twice.
  let dropped = 0;
  const p = new Path({
    bytes: 200 * MSS,
    fate: (packet) =>
      packet.start === seqAdd(p.options.iss, 2 * MSS) && dropped++ < 2 ? "drop" : "pass",
  });
  p.run();
  expect([p.done, times(p, 2)]).toEqual([true, 3]);
  expect(p.outcomes).not.toContain("rto");
});

test("rack: a segment late by less than the reordering window is no loss", () => {
  const late = (packet: Packet) => (packet.ordinal === 8 ? 4_000 : "pass");
  const p = new Path({ bytes: 10 * MSS, fate: late }); // window: 20 ms / 4
  p.run();
  expect([p.done, repeats(p)]).toEqual([true, 0]);
});

test("rack: reordering once seen lets later gaps of several segments pass", () => {
  // The first late segment comes before three are SACKed; the second stays out longer.
  const late = (packet: Packet) =>
    packet.ordinal === 8 ? 100 : packet.ordinal === 12 ? 3_000 : "pass";
  const p = new Path({ bytes: 40 * MSS, fate: late });
  p.run();
  expect([p.done, repeats(p)]).toEqual([true, 0]);
});

test("tail lost: a probe repeats it after two round trips, long before the timeout", () => {
  const p = path([8, 9], { bytes: 10 * MSS });
  p.run();
  expect([p.done, times(p, 8), times(p, 9)]).toEqual([true, 2, 2]);
  expect(p.outcomes).toContain("probe");
  expect(p.outcomes).not.toContain("rto");
  expect(p.now).toBeLessThan(150_000);
});

test("several of the tail lost: the probe's SACK starts recovery instead of a timeout", () => {
  const p = path([6, 7, 8, 9], { bytes: 10 * MSS });
  p.run();
  expect(p.done).toBe(true);
  expect(p.outcomes).toContain("probe");
  expect(p.outcomes).not.toContain("rto");
});

test("lost tail of a super-segment: the probe is one segment", () => {
  const p = path([9], { bytes: 10 * MSS, maxPacket: 10 * MSS });
  p.run();
  expect([p.done, repeats(p), times(p, 9)]).toEqual([true, 1, 2]);
});

test("no sack, three duplicates: fast retransmit, then one hole for each partial ack (RFC 6582)", () => {
  const p = path([2, 5], { bytes: 30 * MSS, sack: false });
  p.run();
  expect([p.done, times(p, 2), times(p, 5), repeats(p)]).toEqual([true, 2, 2, 2]);
  expect(p.outcomes).not.toContain("rto");
});

test("no sack, small window: limited transmit finds the third duplicate (RFC 3042)", () => {
  const p = path([0], { bytes: 20 * MSS, sack: false });
  p.recovery.congestion.startAt(3 * MSS);
  p.run();
  expect(p.done).toBe(true);
  expect(p.outcomes).not.toContain("rto");
});

test("everything lost: timeouts double, the first segment alone goes again", () => {
  let at = 0;
  const instants: number[] = [];
  const p = new Path({
    bytes: 10 * MSS,
    sack: false,
    fate: (packet) => {
      if (packet.sentAt > at) instants.push(packet.sentAt);
      at = packet.sentAt;
      return packet.sentAt < 2_000_000 ? "drop" : "pass";
    },
  });
  p.run();
  expect(p.done).toBe(true);
  const gaps = instants.slice(2, 4).map((t, i) => t - instants[i + 1]!);
  expect(gaps[1]! / gaps[0]!).toBeCloseTo(2, 1);
});

/** From 20 ms on the path stands still for a second. */
const spike = ({ sentAt }: Packet): number | "pass" =>
  sentAt > 20_000 && sentAt < 1_020_000 ? 1_020_000 - sentAt : "pass";

test.each([true, false])("delay spike (sack %s): f-rto takes the timeout back", (sack) => {
  const p = new Path({
    bytes: 100 * MSS,
    sack,
    timestamps: false,
    settings: { rack: false },
    fate: spike,
  });
  let before = 0;
  p.check = () => {
    if (!p.outcomes.includes("rto")) before = p.recovery.congestion.cwnd;
  };
  p.run();
  expect(p.done).toBe(true);
  expect(p.outcomes).toContain("rto");
  expect(p.recovery.congestion.cwnd).toBeGreaterThanOrEqual(before);
  expect(repeats(p)).toBeLessThanOrEqual(3);
});

test("delay spike with timestamps: eifel takes the timeout back at the first ack", () => {
  const p = new Path({
    bytes: 60 * MSS,
    sack: false,
    fate: spike,
  });
  p.run();
  expect(p.outcomes).toContain("rto");
  expect(repeats(p)).toBeLessThanOrEqual(3);
  expect(p.recovery.congestion.ssthresh).toBeGreaterThan(1 << 30);
});

test("reordering beyond the window: the d-sack undoes the reduction", () => {
  const p = new Path({
    bytes: 40 * MSS,
    timestamps: false,
    fate: (packet) => (packet.ordinal === 2 ? 15_000 : "pass"),
  });
  p.run();
  expect([p.done, times(p, 2)]).toEqual([true, 2]);
  expect(p.recovery.congestion.ssthresh).toBeGreaterThan(1 << 30);
});

test("ecn-echo: the window comes down once in a round trip, and nothing is sent again", () => {
  const p = path([], { bytes: 60 * MSS });
  p.ece = true;
  p.run(25_000);
  const { ssthresh } = p.recovery;
  expect(ssthresh).toBe(Math.trunc(10 * MSS * 0.7));
  expect(p.recovery.windowReduced).toBe(true);
  p.ece = false;
  p.run();
  expect([p.done, repeats(p)]).toEqual([true, 0]);
});

test("path mtu reduced: all in flight goes again in smaller segments, the window stays", () => {
  const small = 1000;
  let reduced = false;
  const p = new Path({
    bytes: 30 * MSS,
    fate: (packet) => (!reduced && packet.sentAt < 5_000 ? "drop" : "pass"),
  });
  p.run(2);
  reduced = true;
  const { cwnd } = p.recovery;
  p.recovery.onPathMtuReduced(p.now, small);
  expect(p.recovery.inFlight).toBe(0);
  expect(p.recovery.congestion.cwnd).toBe(cwnd);
  p.transmit();
  p.run();
  expect(p.done).toBe(true);
  expect(p.outcomes).not.toContain("rto");
});

test("dupthresh (RFC 6675): three runs or three segments above make a loss, not two", () => {
  const two = path([7], { bytes: 10 * MSS, settings: { rack: false } });
  two.run();
  expect(two.outcomes).toContain("rto"); // only two came after it
  const three = path([6], { bytes: 10 * MSS, settings: { rack: false } });
  three.run();
  expect([three.done, times(three, 6)]).toEqual([true, 2]);
  expect(three.outcomes).not.toContain("rto");
});

test("idle after a transfer: no deadline, and nothing in flight", () => {
  const p = path([], { bytes: 10 * MSS });
  p.run();
  expect([p.recovery.isEmpty, p.recovery.inFlight]).toEqual([true, 0]);
  expect(p.recovery.nextTimeout()).toBe(Number.MAX_SAFE_INTEGER);
});

test("super-segments: small allowances are gathered into larger packets", () => {
  const starts = (maxPacket: number): number => {
    const p = new Path({ bytes: 3_000_000, rate: 12_500_000, maxPacket });
    let sends = 0;
    const { recovery } = p;
    const onSent = recovery.onSent.bind(recovery);
    recovery.onSent = (...args) => {
      sends++;
      onSent(...args);
    };
    p.run();
    return sends;
  };
  expect(starts(44 * MSS) * 3).toBeLessThan(starts(MSS));
});

test("bbr: paces near the bottleneck's rate and keeps its queue short", () => {
  const rate = 12_500_000;
  const p = new Path({
    bytes: 20_000_000,
    rate,
    settings: { congestion: "bbr" },
    maxPacket: 44 * MSS,
  });
  p.run(1_000_000);
  const { congestion, rtt } = p.recovery;
  expect(congestion.pacingRate).toBeGreaterThan(0.7 * rate);
  expect(congestion.pacingRate).toBeLessThan(1.35 * rate);
  expect(rtt.srtt).toBeLessThan(45_000);
  p.run();
  expect(p.retransmitted).toBe(0);
  expect((20_000_000 * 1e6) / p.now).toBeGreaterThan(0.85 * rate);
});

test("loss of 1 %: bbr outruns cubic on a long path", () => {
  const time = (congestion: "bbr" | "cubic"): number => {
    const p = new Path({
      bytes: 5_000_000,
      rate: 12_500_000,
      loss: 0.01,
      settings: { congestion },
    });
    p.run();
    return p.now;
  };
  expect(time("bbr") * 2).toBeLessThan(time("cubic"));
});
