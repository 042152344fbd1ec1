import type { IpAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { unit } from "../../core/random.ts";
import { after, type Duration, micros, seconds } from "../../core/time.ts";
import type { Timer, TimerTarget, Transport } from "../../core/transport.ts";

/** The first wait after a failure; it doubles up to the usual interval. */
const FIRST_RETRY = seconds(1);

/** Hears of a name's new addresses, and of trouble with it. */
export interface NameListener {
  onAddresses(): void;
  onNotice(message: string): void;
}

/**
 * Keeps the addresses of one DNS name up to date: asks again every `every`; after a failure, or an
 * answer without addresses, sooner, with growing waits that chance spreads by a quarter. Until an
 * answer comes the old addresses stay. Trouble is noted once when it begins and once when it ends.
 */
export class NameResolution implements TimerTarget {
  readonly host: string;
  addresses: readonly IpAddress[] = [];

  readonly #every: Duration;
  readonly #transport: Transport;
  readonly #listener: NameListener;
  #timer: Timer | null = null;
  #failures = 0;
  #stopped = false;

  constructor(host: string, every: Duration, transport: Transport, listener: NameListener) {
    this.host = host;
    this.#every = every;
    this.#transport = transport;
    this.#listener = listener;
  }

  /** Asks, and sets the time for asking again. Never rejects. */
  async resolve(): Promise<void> {
    let addresses: readonly IpAddress[];
    try {
      addresses = await this.#transport.resolve(this.host);
      if (addresses.length === 0) {
        throw new NetError("ENOTFOUND", `${this.host} has no addresses`, { source: "upstream" });
      }
    } catch (error) {
      if (!this.#stopped) this.#failed(error);
      return;
    }
    if (this.#stopped) return;
    if (this.#failures > 0) this.#listener.onNotice(`${this.host} resolves again`);
    this.#failures = 0;
    this.#askIn(this.#every);
    this.addresses = addresses;
    this.#listener.onAddresses();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  onTimer(): void {
    void this.resolve();
  }

  #failed(error: unknown): void {
    if (this.#failures === 0) {
      const kept = this.addresses.length;
      const state = kept === 0 ? "it has no address yet" : `its last ${kept} stay in use`;
      const why = error instanceof Error ? error.message : String(error);
      this.#listener.onNotice(`cannot resolve ${this.host}: ${state} (${why})`);
    }
    const wait = Math.min(this.#every, FIRST_RETRY * 2 ** Math.min(this.#failures, 30));
    this.#failures++;
    this.#askIn(micros(wait * (0.75 + unit(this.#transport.rng) / 2)));
  }

  #askIn(wait: Duration): void {
    const at = after(this.#transport.now(), wait);
    if (this.#timer === null) this.#timer = this.#transport.schedule(this, at);
    else this.#timer.reschedule(at);
  }
}
