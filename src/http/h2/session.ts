import { Fields } from "../fields.ts";
import { Allowance } from "./allowance.ts";
import { readTrailers } from "./block-reader.ts";
import { H2Code } from "./error-code.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { checkFrame, u32 } from "./frame-check.ts";
import { FrameReader, type FrameSink, type FrameUse } from "./frame-reader.ts";
import { Flag, FrameType } from "./frame-type.ts";
import type { SessionOwner } from "./owner.ts";
import { SessionCore, type SessionOptions } from "./session-core.ts";
import type { H2Stream } from "./stream.ts";

export type { SessionOptions } from "./session-core.ts";

/**
 * What comes in, in either role: frames, the blocks and the content that they carry. How a session
 * is driven stands in README.md.
 */
export abstract class Session extends SessionCore implements FrameSink {
  readonly #reader: FrameReader;
  readonly #emptyData: Allowance;
  /** The stream of the DATA frame that is being read; null: what comes is dropped. */
  #dataStream: H2Stream | null;
  #dataEmpty: boolean;
  #awaitsSettings: boolean;
  /** Frames that had begun when the deadline for the last one was set. */
  #frames: number;

  constructor(options: SessionOptions, owner: SessionOwner) {
    super(options, owner);
    this.#reader = new FrameReader();
    this.#emptyData = new Allowance(this.limits.emptyData, this.clock);
    this.#dataStream = null;
    this.#dataEmpty = false;
    this.#awaitsSettings = true;
    this.#frames = 0;
  }

  /** Takes a whole field block; false when the session failed. */
  protected abstract receiveBlock(
    id: number,
    ended: boolean,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean;
  /** Whether nobody has opened the stream yet. */
  protected abstract isIdle(id: number): boolean;
  /** What the peer's GOAWAY names is in our identifiers. */
  protected abstract goingAway(last: number, code: H2Code): void;
  protected abstract settingsChanged(): void;
  protected abstract reprioritize(buf: Uint8Array, start: number, end: number): void;

  // ---- driving ---------------------------------------------------------------------------------

  /** Bytes of the peer. Events go to the owners, what is to be sent to the sink. */
  receive(buf: Uint8Array, start: number, end: number): void {
    if (this.over) return;
    if (!this.started) this.start();
    this.inReceive = true;
    this.#reader.read(buf, this.readPreface(buf, start, end), end, this);
    this.inReceive = false;
    this.#watchFrame();
    this.flush();
  }

  /** A frame that is begun has to end in time, or a peer could keep its memory for ever. */
  #watchFrame(): void {
    const reader = this.#reader;
    if (!reader.waiting) this.frameDeadline = Number.POSITIVE_INFINITY;
    else if (this.frameDeadline === Number.POSITIVE_INFINITY || reader.frames !== this.#frames) {
      this.#frames = reader.frames;
      this.frameDeadline = this.clock.now() + this.limits.headTimeout;
    }
  }

  // ---- frames ----------------------------------------------------------------------------------

  onFrameHeader(length: number, type: number, flags: number, id: number): FrameUse {
    if (this.#awaitsSettings) {
      // Before its length is looked at: the answer of a server of HTTP/1.1 reads as an enormous frame.
      if (type !== FrameType.settings || (flags & Flag.ack) !== 0) {
        return this.#stop(Faults.firstFrame);
      }
      this.#awaitsSettings = false;
    }
    if (length > this.limits.frameSize) return this.#stop(Faults.frameTooLarge);
    const block = this.block.stream;
    if (block !== 0 || type === FrameType.continuation) {
      // §6.10: nothing comes between the frames of a block.
      if (type !== FrameType.continuation || id !== block) return this.#stop(Faults.continuation);
    }
    const fault = checkFrame(length, type, flags, id);
    if (fault !== null) return this.#stop(fault);
    if (type === FrameType.data) return this.#beginData(length, id) ? "data" : "stop";
    if (type <= FrameType.continuation || type === FrameType.priorityUpdate) return "whole";
    return this.control.take(this.clock) ? "skip" : this.#stop(Faults.controlFlood);
  }

  onFrame(
    type: number,
    flags: number,
    id: number,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    switch (type) {
      case FrameType.headers:
        return this.#onHeaders(flags, id, buf, start, end);
      case FrameType.continuation:
        return this.#onFragment(flags, buf, start, end);
      case FrameType.rstStream:
        return this.#onReset(id, u32(buf, start));
      case FrameType.windowUpdate:
        return this.#onWindowUpdate(id, u32(buf, start) & 0x7fff_ffff);
    }
    if (!this.control.take(this.clock)) return this.fail(Faults.controlFlood);
    if (type === FrameType.settings) return this.#onSettings(flags, buf, start, end);
    if (type === FrameType.ping) return this.#onPing(flags, u32(buf, start), u32(buf, start + 4));
    if (type === FrameType.goaway) {
      this.goingAway(u32(buf, start) & 0x7fff_ffff, u32(buf, start + 4));
    } else if (type === FrameType.priorityUpdate) this.reprioritize(buf, start, end);
    // PRIORITY is obsolete (§5.3.2).
    return !this.over;
  }

  #onHeaders(flags: number, id: number, buf: Uint8Array, start: number, end: number): boolean {
    let from = start;
    let to = end;
    if ((flags & Flag.padded) !== 0) {
      if (from === to) return this.fail(Faults.frameSize);
      to -= buf[from++]!;
    }
    if ((flags & Flag.priority) !== 0) from += 5;
    if (from > to) return this.fail(Faults.padding);
    const ended = (flags & Flag.endStream) !== 0;
    if ((flags & Flag.endHeaders) !== 0) return this.receiveBlock(id, ended, buf, from, to);
    this.block.open(id, ended, this.clock.now() + this.limits.headTimeout);
    return this.#onFragment(flags, buf, from, to);
  }

  #onFragment(flags: number, buf: Uint8Array, start: number, end: number): boolean {
    const block = this.block;
    const flood = block.append(buf, start, end, this.limits);
    if (flood !== null) return this.fail(flood);
    if ((flags & Flag.endHeaders) === 0) return true;
    const { stream, ended, bytes, length } = block;
    block.close();
    return this.receiveBlock(stream, ended, bytes, 0, length);
  }

  #onReset(id: number, code: H2Code): boolean {
    if (this.isIdle(id)) return this.fail(Faults.idleStream);
    if (this.server && !this.resets.take(this.clock)) return this.fail(Faults.rapidReset);
    const stream = this.streams.get(id);
    if (stream === null) return true;
    const unprocessed = code === H2Code.refusedStream;
    this.end(stream, { code, by: "peer", unprocessed, fault: null });
    return !this.over;
  }

  #onWindowUpdate(id: number, octets: number): boolean {
    if (!this.windowUpdates.take(this.clock)) return this.fail(Faults.windowFlood);
    if (id === 0) {
      if (octets === 0) return this.fail(Faults.windowZero);
      if (!this.sending.widen(octets)) return this.fail(Faults.windowOverflow);
      this.sending.pump();
      return !this.over;
    }
    const stream = this.streams.get(id);
    if (stream === null) return this.isIdle(id) ? this.fail(Faults.idleStream) : true;
    if (octets === 0) return this.streamFault(stream, Faults.windowZero);
    if (!this.sending.widenStream(stream, octets)) {
      return this.streamFault(stream, Faults.windowOverflow);
    }
    this.sending.pump();
    return !this.over;
  }

  #onSettings(flags: number, buf: Uint8Array, start: number, end: number): boolean {
    if ((flags & Flag.ack) !== 0) {
      const change = this.own.acknowledged(this.clock.now());
      if (Number.isNaN(change)) return this.fail(Faults.settingsAck);
      if (change !== 0) {
        for (const stream of this.streams.all()) {
          stream.receiveWindow += change;
          // What was too little to give back for the old window may be all that the new one has.
          if (stream.consumed > 0) this.receiving.giveBackOn(stream, 0);
        }
      }
      return true;
    }
    const before = this.peer.initialWindow;
    for (let at = start; at < end; at += 6) {
      const id = (buf[at]! << 8) | buf[at + 1]!;
      const fault = this.peer.apply(id, u32(buf, at + 2), !this.server);
      if (fault !== null) return this.fail(fault);
    }
    this.encoder.allow(this.peer.headerTableSize);
    const change = this.peer.initialWindow - before;
    if (change !== 0) {
      for (const stream of this.streams.all()) {
        if (!this.sending.widenStream(stream, change)) return this.fail(Faults.windowOverflow);
      }
    }
    this.output.settingsAck();
    this.sending.pump();
    this.settingsChanged();
    return this.#answersAreRead();
  }

  #onPing(flags: number, high: number, low: number): boolean {
    if ((flags & Flag.ack) === 0) {
      this.liveness.answer(high, low);
      return this.#answersAreRead();
    }
    const now = this.clock.now();
    if (this.liveness.answered(high, low, now) === "drain") this.drainOn();
    return true;
  }

  /** A peer that makes us answer and does not read would fill our memory. */
  #answersAreRead(): boolean {
    if (this.output.unread > this.limits.unreadAnswers) return this.fail(Faults.unreadAnswers);
    return !this.over;
  }

  // ---- DATA ------------------------------------------------------------------------------------

  #beginData(length: number, id: number): boolean {
    if (!this.receiving.arrive(length)) return this.fail(Faults.window);
    this.#dataStream = null;
    this.#dataEmpty = true;
    const stream = this.streams.get(id);
    if (stream === null) {
      if (this.isIdle(id)) return this.fail(Faults.idleStream);
      // What was on its way when we reset the stream is no fault of the peer.
      if (!this.recent.has(id) && !this.#resetUnknown(id)) return false;
      return true;
    }
    if (stream.resetCode >= 0) return true;
    const fault = !stream.remoteOpen
      ? Faults.streamClosed
      : !stream.headReceived
        ? Faults.pseudoHeader
        : this.receiving.arriveOn(stream, length);
    if (fault !== null) return this.streamFault(stream, fault);
    this.#dataStream = stream;
    return true;
  }

  onDataPiece(buf: Uint8Array, start: number, end: number): boolean {
    const stream = this.#dataStream;
    const length = end - start;
    this.#dataEmpty = false;
    if (stream === null || !stream.remoteOpen || stream.resetCode >= 0 || stream.owner === null) {
      this.receiving.giveBack(length);
      return !this.over;
    }
    stream.received += length;
    const fault =
      stream.receiveLeft >= 0 && length > stream.receiveLeft
        ? Faults.contentLength
        : this.server && stream.received > this.limits.body
          ? Faults.bodyTooLarge
          : null;
    if (fault !== null) {
      this.receiving.giveBack(length);
      return this.messageFault(stream, fault);
    }
    if (stream.receiveLeft >= 0) stream.receiveLeft -= length;
    this.receiving.delivered(stream, length);
    stream.owner.onData(buf, start, end);
    return !this.over;
  }

  onDataPadding(octets: number, tooLong: boolean): boolean {
    if (tooLong) return this.fail(octets === 0 ? Faults.frameSize : Faults.padding);
    this.receiving.giveBack(octets);
    if (this.#dataStream !== null) this.receiving.giveBackOn(this.#dataStream, octets);
    return true;
  }

  onDataEnd(flags: number): boolean {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if ((flags & Flag.endStream) === 0) {
      return !this.#dataEmpty || this.#emptyData.take(this.clock)
        ? !this.over
        : this.fail(Faults.emptyFlood);
    }
    if (stream === null || !stream.remoteOpen || stream.resetCode >= 0) return !this.over;
    return this.remoteEnded(stream, null);
  }

  #resetUnknown(id: number): boolean {
    this.output.reset(id, H2Code.streamClosed);
    return this.resets.take(this.clock) ? true : this.fail(Faults.rapidReset);
  }

  // ---- messages --------------------------------------------------------------------------------

  /** The field block behind the content. */
  protected receiveTrailers(
    stream: H2Stream,
    ended: boolean,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const fault = readTrailers(this.decoder, buf, start, end, trailers, this.limits);
    if (fault === Faults.compression) return this.fail(fault);
    if (stream.resetCode >= 0) return true;
    if (!stream.remoteOpen) return this.streamFault(stream, Faults.streamClosed);
    if (!ended) return this.streamFault(stream, Faults.trailers);
    if (fault !== null) return this.messageFault(stream, fault);
    return this.remoteEnded(stream, trailers.empty ? null : trailers);
  }

  /** The peer's message is complete, its content said with it or before. */
  protected remoteEnded(stream: H2Stream, last: Fields | null): boolean {
    if (stream.receiveLeft > 0) return this.messageFault(stream, Faults.contentLength);
    this.halfClose(stream);
    const { owner } = stream;
    if (stream.queue?.ended) stream.owner = null;
    owner?.onEnd(last);
    return !this.over;
  }

  /** The peer sends nothing more on the stream. */
  protected halfClose(stream: H2Stream): void {
    if (stream.state === "open") stream.state = "half-closed-remote";
    else this.complete(stream);
  }

  /** For a server: what lies in front of the frames; the position behind it. */
  protected readPreface(_buf: Uint8Array, start: number, _end: number): number {
    return start;
  }

  #stop(fault: H2Fault): "stop" {
    this.fail(fault);
    return "stop";
  }
}

/** Trailers are borrowed by those who hear of them: one section serves all. */
const trailers = new Fields();
