import { beforeAll, describe, expect, test } from "vitest";
import { type Duration, seconds } from "../../src/core/time.ts";
import type { CongestionName } from "../../src/netstack/public.ts";
import { BANDWIDTH, bulkTransfer, type Outcome } from "./matrix/bulk-transfer.ts";
import { table } from "./matrix/table.ts";

/** Round trips in milliseconds. The first quarter of a run has to suffice for slow start and its losses. */
const DURATIONS: ReadonlyMap<number, Duration> = new Map([
  [1, seconds(1)],
  [20, seconds(4)],
  [100, seconds(12)],
]);
/** Where losses keep the window small, few frames are sent: long runs cost little and even chance out. */
const PATIENCE = 5;
const LOSSES = [0, 0.001, 0.01, 0.05];
const CONTROLS: readonly CongestionName[] = ["newreno", "cubic", "bbr"];
const SEED = 20_261_121;
const PAYLOAD = 1448;

const outcomes: Outcome[] = [];
const rate = (congestion: CongestionName, rtt: number, loss: number): number =>
  outcomes.find((o) => o.congestion === congestion && o.rtt === rtt && o.loss === loss)!.rate;

beforeAll(() => {
  for (const [rtt, duration] of DURATIONS) {
    for (const loss of LOSSES) {
      for (const congestion of CONTROLS) {
        const small = congestion !== "bbr" && loss > (rtt > 1 ? 0 : 0.01);
        const whole = (small ? PATIENCE * duration : duration) as Duration;
        outcomes.push(bulkTransfer({ congestion, rtt, loss }, SEED, whole));
      }
    }
  }
}, 120_000);

/**
 * Simulations repeat exactly, so any change of these figures is a change of behaviour: look at it, explain
 * it in the commit, and write the file anew with `vitest -u`.
 */
test("goodput by congestion control, round trip and loss: as it was", async () => {
  await expect(table(outcomes)).toMatchFileSnapshot("throughput-matrix.txt");
});

describe("whatever the figures are", () => {
  test.each(CONTROLS)("%s, no loss: nine tenths of the link and more", (congestion) => {
    for (const rtt of DURATIONS.keys()) {
      expect(rate(congestion, rtt, 0)).toBeGreaterThan(0.9 * 8 * BANDWIDTH);
    }
  });

  test("cubic, a long path: no slower than newreno", () => {
    for (const loss of LOSSES) {
      expect(rate("cubic", 100, loss)).toBeGreaterThanOrEqual(0.98 * rate("newreno", 100, loss));
    }
  });

  test("bbr, losses by chance: the fastest, and at one percent nearly as fast as without", () => {
    for (const rtt of DURATIONS.keys()) {
      for (const loss of [0.01, 0.05]) {
        const others = Math.max(rate("newreno", rtt, loss), rate("cubic", rtt, loss));
        expect(rate("bbr", rtt, loss)).toBeGreaterThan(others);
      }
      expect(rate("bbr", rtt, 0.01)).toBeGreaterThan(0.85 * rate("bbr", rtt, 0));
    }
  });

  // Mathis, Semke, Mahdavi, Ott 1997: MSS / RTT · √(3 / 2p), where that is less than the link carries.
  test("newreno, losses by chance: what the square root law says", () => {
    for (const rtt of DURATIONS.keys()) {
      for (const loss of LOSSES) {
        const law = ((8 * PAYLOAD) / (rtt / 1000)) * Math.sqrt(3 / (2 * loss));
        if (law > 0.8 * 8 * BANDWIDTH) continue;
        const ratio = rate("newreno", rtt, loss) / law;
        // The law knows no timeouts and no time that it takes to send a frame, which matter at 5 %.
        expect(ratio).toBeGreaterThan(loss < 0.05 ? 0.7 : 0.5);
        expect(ratio).toBeLessThan(1.3);
      }
    }
  });

  test("segments sent again: those that were lost, and hardly one more", () => {
    for (const { repeated, lost, ...cell } of outcomes) {
      expect.soft(repeated - lost, JSON.stringify(cell)).toBeLessThan(0.0005);
    }
  });
});
