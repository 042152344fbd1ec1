import type { InterfaceAddress } from "../address-table.ts";
import type { Ip } from "../ip-address.ts";
import { commonPrefixLength, labelOf, precedenceOf, scopeOf } from "./address-policy.ts";

interface Candidate {
  readonly destination: Ip;
  /** What we would send from; null: it cannot be reached. */
  readonly source: InterfaceAddress | null;
}

/**
 * The addresses of a name, the best one first (RFC 6724 §6). `sourceFor` says from which of our
 * addresses packets to one would be sent, null where there is no way. Rules 4 and 7 have nothing to go
 * by here. The sort is stable: equal ones stay in the resolver's order (rule 10).
 */
export function orderDestinations(
  destinations: readonly Ip[],
  sourceFor: (destination: Ip) => InterfaceAddress | null,
): Ip[] {
  const candidates = destinations.map((destination): Candidate => {
    return { destination, source: sourceFor(destination) };
  });
  return candidates.sort(compare).map(({ destination }) => destination);
}

function compare(a: Candidate, b: Candidate): number {
  // Rule 1: those that can be reached.
  if (a.source === null || b.source === null) return rank(b.source !== null, a.source !== null);
  const scopeA = scopeOf(a.destination);
  const scopeB = scopeOf(b.destination);
  return (
    // Rule 2: where our address has the same scope.
    rank(scopeOf(b.source.ip) === scopeB, scopeOf(a.source.ip) === scopeA) ||
    // Rule 3: not from a deprecated address.
    rank(b.source.state !== "deprecated", a.source.state !== "deprecated") ||
    // Rule 5: where the labels match.
    rank(
      labelOf(b.source.ip) === labelOf(b.destination),
      labelOf(a.source.ip) === labelOf(a.destination),
    ) ||
    // Rule 6: the higher precedence.
    precedenceOf(b.destination) - precedenceOf(a.destination) ||
    // Rule 8: the smaller scope.
    scopeA - scopeB ||
    // Rule 9: within a family, the longer prefix in common.
    (a.destination.version === b.destination.version
      ? commonPrefixLength(b.source.prefix, b.destination) -
        commonPrefixLength(a.source.prefix, a.destination)
      : 0)
  );
}

/** Negative when only `a` has it: it comes first. */
const rank = (b: boolean, a: boolean): number => Number(b) - Number(a);
