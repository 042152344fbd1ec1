import { type Spread, spread } from "./statistics.ts";

/** Whose figure stands above the line of each ratio. */
const subject = "millrace";

type Turns<K extends string> = readonly Readonly<Record<K, number>>[];

/** What the turns of one peer come to, figure by figure. */
export function figuresOf<K extends string>(
  turns: Turns<K>,
  names: readonly K[],
): Readonly<Record<K, Spread>> {
  const figures = {} as Record<K, Spread>;
  for (const name of names) figures[name] = spread(turns.map((turn) => turn[name]));
  return figures;
}

/** Round by round, so that both figures of a ratio come from the same seconds. */
export const ratiosOfTurns = <K extends string>(
  ours: Turns<K>,
  theirs: Turns<K>,
  names: readonly K[],
): Readonly<Record<K, Spread>> =>
  figuresOf(
    ours.map((turn, round) => {
      const ratios = {} as Record<K, number>;
      for (const name of names) ratios[name] = turn[name] / theirs[round]![name];
      return ratios;
    }),
    names,
  );

/** Millrace's results set against each other peer's. Empty without Millrace. */
export function againstPeers<P, R>(
  results: Readonly<Record<string, P>>,
  compare: (ours: P, theirs: P) => R,
): Record<string, R> {
  const ours = results[subject];
  if (ours === undefined) return {};
  const others = Object.entries(results).filter(([name]) => name !== subject);
  return Object.fromEntries(others.map(([name, theirs]) => [name, compare(ours, theirs)]));
}
