import { type Rng, unit } from "../core/random.ts";
import type { FailureKind } from "./authority.ts";
import type { StoredCertificate } from "./store.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The share of a certificate's life that is left when it is renewed, where nobody says otherwise. */
const RENEWAL_SHARE = 1 / 3;
/** However early it is asked for, a certificate is used for this share of its life: no endless orders. */
const LEAST_USE = 1 / 3;
/** Renewals are spread over this share of the time that is left then. */
const SPREAD = 1 / 10;

/**
 * When to renew a certificate, in milliseconds since 1970. `renewBefore` in milliseconds before its end.
 * The same for the same certificate, so restarts neither hasten nor delay it; another for each, so those
 * that were issued together do not come back together.
 */
export function renewalTime(
  { validFrom, validTo, serial }: Pick<StoredCertificate, "validFrom" | "validTo" | "serial">,
  renewBefore: number | null,
): number {
  const life = Math.max(validTo - validFrom, 0);
  const margin = Math.min(renewBefore ?? life * RENEWAL_SHARE, life * (1 - LEAST_USE));
  return Math.floor(validTo - margin + margin * SPREAD * share(serial));
}

/** FNV-1a, as a number in [0, 1). */
function share(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) / 0x1_0000_0000;
}

interface Ladder {
  readonly first: number;
  readonly factor: number;
  readonly last: number;
}

/**
 * An authority that is away may be asked again soon. One that said no counts: Let's Encrypt takes five
 * failed validations of a name an hour, and this makes four in the first hour, two in the next six.
 */
const ladders: Readonly<Record<FailureKind, Ladder>> = {
  unreachable: { first: 2 * SECOND, factor: 2, last: 30 * MINUTE },
  local: { first: MINUTE, factor: 3, last: 12 * HOUR },
  refused: { first: 2 * MINUTE, factor: 3, last: 12 * HOUR },
  limited: { first: 10 * MINUTE, factor: 3, last: 12 * HOUR },
};

/** Milliseconds to the next attempt, after so many failures in a row; never less than was asked for. */
export function retryDelay(
  kind: FailureKind,
  failures: number,
  retryAfter: number,
  rng: Rng,
): number {
  const { first, factor, last } = ladders[kind];
  const delay = Math.min(first * factor ** Math.max(failures - 1, 0), last);
  return Math.ceil(Math.max(delay, retryAfter) * (1 + unit(rng) / 4));
}
