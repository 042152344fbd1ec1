import { expect, test } from "vitest";
import { Path, type PathOptions } from "./testing/path.ts";

const MSS = 1460;

function run(options: Partial<PathOptions>): Path {
  const path = new Path(options);
  path.check = () => invariants(path);
  path.run();
  return path;
}

/** What holds after each step, whatever the path does. */
function invariants(path: Path): void {
  const { recovery } = path;
  expect(recovery.inFlight).toBeGreaterThanOrEqual(0);
  expect(recovery.inFlight).toBeLessThanOrEqual((path.nxt - path.una) | 0);
  expect(recovery.congestion.cwnd).toBeGreaterThanOrEqual(path.options.mss);
  if (!recovery.isEmpty) expect(recovery.nextTimeout()).toBeLessThan(path.now + 200_000_000);
}

const NAMES = ["newreno", "cubic", "bbr"] as const;

test.each(NAMES)("%s, clean path: everything is sent once", (congestion) => {
  const path = run({ settings: { congestion } });
  expect(path.done).toBe(true);
  expect(path.retransmitted).toBe(0);
  expect(path.outcomes).not.toContain("rto");
  expect(path.outcomes).not.toContain("lost");
});

test.each(NAMES)("%s, super-segments over a clean path: everything is sent once", (congestion) => {
  const path = run({ settings: { congestion }, maxPacket: 44 * MSS, bytes: 5_000_000 });
  expect(path.done).toBe(true);
  expect(path.retransmitted).toBe(0);
});

for (const congestion of NAMES) {
  for (const sack of [true, false]) {
    for (const rack of sack ? [true, false] : [true]) {
      for (const maxPacket of [MSS, 30 * MSS]) {
        const name = `${congestion}, sack ${sack}, rack ${rack}, packets of ${maxPacket}`;
        test(`${name}: chance losses, reordering and lost acks end in delivery`, () => {
          for (let seed = 1; seed <= 6; seed++) {
            const path = run({
              seed,
              sack,
              maxPacket,
              bytes: 300_000,
              loss: [0.01, 0.05, 0.2][seed % 3]!,
              ackLoss: 0.05,
              reorder: seed > 3 ? 0.05 : 0,
              timestamps: seed % 2 === 0,
              settings: { congestion, rack },
            });
            expect(path.done, `seed ${seed}`).toBe(true);
          }
        });
      }
    }
  }
}
