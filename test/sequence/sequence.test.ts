import { afterEach, describe, expect, test } from "vitest";
import { violationsOf } from "./checks.ts";
import { forgetContents } from "./content.ts";
import { play } from "./run.ts";

/** `SEQUENCE_SEED=7 npx vitest run test/sequence` plays that seed alone and shows every event. */
const one = process.env.SEQUENCE_SEED;
/** `SEQUENCE_RUNS=100000`, `SEQUENCE_FIRST=5000`: a longer search, from another seed on. */
const runs = Number(process.env.SEQUENCE_RUNS ?? 1_200);
const first = Number(process.env.SEQUENCE_FIRST ?? 1);
const block = 50;

afterEach(forgetContents);

if (one === undefined) {
  describe("client, proxy and origin under random conditions", () => {
    const starts = Array.from({ length: Math.ceil(runs / block) }, (_, i) => first + i * block);

    test.each(starts)(
      "seeds from %i on, every invariant holds",
      async (start) => {
        const end = Math.min(start + block, first + runs);
        for (let seed = start; seed < end; seed++) await check(seed);
      },
      300_000,
    );

    test.each([1, 2, 3, 4, 5, 6, 7, 8])("seed %i twice, the same events", async (seed) => {
      const { hash } = await play(seed);
      forgetContents();
      expect((await play(seed)).hash).toBe(hash);
    });
  });
} else {
  test(`seed ${one}, every invariant holds`, async () => {
    const played = await play(Number(one), (line) => console.log(line));
    console.log(JSON.stringify(played.scenario, null, 1));
    console.log(JSON.stringify(played.recorder.requests, null, 1));
    expect(violationsOf(played)).toEqual([]);
  });
}

async function check(seed: number): Promise<void> {
  const violations = violationsOf(await play(seed));
  forgetContents();
  const replay = `replay with SEQUENCE_SEED=${seed} npx vitest run test/sequence`;
  expect(violations, replay).toEqual([]);
}
