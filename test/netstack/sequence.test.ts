import fc from "fast-check";
import { expect, test } from "vitest";
import { micros, millis } from "../../src/core/time.ts";
import { type Operation, TwoStacks } from "./sequence/two-stacks.ts";

/** For long runs: FUZZ_RUNS=5000; fast-check says with which seed and path one failed. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_121);
const RUNS = Number(process.env.FUZZ_RUNS ?? 120);

const who = fc.nat(3);
const client = fc.boolean();
const version = fc.constantFrom(4 as const, 6 as const);
const conditions = fc.record(
  {
    loss: fc.constantFrom(0, 0.01, 0.1, 0.3),
    corruption: fc.constantFrom(0, 0.02),
    reordering: fc.constantFrom(0, 0.2),
    reorderDelay: fc.constantFrom(millis(1), millis(30)),
    duplication: fc.constantFrom(0, 0.1),
    latency: fc.constantFrom(micros(100), millis(5), millis(150)),
    mtu: fc.constantFrom(100, 600, 1280, 1400, 1500),
  },
  { requiredKeys: [] },
);
const calls = ["pause", "resume", "resume", "end", "cork", "uncork"] as const;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("connect" as const), version }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      who,
      client,
      length: fc.oneof(fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 200_000 })),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom(...calls), who, client }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("close" as const, "abort" as const),
      who,
      client,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("conditions" as const), conditions }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("link" as const), up: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("address" as const),
      client,
      version,
      add: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      length: fc.oneof(fc.nat(20_000), fc.nat(2_000_000), fc.nat(30_000_000)).map(micros),
    }),
  },
);

test("two stacks, any operations: bytes in order, windows kept, one close each, and nothing remains", () => {
  fc.assert(
    fc.property(
      fc.nat(1 << 30),
      fc.boolean(),
      fc.array(operation, { minLength: 5, maxLength: 40 }),
      (seed, offload, operations) => {
        const stacks = new TwoStacks(seed, offload);
        stacks.perform({ kind: "connect", version: 4 });
        for (const each of operations) {
          stacks.perform(each);
          expect(stacks.faults()).toEqual([]);
        }
        stacks.finish();
        expect([...stacks.faults(), ...stacks.left()]).toEqual([]);
      },
    ),
    { seed: SEED, numRuns: RUNS },
  );
}, 3_600_000);
