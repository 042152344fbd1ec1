import { FrameHeader } from "./frame-header.ts";
import { Opcode } from "./opcode.ts";

/**
 * Follows the frames of a stream that passes by, without looking at payloads: where one ends, a frame of
 * our own may go in between. It judges nothing; of what is no WebSocket at all it says `lost`.
 */
export class FrameTracker {
  /** A Close frame has gone by, whole: its sender says no more. */
  closed: boolean;
  /** Nothing can be said of boundaries any more. */
  lost: boolean;
  readonly #header: FrameHeader;
  /** Octets of payload left. */
  #left: number;

  constructor() {
    this.closed = false;
    this.lost = false;
    this.#header = new FrameHeader();
    this.#left = 0;
  }

  /** What has gone by ends with a frame, or nothing has. */
  get atBoundary(): boolean {
    return this.#left === 0 && !this.#header.begun && !this.lost;
  }

  /** buf[start, end) goes by. */
  pass(buf: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && !this.lost) at = this.#frame(buf, at, end);
  }

  /** As much of buf[start, end) goes by as the frame under way takes; returns where it stopped. */
  passToBoundary(buf: Uint8Array, start: number, end: number): number {
    if (this.atBoundary || start === end) return start;
    return this.lost ? end : this.#frame(buf, start, end);
  }

  #frame(buf: Uint8Array, start: number, end: number): number {
    const header = this.#header;
    let at = start;
    if (!header.complete) {
      at = header.read(buf, at, end);
      this.lost = header.invalid;
      if (this.lost) return end;
      if (!header.complete) return at;
      this.#left = header.length;
    }
    const taken = Math.min(this.#left, end - at);
    this.#left -= taken;
    if (this.#left === 0) {
      if (header.opcode === Opcode.close) this.closed = true;
      header.reset();
    }
    return at + taken;
  }
}
