import { type Seq, seqAdd, seqDiff } from "../../wire/seq.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { QueueMemory } from "./queue-memory.ts";

/** RFC 9293 §3.7.1, MUST-15: what a peer that says nothing can take. */
export const DEFAULT_MSS_V4 = 536;
export const DEFAULT_MSS_V6 = 1220;
/** No peer makes us send less than this: it could have us send a header for each byte (CVE-2019-11479). */
const LEAST_MSS = 48;
/** Options leave so much payload at least, however small peer and path want segments. */
export const LEAST_PAYLOAD = 8;
/** RFC 7323 appendix A: two no-operations and the option. */
export const TIMESTAMPS_LENGTH = 12;

/** The send sequence space (RFC 9293 §3.3.1) and the bytes in it. */
export class SendSpace {
  // Numbers are kept as signed integers: from 2³¹ on each would be an object of its own to V8.
  #una: number;
  #nxt: number;
  #wl1 = 0;
  #wl2 = 0;
  #base: number;
  #smallEnd: number;
  /** SND.WND, scaled up, counted from `una`. */
  window = 0;
  /** The largest window that was offered. */
  maxWindow = 0;
  /** The peer's shift, or -1. */
  scale = -1;
  /** Payload of a full segment, options of every segment taken off. */
  mss = DEFAULT_MSS_V4;
  /** What the peer announced, and what the path's MTU leaves; options not taken off. */
  peerMss: number;
  pathMss: number;
  /** Bytes from `base` on: unacknowledged, then unsent; null when there are none. */
  buffer: ByteQueue | null = null;
  /** The user has ended: a FIN follows what is in the buffer. */
  finQueued = false;
  finSent = false;
  readonly #memory: QueueMemory;

  constructor(iss: Seq, pathMss: number, version: 4 | 6, memory: QueueMemory) {
    this.#memory = memory;
    this.#una = iss | 0;
    this.#nxt = iss | 0;
    this.#base = (iss + 1) | 0;
    this.#smallEnd = iss | 0;
    this.pathMss = pathMss;
    this.peerMss = version === 4 ? DEFAULT_MSS_V4 : DEFAULT_MSS_V6;
  }

  get una(): Seq {
    return (this.#una >>> 0) as Seq;
  }

  set una(value: Seq) {
    this.#una = value | 0;
  }

  get nxt(): Seq {
    return (this.#nxt >>> 0) as Seq;
  }

  set nxt(value: Seq) {
    this.#nxt = value | 0;
  }

  /** Of the segment that set the window: its number and what it acknowledged. */
  get wl1(): Seq {
    return (this.#wl1 >>> 0) as Seq;
  }

  set wl1(value: Seq) {
    this.#wl1 = value | 0;
  }

  get wl2(): Seq {
    return (this.#wl2 >>> 0) as Seq;
  }

  set wl2(value: Seq) {
    this.#wl2 = value | 0;
  }

  /** The number of the first byte in the buffer: `una`, but for SYN and FIN. */
  get base(): Seq {
    return (this.#base >>> 0) as Seq;
  }

  set base(value: Seq) {
    this.#base = value | 0;
  }

  /** The end of the last segment that was less than full: Minshall's variant of Nagle (RFC 896). */
  get smallEnd(): Seq {
    return (this.#smallEnd >>> 0) as Seq;
  }

  set smallEnd(value: Seq) {
    this.#smallEnd = value | 0;
  }

  /** Bytes in the buffer. */
  get queued(): number {
    return this.buffer === null ? 0 : this.buffer.length;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    if (start >= end) return;
    this.buffer ??= new ByteQueue();
    this.buffer.append(bytes, start, end);
    this.#memory.used += end - start;
  }

  clear(): void {
    this.#memory.used -= this.queued;
    this.buffer?.clear();
    this.buffer = null;
  }

  /** The number after the last byte that was written: that of the FIN. */
  get end(): Seq {
    return seqAdd(this.base, this.queued);
  }

  /** Bytes that were written and never sent. */
  get unsent(): number {
    return this.finSent ? 0 : seqDiff(this.end, this.nxt);
  }

  /** How many more bytes the peer's window admits; less than 0 after it shrank. */
  get usableWindow(): number {
    return this.window - ((this.#nxt - this.#una) | 0);
  }

  get allAcknowledged(): boolean {
    return this.#una === this.#nxt;
  }

  /** Options and payload of one segment: what the path carries and the peer takes, within reason. */
  get segmentRoom(): number {
    const taken = this.peerMss > LEAST_MSS ? this.peerMss : LEAST_MSS;
    return Math.max(Math.min(taken, this.pathMss), TIMESTAMPS_LENGTH + LEAST_PAYLOAD);
  }

  /** RFC 9293 §3.7.1 and RFC 6691: the effective send MSS; returns whether it changed. */
  updateMss(timestamps: boolean): boolean {
    const mss = this.segmentRoom - (timestamps ? TIMESTAMPS_LENGTH : 0);
    const changed = mss !== this.mss;
    this.mss = mss;
    return changed;
  }

  setWindow(window: number, seq: Seq, ack: Seq): void {
    this.window = window;
    if (window > this.maxWindow) this.maxWindow = window;
    this.wl1 = seq;
    this.wl2 = ack;
  }

  /** SND.UNA moves to `ack`; returns the bytes that the buffer no longer holds. */
  acknowledge(ack: Seq): number {
    const bytes = Math.min(Math.max(seqDiff(ack, this.base), 0), this.queued);
    if (bytes > 0) {
      this.buffer!.drop(bytes);
      this.#memory.used -= bytes;
      if (this.buffer!.length === 0) this.buffer = null;
      this.base = seqAdd(this.base, bytes);
    }
    this.una = ack;
    return bytes;
  }
}
