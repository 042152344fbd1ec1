import type { Duration } from "../../core/time.ts";
import type { TicketSettings } from "../../proxy/tls/settings.ts";

/** As many as the engine takes. */
const mostKeys = 16;

/**
 * The keys of session tickets for all listeners and workers: a new one encrypts after each rotation, and
 * those before it open what they have encrypted until the last such session is too old to be resumed.
 */
export class TicketKeyRing {
  /** Newest first. */
  keys: readonly Uint8Array[];
  /** How often to rotate; null: never. */
  readonly every: Duration | null;
  readonly #kept: number;
  readonly #draw: () => Uint8Array;

  constructor(settings: readonly TicketSettings[], draw: () => Uint8Array) {
    this.#draw = draw;
    this.keys = [draw()];
    const least = (durations: readonly Duration[]): Duration => Math.min(...durations) as Duration;
    this.every = settings.length === 0 ? null : least(settings.map((one) => one.rotateEvery));
    const longest = Math.max(0, ...settings.map((one) => one.lifetime));
    this.#kept = Math.min(mostKeys, 1 + Math.ceil(longest / (this.every ?? 1)));
  }

  rotate(): void {
    this.keys = [this.#draw(), ...this.keys].slice(0, this.#kept);
  }
}
