import type { HealthCheck } from "./settings.ts";

/** What an answer says of health: null for good, else what is wrong, in words. */
export function verdictOfStatus(
  check: HealthCheck & { kind: "http" },
  status: number,
): string | null {
  const good =
    check.statuses === null ? status >= 200 && status < 400 : check.statuses.includes(status);
  return good ? null : `answered ${status}`;
}

/** Who speaks to an endpoint for a check. */
export interface ProbeTalk {
  start(): void;
  receive(buf: Uint8Array, start: number, end: number): void;
  /** The endpoint sent its last byte. */
  end(): void;
}

/** Hears the outcome, once: null for good, else what is wrong. */
export type Verdict = (failure: string | null) => void;
