import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { Flag, FRAME_HEADER, FrameType } from "./frame-type.ts";

/** What a sink wants of the frame whose header it was shown. */
export type FrameUse = "whole" | "data" | "skip" | "stop";

export interface FrameSink {
  /**
   * A frame header. "whole": the payload, in one piece, by `onFrame`; only for a `length` that the
   * sink is willing to have in memory. "data": in pieces as they come (DATA alone). "stop": nothing
   * more is read, ever.
   */
  onFrameHeader(length: number, type: number, flags: number, stream: number): FrameUse;
  /** False to stop. The payload is borrowed. */
  onFrame(
    type: number,
    flags: number,
    stream: number,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean;
  /** A piece of content, never empty; false to stop. */
  onDataPiece(buf: Uint8Array, start: number, end: number): boolean;
  /**
   * Padding of this frame, its length octet included; false to stop: there is more than the frame.
   */
  onDataPadding(octets: number, tooLong: boolean): boolean;
  /** The frame is over; false to stop. */
  onDataEnd(flags: number): boolean;
}

const Phase = {
  header: 0,
  padLength: 1,
  data: 2,
  padding: 3,
  whole: 4,
  skip: 5,
  stopped: 6,
} as const;

/**
 * Takes frames apart (RFC 9113 §4.1), wherever the input is cut. DATA is passed on where it lies; a
 * frame that is wanted whole is copied only if it comes in pieces, and its memory given back at
 * once.
 */
export class FrameReader {
  /** Frames begun so far. */
  frames: number;
  #phase: number;
  readonly #header: Uint8Array;
  #headerLength: number;
  #type: number;
  #flags: number;
  #stream: number;
  /** Octets of payload that are still to come; of DATA without its padding. */
  #left: number;
  #padding: number;
  #whole: Uint8Array;
  #wholeLength: number;

  constructor() {
    this.frames = 0;
    this.#phase = Phase.header;
    this.#header = new Uint8Array(FRAME_HEADER);
    this.#headerLength = 0;
    this.#type = 0;
    this.#flags = 0;
    this.#stream = 0;
    this.#left = 0;
    this.#padding = 0;
    this.#whole = NONE;
    this.#wholeLength = 0;
  }

  /** A frame has begun and its rest has not come; of DATA that is its owner's to judge. */
  get waiting(): boolean {
    return this.#headerLength > 0 || this.#phase === Phase.whole || this.#phase === Phase.skip;
  }

  /** Reads buf[start, end), all of it unless the sink says stop. */
  read(buf: Uint8Array, start: number, end: number, sink: FrameSink): void {
    let pos = start;
    while (pos < end) {
      switch (this.#phase) {
        case Phase.header:
          pos = this.#readHeader(buf, pos, end, sink);
          break;
        case Phase.whole:
          pos = this.#readWhole(buf, pos, end, sink);
          break;
        case Phase.data:
          pos = this.#readData(buf, pos, end, sink);
          break;
        case Phase.padLength:
          this.#readPadLength(buf[pos++]!, sink);
          break;
        case Phase.padding:
          pos = this.#skip(pos, end);
          if (this.#left === 0) this.#endData(sink);
          break;
        case Phase.skip:
          pos = this.#skip(pos, end);
          if (this.#left === 0) this.#phase = Phase.header;
          break;
        default:
          return;
      }
    }
  }

  #readHeader(buf: Uint8Array, pos: number, end: number, sink: FrameSink): number {
    if (this.#headerLength === 0 && end - pos >= FRAME_HEADER) {
      this.#begin(buf, pos, sink);
      return pos + FRAME_HEADER;
    }
    const header = this.#header;
    while (pos < end && this.#headerLength < FRAME_HEADER) {
      header[this.#headerLength++] = buf[pos++]!;
    }
    if (this.#headerLength === FRAME_HEADER) {
      this.#headerLength = 0;
      this.#begin(header, 0, sink);
    }
    return pos;
  }

  #begin(buf: Uint8Array, at: number, sink: FrameSink): void {
    this.frames++;
    const length = (buf[at]! << 16) | (buf[at + 1]! << 8) | buf[at + 2]!;
    const type = buf[at + 3]!;
    const flags = buf[at + 4]!;
    const stream =
      ((buf[at + 5]! & 0x7f) << 24) | (buf[at + 6]! << 16) | (buf[at + 7]! << 8) | buf[at + 8]!;
    this.#type = type;
    this.#flags = flags;
    this.#stream = stream;
    this.#left = length;
    this.#padding = 0;
    switch (sink.onFrameHeader(length, type, flags, stream)) {
      case "whole":
        this.#phase = Phase.whole;
        // An empty payload is complete with its header, whether or not more input is there.
        if (length === 0) this.#deliver(buf, at, at, sink);
        return;
      case "data":
        if ((flags & Flag.padded) !== 0 && type === FrameType.data) {
          if (length === 0) this.#continue(sink.onDataPadding(0, true), Phase.header);
          else this.#phase = Phase.padLength;
        } else if (length === 0) this.#endData(sink);
        else this.#phase = Phase.data;
        return;
      case "skip":
        this.#phase = length === 0 ? Phase.header : Phase.skip;
        return;
      default:
        this.#phase = Phase.stopped;
    }
  }

  #readWhole(buf: Uint8Array, pos: number, end: number, sink: FrameSink): number {
    const available = Math.min(end - pos, this.#left);
    if (available === this.#left && this.#wholeLength === 0) {
      this.#deliver(buf, pos, pos + available, sink);
      return pos + available;
    }
    if (this.#wholeLength === 0) this.#whole = allocBytes(this.#left);
    copyBytes(buf, pos, pos + available, this.#whole, this.#wholeLength);
    this.#wholeLength += available;
    this.#left -= available;
    if (this.#left === 0) {
      const whole = this.#whole;
      const length = this.#wholeLength;
      this.#whole = NONE;
      this.#wholeLength = 0;
      this.#deliver(whole, 0, length, sink);
    }
    return pos + available;
  }

  #deliver(buf: Uint8Array, start: number, end: number, sink: FrameSink): void {
    this.#phase = Phase.header;
    if (!sink.onFrame(this.#type, this.#flags, this.#stream, buf, start, end)) {
      this.#phase = Phase.stopped;
    }
  }

  #readPadLength(padding: number, sink: FrameSink): void {
    this.#left--;
    const tooLong = padding > this.#left;
    this.#padding = padding;
    this.#left -= padding;
    const goesOn = sink.onDataPadding(padding + 1, tooLong);
    if (!goesOn || tooLong) this.#phase = Phase.stopped;
    else if (this.#left > 0) this.#phase = Phase.data;
    else this.#endContent(sink);
  }

  #readData(buf: Uint8Array, pos: number, end: number, sink: FrameSink): number {
    const stop = Math.min(end, pos + this.#left);
    this.#left -= stop - pos;
    if (!sink.onDataPiece(buf, pos, stop)) {
      this.#phase = Phase.stopped;
      return stop;
    }
    if (this.#left === 0) this.#endContent(sink);
    return stop;
  }

  /** All content came; the frame ends behind its padding. */
  #endContent(sink: FrameSink): void {
    if (this.#padding === 0) this.#endData(sink);
    else {
      this.#left = this.#padding;
      this.#phase = Phase.padding;
    }
  }

  #endData(sink: FrameSink): void {
    this.#continue(sink.onDataEnd(this.#flags), Phase.header);
  }

  #continue(goesOn: boolean, phase: number): void {
    this.#phase = goesOn ? phase : Phase.stopped;
  }

  #skip(pos: number, end: number): number {
    const stop = Math.min(end, pos + this.#left);
    this.#left -= stop - pos;
    return stop;
  }
}

const NONE = allocBytes(0);
