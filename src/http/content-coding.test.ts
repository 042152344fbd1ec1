import fc from "fast-check";
import { expect, test } from "vitest";
import { AcceptedCodings } from "./content-coding.ts";

fc.configureGlobal({ seed: 20_261_121, numRuns: 500 });

const ours = ["zstd", "br", "gzip"] as const;

test.each<[string | undefined, string | null]>([
  [undefined, null],
  ["", null],
  ["identity", null],
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["GZip", "gzip"],
  ["gzip, deflate, br, zstd", "zstd"],
  ["gzip, deflate, br", "br"],
  ["gzip;q=1.0, br;q=0.8", "gzip"],
  ["br;q=0.8, gzip;q=0.8", "br"],
  ["br ; Q=0.5 ,\tgzip ; q=0.6", "gzip"],
  ["gzip;q=0", null],
  ["gzip;q=0.000, br;q=0.001", "br"],
  ["*", "zstd"],
  ["*;q=0", null],
  ["zstd;q=0, *", "br"],
  ["gzip;q=0.3, *;q=0.5", "zstd"],
  ["gzip, *;q=0", "gzip"],
  ["identity;q=0", null],
  ["identity;q=0, *;q=0.1", "zstd"],
  ["identity, gzip;q=0.5", null],
  ["identity, gzip", "gzip"],
  ["identity;q=0.5, gzip;q=0.5", "gzip"],
  ["gzip;q=2", null],
  ["gzip;q=-1", null],
  ["gzip;q=abc", null],
  ["gzip;q=0.1234", null],
  ["gzip, gzip;q=0", "gzip"],
  ["deflate, compress", null],
  [",, gzip ,", "gzip"],
  ["gzip;level=9", "gzip"],
])("Accept-Encoding %j, of zstd, br and gzip: %j", (header, expected) => {
  expect(new AcceptedCodings(header).choose(ours)).toBe(expected);
});

test.each<[string | undefined, number]>([
  [undefined, 1],
  ["gzip", 1],
  ["identity;q=0", 0],
  ["*;q=0", 0],
  ["*;q=0, identity", 1000],
  ["*;q=0.5", 1],
  ["identity;q=0.25", 250],
])("Accept-Encoding %j, the plain form weighs %j", (header, weight) => {
  expect(new AcceptedCodings(header).identity).toBe(weight);
});

test("any weights: what is chosen is acceptable, and nothing on offer weighs more", () => {
  const weight = fc.integer({ min: 0, max: 1000 }).map((n) => (n / 1000).toString());
  const member = fc
    .tuple(fc.constantFrom("gzip", "br", "zstd", "identity", "*", "lzma"), weight)
    .map(([name, q]) => `${name};q=${q}`);
  fc.assert(
    fc.property(
      fc.array(member, { maxLength: 7 }),
      fc.shuffledSubarray([...ours]),
      (list, offer) => {
        const accepted = new AcceptedCodings(list.join(","));
        const chosen = accepted.choose(offer);
        const heaviest = Math.max(0, ...offer.map((coding) => accepted.weight(coding)));
        if (chosen === null) return;
        expect(accepted.weight(chosen)).toBe(heaviest);
        expect(heaviest).toBeGreaterThan(0);
      },
    ),
  );
});

test("any text at all: never throws, and chooses of the offer or nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 60 }), (text) => {
      expect([...ours, null]).toContain(new AcceptedCodings(text).choose(ours));
    }),
  );
});
