import { NetError } from "../../core/errors.ts";
import type { Clock } from "../../core/time.ts";
import { Fields } from "../fields.ts";
import type { HpackEncoder } from "../hpack/encoder.ts";
import { Flag, FRAME_HEADER, FrameType, INITIAL_WINDOW, MAX_WINDOW } from "./frame-type.ts";
import { writeTrailers } from "./head-writer.ts";
import type { Output } from "./output.ts";
import { Scheduler } from "./scheduler.ts";
import { SendQueue } from "./send-queue.ts";
import type { H2Stream } from "./stream.ts";

/** Frames of content are no larger, whatever the peer takes: others want their turn. */
const FRAME = 16_384;
/** A frame with less is no reason to be allowed more WINDOW_UPDATEs. */
const SIZEABLE = 256;

/** Who is told what became of sending. */
export interface SendObserver {
  /** All of the stream's message is in the output. */
  localEnded(stream: H2Stream): void;
  /** A DATA frame of some size went out. */
  dataSent(): void;
}

/**
 * Sends content within the windows of the connection and its streams (RFC 9113 §5.2). What may go
 * goes at once; what may not is kept with its stream, whose owner is asked to wait, and goes by the
 * scheduler when windows or the sink open.
 */
export class SendSide {
  readonly scheduler: Scheduler;
  /** When a stream that has something to send is looked at again, in case that it is stalled. */
  stallDeadline: number;
  #window: number;
  readonly #output: Output;
  readonly #encoder: HpackEncoder;
  readonly #observer: SendObserver;
  readonly #clock: Clock;
  readonly #stallTimeout: number;

  constructor(
    output: Output,
    encoder: HpackEncoder,
    observer: SendObserver,
    clock: Clock,
    stallTimeout: number,
  ) {
    this.scheduler = new Scheduler();
    this.stallDeadline = Number.POSITIVE_INFINITY;
    this.#window = INITIAL_WINDOW;
    this.#output = output;
    this.#encoder = encoder;
    this.#observer = observer;
    this.#clock = clock;
    this.#stallTimeout = stallTimeout;
  }

  /** Content buf[start, end); true when its owner shall wait for `onWritable`. */
  data(stream: H2Stream, buf: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length === 0) return stream.blocked;
    let last = false;
    if (stream.sendLeft >= 0) {
      if (length > stream.sendLeft) throw broken("a body exceeds its Content-Length");
      stream.sendLeft -= length;
      last = stream.sendLeft === 0;
    }
    let pos = start;
    if (stream.queue === null) {
      pos = this.#sendNow(stream, buf, start, end, last);
      if (pos === end) {
        if (last) {
          this.#observer.localEnded(stream);
          return false;
        }
        if (!this.#output.full) return false;
        stream.blocked = true;
        this.scheduler.add(stream);
        return true;
      }
    }
    this.#keep(stream, buf, pos, end);
    stream.queue!.ended = last;
    stream.blocked = !last;
    return !last;
  }

  /** The message ends. */
  end(stream: H2Stream, trailers: Fields | null): void {
    if (stream.sendLeft > 0) {
      throw broken(`a body ended ${stream.sendLeft} octets before its Content-Length`);
    }
    const { queue } = stream;
    stream.blocked = false;
    if (queue === null) return this.#writeEnd(stream, trailers);
    queue.ended = true;
    if (trailers === null) return;
    queue.trailers = new Fields();
    queue.trailers.copyFrom(trailers);
  }

  /** Sends what windows and the sink allow, in the order of priorities. */
  pump(): void {
    const { scheduler } = this;
    while (!this.#output.full && this.#window > 0) {
      const stream = scheduler.next();
      if (stream === null) return;
      if (stream.queue === null) {
        scheduler.remove(stream);
        this.#unblock(stream);
      } else if (stream.sendWindow <= 0) scheduler.remove(stream);
      else this.#sendQueued(stream, stream.queue);
    }
  }

  /** False when the window passes 2^31-1 (§6.9.1). */
  widen(octets: number): boolean {
    this.#window += octets;
    return this.#window <= MAX_WINDOW;
  }

  widenStream(stream: H2Stream, octets: number): boolean {
    stream.sendWindow += octets;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.queue !== null && stream.sendWindow > 0) this.scheduler.add(stream);
    return true;
  }

  /** The stream is gone: what it had to send is forgotten. */
  forget(stream: H2Stream): void {
    stream.queue = null;
    stream.blocked = false;
    this.scheduler.remove(stream);
  }

  /** Whether the stream waits for the peer's windows for too long; moves the deadline otherwise. */
  isStalled(stream: H2Stream): boolean {
    const { queue } = stream;
    if (queue === null) return false;
    // Where the sink is full the transport is what does not move: its driver looks after that.
    if (this.#output.full) queue.movedAt = this.#clock.now();
    const due = queue.movedAt + this.#stallTimeout;
    if (due <= this.#clock.now()) return true;
    this.stallDeadline = Math.min(this.stallDeadline, due);
    return false;
  }

  /** Writes frames as far as windows and the sink allow; the position behind what went. */
  #sendNow(stream: H2Stream, buf: Uint8Array, start: number, end: number, last: boolean): number {
    let pos = start;
    while (pos < end && !this.#output.full) {
      const length = this.#allowed(stream, end - pos);
      if (length <= 0) break;
      this.#output.data(stream.id, buf, pos, pos + length, last && pos + length === end);
      this.#account(stream, length);
      pos += length;
    }
    return pos;
  }

  #sendQueued(stream: H2Stream, queue: SendQueue): void {
    const length = this.#allowed(stream, queue.length);
    const drained = length === queue.length;
    const last = drained && queue.ended && queue.trailers === null;
    this.#output.data(stream.id, queue.bytes, queue.start, queue.start + length, last);
    this.#account(stream, length);
    queue.take(length);
    queue.movedAt = this.#clock.now();
    if (!drained) {
      if (stream.incremental) this.scheduler.rotate(stream);
      return;
    }
    this.scheduler.remove(stream);
    stream.queue = null;
    if (last) this.#observer.localEnded(stream);
    else if (queue.ended) this.#writeEnd(stream, queue.trailers);
    else this.#unblock(stream);
  }

  #unblock(stream: H2Stream): void {
    if (!stream.blocked) return;
    stream.blocked = false;
    stream.owner?.onWritable();
  }

  #allowed(stream: H2Stream, wanted: number): number {
    return Math.min(wanted, FRAME, this.#window, stream.sendWindow);
  }

  #account(stream: H2Stream, length: number): void {
    this.#window -= length;
    stream.sendWindow -= length;
    if (length >= SIZEABLE) this.#observer.dataSent();
  }

  #keep(stream: H2Stream, buf: Uint8Array, start: number, end: number): void {
    let { queue } = stream;
    if (queue === null) {
      queue = new SendQueue();
      queue.movedAt = this.#clock.now();
      stream.queue = queue;
      this.stallDeadline = Math.min(this.stallDeadline, queue.movedAt + this.#stallTimeout);
    }
    queue.append(buf, start, end);
    if (stream.sendWindow > 0) this.scheduler.add(stream);
  }

  #writeEnd(stream: H2Stream, trailers: Fields | null): void {
    const output = this.#output;
    if (trailers !== null && !trailers.empty) {
      writeTrailers(output, this.#encoder, stream, trailers);
    } else if (!output.endLast(stream.id)) {
      const at = output.reserve(FRAME_HEADER);
      output.header(at, 0, FrameType.data, Flag.endStream, stream.id);
      output.length = at + FRAME_HEADER;
    }
    this.#observer.localEnded(stream);
  }
}

function broken(message: string): NetError {
  return new NetError("INTERNAL", message, { source: "internal" });
}
