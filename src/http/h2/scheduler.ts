import type { H2Stream } from "./stream.ts";

const URGENCIES = 8;

/**
 * Streams that have something to send and a window for it, in the order of RFC 9218 §10: by
 * urgency; within one, first come first served, where an incremental stream goes to the end after
 * each frame.
 */
export class Scheduler {
  readonly #first: (H2Stream | null)[];
  readonly #last: (H2Stream | null)[];
  /** A bit for each urgency that has streams. */
  #waiting: number;

  constructor() {
    this.#first = Array<H2Stream | null>(URGENCIES).fill(null);
    this.#last = Array<H2Stream | null>(URGENCIES).fill(null);
    this.#waiting = 0;
  }

  get empty(): boolean {
    return this.#waiting === 0;
  }

  /** The stream whose turn it is; null for none. */
  next(): H2Stream | null {
    const waiting = this.#waiting;
    return waiting === 0 ? null : this.#first[31 - Math.clz32(waiting & -waiting)]!;
  }

  /** Puts a stream at the end of its line; nothing if it stands there. */
  add(stream: H2Stream): void {
    if (stream.lined) return;
    const { urgency } = stream;
    const last = this.#last[urgency]!;
    stream.lined = true;
    stream.ahead = last;
    stream.behind = null;
    if (last === null) this.#first[urgency] = stream;
    else last.behind = stream;
    this.#last[urgency] = stream;
    this.#waiting |= 1 << urgency;
  }

  remove(stream: H2Stream): void {
    if (!stream.lined) return;
    const { urgency, ahead, behind } = stream;
    stream.lined = false;
    stream.ahead = null;
    stream.behind = null;
    if (ahead === null) this.#first[urgency] = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last[urgency] = ahead;
    else behind.ahead = ahead;
    if (this.#first[urgency] === null) this.#waiting &= ~(1 << urgency);
  }

  /** After a frame of an incremental stream: the others of its urgency come first now. */
  rotate(stream: H2Stream): void {
    if (stream.behind === null) return;
    this.remove(stream);
    this.add(stream);
  }

  prioritize(stream: H2Stream, urgency: number, incremental: boolean): void {
    const { lined } = stream;
    if (lined) this.remove(stream);
    stream.urgency = urgency;
    stream.incremental = incremental;
    if (lined) this.add(stream);
  }
}
