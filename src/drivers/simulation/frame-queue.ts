import type { Frame } from "./frame.ts";

/** Frames in order, in a ring that grows to the longest queue there was. */
export class FrameQueue {
  #ring: (Frame | null)[] = new Array<Frame | null>(16).fill(null);
  #head = 0;
  length = 0;
  /** The sum of what they cost the link. */
  bytes = 0;

  get first(): Frame | null {
    return this.#ring[this.#head]!;
  }

  push(frame: Frame): void {
    if (this.length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.length) & (this.#ring.length - 1)] = frame;
    this.length++;
    this.bytes += frame.cost;
  }

  shift(): Frame | null {
    const frame = this.#ring[this.#head]!;
    if (frame === null) return null;
    this.#ring[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.length--;
    this.bytes -= frame.cost;
    return frame;
  }

  #grow(): void {
    const old = this.#ring;
    const head = this.#head;
    this.#ring = new Array<Frame | null>(old.length * 2).fill(null);
    for (let i = 0; i < old.length; i++) this.#ring[i] = old[(head + i) & (old.length - 1)]!;
    this.#head = 0;
  }
}
