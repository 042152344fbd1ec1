import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRng } from "../../../core/random.ts";
import type { Duration, Instant } from "../../../core/time.ts";
import { type Seq, seq, seqAdd } from "../../../wire/seq.ts";
import { TcpOptionIndex } from "../../../wire/tcp-options.ts";
import type { CongestionName } from "../congestion/congestion-control.ts";
import { DEFAULT_TCP } from "../settings.ts";
import { LossRecovery } from "./loss-recovery.ts";

const MSS = 1000;
const ISS = seq(0xffff_ff00);

/** A peer that acknowledges and SACKs what it likes, from `una` − 3000 to `una` + 60,000. */
class Harness {
  readonly recovery: LossRecovery;
  now = 1 as Instant;
  una: Seq = ISS;
  nxt: Seq = ISS;
  readonly #view = new DataView(new ArrayBuffer(40));
  readonly #options = new TcpOptionIndex();

  constructor(congestion: CongestionName, sack: boolean, rack: boolean) {
    const settings = { ...DEFAULT_TCP, congestion, rack };
    this.recovery = new LossRecovery(new SeededRng(5), settings, MSS, ISS);
    this.recovery.configure({ sack, timestamps: true, mss: MSS });
    this.recovery.onHandshakeRtt(this.now, 10_000 as Duration, 0);
  }

  send(size: number): void {
    const allowance = this.recovery.sendAllowance(this.now, size);
    if (allowance === 0) return;
    const end = seqAdd(this.nxt, Math.min(size, allowance));
    this.recovery.onSent(this.now, this.nxt, end, size % 2 === 0);
    this.nxt = end;
  }

  resend(size: number, newDataReady: boolean): void {
    for (let i = 0; ; i++) {
      expect(i).toBeLessThan(10_000);
      const s = this.recovery.nextRetransmission(this.now, newDataReady);
      if (s === null) return;
      const end = s.length > size ? seqAdd(s.start, size) : s.end;
      this.recovery.onRetransmitted(this.now, s, end);
    }
  }

  probe(fresh: boolean): void {
    if (!this.recovery.probeDue) return;
    const last = this.recovery.probeSegment();
    if (fresh || last === null) {
      const end = seqAdd(this.nxt, MSS);
      this.recovery.onProbeSent(this.now, this.nxt, end);
      this.nxt = end;
    } else this.recovery.onProbeSent(this.now, last.start, last.end);
  }

  ack(advance: number, blocks: readonly (readonly [number, number])[], flags: number): void {
    const previous = this.una;
    this.una = seqAdd(previous, Math.min(advance, (this.nxt - previous) | 0));
    this.#view.setUint16(0, 0x0101);
    this.#view.setUint8(2, 5);
    this.#view.setUint8(3, 2 + 8 * blocks.length);
    blocks.forEach(([from, length], i) => {
      this.#view.setUint32(4 + 8 * i, seqAdd(this.una, from));
      this.#view.setUint32(8 + 8 * i, seqAdd(this.una, from + length));
    });
    this.#options.read(this.#view, 0, blocks.length === 0 ? 0 : 4 + 8 * blocks.length);
    this.recovery.onAck(
      this.now,
      previous,
      this.una,
      this.#options,
      flags & 1,
      (flags & 2) !== 0,
      (flags & 4) !== 0,
      (flags * 1000) as Duration,
    );
  }

  check(): void {
    const { recovery } = this;
    const outstanding = (this.nxt - this.una) | 0;
    expect(recovery.isEmpty).toBe(outstanding === 0);
    expect(recovery.inFlight).toBeGreaterThanOrEqual(0);
    expect(recovery.inFlight).toBeLessThanOrEqual(outstanding);
    expect(recovery.congestion.cwnd).toBeGreaterThanOrEqual(MSS);
    expect(recovery.rtt.rto).toBeGreaterThanOrEqual(DEFAULT_TCP.minRto);
    if (outstanding > 0) expect(recovery.nextTimeout()).toBeLessThan(this.now + 121_000_000);
  }
}

const block = fc.tuple(
  fc.integer({ min: -3000, max: 60_000 }),
  fc.integer({ min: -10, max: 9000 }),
);
const step = fc.record({
  name: fc.constantFrom("send", "ack", "ack", "sack", "wait", "timeout", "resend", "probe", "mtu"),
  size: fc.integer({ min: 1, max: 30_000 }),
  blocks: fc.array(block, { maxLength: 4 }),
  flags: fc.nat(7),
});

test.each([
  ["newreno", false, true],
  ["cubic", true, true],
  ["cubic", true, false],
  ["bbr", true, true],
] as const)(
  "%s, sack %s, rack %s: whatever a peer acknowledges, it stays sound",
  (name, sack, rack) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const harness = new Harness(name, sack, rack);
        for (const { name, size, blocks, flags } of steps) {
          harness.now = (harness.now + (size % 7) * 300) as Instant;
          if (name === "send") harness.send(size);
          else if (name === "ack") harness.ack(size, [], flags);
          else if (name === "sack") harness.ack(size % 3 === 0 ? size : 0, blocks, flags);
          else if (name === "wait") harness.now = (harness.now + size * 100) as Instant;
          else if (name === "resend") harness.resend(size, flags > 3);
          else if (name === "probe") harness.probe(flags > 3);
          else if (name === "mtu" && flags === 0) {
            harness.recovery.onPathMtuReduced(harness.now, MSS);
          } else if (name === "timeout") {
            const at = harness.recovery.nextTimeout();
            if (at < harness.now + 200_000_000) harness.now = Math.max(at, harness.now) as Instant;
            harness.recovery.handleTimeout(harness.now);
          }
          harness.check();
        }
        // What is left is acknowledged at last.
        harness.resend(MSS, false);
        harness.ack((harness.nxt - harness.una) | 0, [], 0);
        harness.check();
        expect(harness.recovery.inFlight).toBe(0);
      }),
      { seed: 9438, numRuns: 300 },
    );
  },
);
