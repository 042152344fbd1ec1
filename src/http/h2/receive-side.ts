import { Faults, type H2Fault } from "./fault.ts";
import { INITIAL_WINDOW } from "./frame-type.ts";
import type { Output } from "./output.ts";
import type { OwnSettings } from "./settings.ts";
import type { H2Stream } from "./stream.ts";

/**
 * The windows in which the peer sends (RFC 9113 §5.2). What owners have consumed is given back when
 * it comes to half a window: one WINDOW_UPDATE for many frames.
 */
export class ReceiveSide {
  /** What the connection's window is when nothing is held. */
  readonly size: number;
  #window: number;
  #consumed: number;
  readonly #output: Output;
  readonly #settings: OwnSettings;

  /** A connection's window starts at 65,535 and only grows: a smaller `size` counts as that. */
  constructor(output: Output, settings: OwnSettings, size: number) {
    this.size = Math.max(size, INITIAL_WINDOW);
    this.#window = INITIAL_WINDOW;
    this.#consumed = 0;
    this.#output = output;
    this.#settings = settings;
  }

  /** With the first SETTINGS: the window grows to its size. */
  open(): void {
    const more = this.size - this.#window;
    if (more > 0) this.#output.windowUpdate(0, more);
    this.#window = this.size;
  }

  /** A DATA frame of `length`, padding included, has begun; false when it passes the window. */
  arrive(length: number): boolean {
    this.#window -= length;
    return this.#window >= 0;
  }

  /** The same for its stream. */
  arriveOn(stream: H2Stream, length: number): H2Fault | null {
    stream.receiveWindow -= length;
    return stream.receiveWindow < 0 ? Faults.window : null;
  }

  /** Content went to the stream's owner. */
  delivered(stream: H2Stream, octets: number): void {
    stream.outstanding += octets;
  }

  /** The owner has no more to do with so many octets. */
  consumed(stream: H2Stream, octets: number): void {
    const taken = Math.min(octets, stream.outstanding);
    if (taken <= 0) return;
    stream.outstanding -= taken;
    this.giveBack(taken);
    this.giveBackOn(stream, taken);
  }

  /** Nothing more will be consumed: the connection must not lose what the stream held. */
  abandon(stream: H2Stream): void {
    const held = stream.outstanding;
    stream.outstanding = 0;
    if (held > 0) this.giveBack(held);
  }

  giveBack(octets: number): void {
    this.#consumed += octets;
    if (this.#consumed * 2 < this.size) return;
    this.#output.windowUpdate(0, this.#consumed);
    this.#window += this.#consumed;
    this.#consumed = 0;
  }

  giveBackOn(stream: H2Stream, octets: number): void {
    if (!stream.remoteOpen) return;
    stream.consumed += octets;
    if (stream.consumed * 2 < this.#settings.initialWindow) return;
    this.#output.windowUpdate(stream.id, stream.consumed);
    stream.receiveWindow += stream.consumed;
    stream.consumed = 0;
  }
}
