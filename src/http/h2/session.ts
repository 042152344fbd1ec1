import type { Clock, Instant } from "../../core/time.ts";
import type { ByteSink } from "../../core/transport.ts";
import { Fields } from "../fields.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { Allowance } from "./allowance.ts";
import { readTrailers } from "./block-reader.ts";
import { H2Code } from "./error-code.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { checkFrame, u32 } from "./frame-check.ts";
import { FrameReader, type FrameSink, type FrameUse } from "./frame-reader.ts";
import { Flag, FrameType } from "./frame-type.ts";
import { HeaderBlock } from "./header-block.ts";
import { DEFAULT_LIMITS, type H2Limits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Output } from "./output.ts";
import type { SessionOwner, StreamReset } from "./owner.ts";
import { ReceiveSide } from "./receive-side.ts";
import { RecentResets } from "./recent-resets.ts";
import { type SendObserver, SendSide } from "./send-side.ts";
import { OwnSettings, PeerSettings } from "./settings.ts";
import type { H2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

export interface SessionOptions {
  /** Where the session's bytes go: the transport's stream. */
  readonly sink: ByteSink;
  readonly clock: Clock;
  readonly limits?: H2Limits;
}

/**
 * What servers and clients have in common: frames in, windows, settings, the life of streams and of the
 * connection. How it is driven stands in README.md.
 */
export abstract class Session implements FrameSink, SendObserver {
  readonly limits: H2Limits;
  /** Why the session ended; null while it lives, and after `close`. */
  fault: H2Fault | null;
  protected readonly clock: Clock;
  protected readonly output: Output;
  protected readonly streams: StreamTable;
  protected readonly decoder: HpackDecoder;
  protected readonly encoder: HpackEncoder;
  protected readonly peer: PeerSettings;
  protected readonly own: OwnSettings;
  protected readonly sending: SendSide;
  protected readonly receiving: ReceiveSide;
  protected readonly liveness: Liveness;
  protected readonly recent: RecentResets;
  protected readonly resets: Allowance;
  protected readonly control: Allowance;
  /** The session takes nothing more. */
  protected over: boolean;
  protected started: boolean;
  /** "announced": a first GOAWAY went out, which refuses nothing yet. */
  protected draining: "no" | "announced" | "final";
  /** Owners are to be told at the next flush: that no stream is left, that there is room for more. */
  protected quietDue: boolean;
  protected roomDue: boolean;
  /** The highest stream that the peer's GOAWAY leaves alive; -1 without one. */
  protected peerLast: number;
  readonly #owner: SessionOwner;
  readonly #reader: FrameReader;
  readonly #block: HeaderBlock;
  readonly #emptyData: Allowance;
  readonly #windowUpdates: Allowance;
  /** The stream of the DATA frame that is being read; null: what comes is dropped. */
  #dataStream: H2Stream | null;
  #dataEmpty: boolean;
  #awaitsSettings: boolean;
  #inReceive: boolean;

  constructor({ sink, clock, limits = DEFAULT_LIMITS }: SessionOptions, owner: SessionOwner) {
    this.limits = limits;
    this.fault = null;
    this.clock = clock;
    this.output = new Output(sink);
    this.streams = new StreamTable();
    this.decoder = new HpackDecoder(4096);
    this.encoder = new HpackEncoder();
    this.peer = new PeerSettings();
    this.own = new OwnSettings(limits);
    const { output, encoder } = this;
    this.sending = new SendSide(output, encoder, this, clock, limits.stallTimeout);
    this.receiving = new ReceiveSide(output, this.own, limits.connectionWindow);
    this.liveness = new Liveness(output, limits.pingTimeout);
    this.recent = new RecentResets();
    this.resets = new Allowance(limits.resets, clock);
    this.control = new Allowance(limits.control, clock);
    this.over = false;
    this.started = false;
    this.draining = "no";
    this.quietDue = false;
    this.roomDue = false;
    this.peerLast = -1;
    this.#owner = owner;
    this.#reader = new FrameReader();
    this.#block = new HeaderBlock();
    this.#emptyData = new Allowance(limits.emptyData, clock);
    this.#windowUpdates = new Allowance(limits.windowUpdates, clock);
    this.#dataStream = null;
    this.#dataEmpty = false;
    this.#awaitsSettings = true;
    this.#inReceive = false;
  }

  /** Streams that are not closed. */
  get openStreams(): number {
    return this.streams.count;
  }

  /** No stream is left and none will come: the transport can be closed once it has sent all. */
  get finished(): boolean {
    if (this.over) return true;
    return this.streams.count === 0 && (this.draining === "final" || this.peerLast >= 0);
  }

  /** Sends the preface and SETTINGS. */
  abstract start(): void;
  /** GOAWAY; streams under way go on. */
  abstract drain(): void;

  protected abstract readonly server: boolean;
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
  protected abstract streamGone(): void;
  protected abstract thereIsRoom(): void;
  protected abstract reprioritize(buf: Uint8Array, start: number, end: number): void;

  // ---- driving ---------------------------------------------------------------------------------

  /** Bytes of the peer. Events go to the owners, what is to be sent to the sink. */
  receive(buf: Uint8Array, start: number, end: number): void {
    if (this.over) return;
    if (!this.started) this.start();
    this.#inReceive = true;
    this.#reader.read(buf, this.readPreface(buf, start, end), end, this);
    this.#inReceive = false;
    this.flush();
  }

  /** Sends what commands have left in the session. */
  flush(): void {
    if (this.#inReceive) return;
    this.output.flush();
    if (this.roomDue) {
      this.roomDue = false;
      this.thereIsRoom();
    }
    if (!this.quietDue) return;
    this.quietDue = false;
    if (this.streams.count === 0 && !this.over) this.#owner.onQuiet();
  }

  /** The sink has room again. */
  onWritable(): void {
    this.output.drained();
    this.sending.pump();
    this.flush();
  }

  /** The next instant at which `handleTimeout` has something to do; Infinity for none. */
  nextTimeout(): number {
    if (this.over) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.own.deadline,
      this.#block.deadline,
      this.sending.stallDeadline,
      this.liveness.deadline,
      this.liveness.drainDeadline,
    );
  }

  handleTimeout(): void {
    if (this.over) return;
    const now = this.clock.now();
    if (this.own.deadline <= now) this.fail(Faults.settingsTimeout);
    else if (this.#block.deadline <= now) this.fail(Faults.headTimeout);
    else if (this.liveness.deadline <= now) this.fail(Faults.pingTimeout);
    if (this.over) return;
    if (this.liveness.drainDeadline <= now) this.#drainOn(now);
    if (this.sending.stallDeadline <= now) this.#endStalled();
    this.flush();
  }

  /** The transport is gone, or its reading side is. */
  close(): void {
    if (this.over) return;
    this.over = true;
    this.output.closed = true;
    this.#endStreams(H2Code.cancel, null);
    this.output.flush();
  }

  /** Asks the peer for a sign of life, unless one is due already. */
  ping(): void {
    if (!this.over) this.liveness.ping(this.clock.now());
  }

  // ---- commands on streams ---------------------------------------------------------------------

  /** Sends content; true: no more until the owner's `onWritable`. NetError INTERNAL beyond the length. */
  sendData(stream: H2Stream, buf: Uint8Array, start: number, end: number): boolean {
    if (!stream.localOpen || !stream.headSent || stream.queue?.ended) return false;
    return this.sending.data(stream, buf, start, end);
  }

  /** Ends the message. NetError INTERNAL when Content-Length announced more. */
  sendEnd(stream: H2Stream, trailers: Fields | null): void {
    if (!stream.localOpen || !stream.headSent) return;
    if (!stream.queue?.ended) this.sending.end(stream, trailers);
    // What is still in the queue is ours to send. Its owner has said everything, and heard everything,
    // or as much of a request as its response needed.
    const heard = !stream.remoteOpen || (this.server && stream.connect === "none");
    if (!heard || stream.closed) return;
    stream.owner = null;
    this.receiving.abandon(stream);
  }

  /** The owner is done with so many octets that `onData` brought it: the peer may send as many more. */
  consumed(stream: H2Stream, octets: number): void {
    if (!this.over) this.receiving.consumed(stream, octets);
  }

  /** Ends the stream at once, both ways; its owner hears no more of it. */
  reset(stream: H2Stream, code: H2Code): void {
    if (this.over) return;
    stream.owner = null;
    if (stream.closed) return this.receiving.abandon(stream);
    this.output.reset(stream.id, code);
    this.recent.add(stream.id);
    this.retire(stream);
    this.receiving.abandon(stream);
  }

  // ---- frames ----------------------------------------------------------------------------------

  onFrameHeader(length: number, type: number, flags: number, id: number): FrameUse {
    if (length > this.limits.frameSize) return this.#stop(Faults.frameTooLarge);
    if (this.#awaitsSettings) {
      if (type !== FrameType.settings || (flags & Flag.ack) !== 0) {
        return this.#stop(Faults.firstFrame);
      }
      this.#awaitsSettings = false;
    }
    const block = this.#block.stream;
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
      case FrameType.goaway:
        this.goingAway(u32(buf, start) & 0x7fff_ffff, u32(buf, start + 4));
        return !this.over;
    }
    if (!this.control.take(this.clock)) return this.fail(Faults.controlFlood);
    if (type === FrameType.settings) return this.#onSettings(flags, buf, start, end);
    if (type === FrameType.ping) return this.#onPing(flags, u32(buf, start), u32(buf, start + 4));
    if (type === FrameType.priorityUpdate) this.reprioritize(buf, start, end);
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
    this.#block.open(id, ended, this.clock.now() + this.limits.headTimeout);
    return this.#onFragment(flags, buf, from, to);
  }

  #onFragment(flags: number, buf: Uint8Array, start: number, end: number): boolean {
    const block = this.#block;
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
    if (!this.#windowUpdates.take(this.clock)) return this.fail(Faults.windowFlood);
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
      if (change !== 0) for (const stream of this.streams.all()) stream.receiveWindow += change;
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
    if (this.liveness.answered(high, low, now) === "drain") this.#drainOn(now);
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
    else this.retire(stream);
  }

  localEnded(stream: H2Stream): void {
    if (stream.resetCode >= 0) {
      this.output.reset(stream.id, stream.resetCode);
    } else if (stream.state === "open") {
      if (!this.server || stream.connect !== "none") {
        stream.state = "half-closed-local";
        return;
      }
      // §8.1: a response before the end of its request, which is not wanted any more.
      this.output.reset(stream.id, H2Code.noError);
    }
    if (stream.remoteOpen) {
      this.recent.add(stream.id);
      this.receiving.abandon(stream);
    }
    this.retire(stream);
  }

  dataSent(): void {
    this.#windowUpdates.grant(10);
  }

  // ---- ends ------------------------------------------------------------------------------------

  /** What the peer sends as a message is wrong. */
  protected messageFault(stream: H2Stream, fault: H2Fault): boolean {
    const { request } = stream;
    if (request === null || stream.headSent || stream.owner === null) {
      return this.streamFault(stream, fault);
    }
    stream.resetCode = fault.code;
    if (!this.resets.take(this.clock)) return this.fail(Faults.rapidReset);
    request.onMalformed(fault);
    return !this.over;
  }

  /** Resets the stream for a fault of the peer; false when that was one too many. */
  protected streamFault(stream: H2Stream, fault: H2Fault): boolean {
    this.output.reset(stream.id, fault.code);
    this.recent.add(stream.id);
    this.end(stream, { code: fault.code, by: "fault", unprocessed: false, fault });
    if (this.over) return false;
    return this.resets.take(this.clock) ? true : this.fail(Faults.rapidReset);
  }

  protected end(stream: H2Stream, reset: StreamReset): void {
    const { owner } = stream;
    stream.owner = null;
    this.retire(stream);
    this.receiving.abandon(stream);
    owner?.onReset(reset);
  }

  protected retire(stream: H2Stream): void {
    stream.state = "closed";
    this.sending.forget(stream);
    this.streams.delete(stream);
    if (this.streams.count === 0) this.quietDue = true;
    this.streamGone();
  }

  /** Ends the session; always false. */
  protected fail(fault: H2Fault): false {
    if (this.over) return false;
    this.over = true;
    this.fault = fault;
    this.output.goaway(this.lastStream, fault.code, fault.reason);
    this.output.flush();
    this.output.closed = true;
    this.#endStreams(fault.code, fault);
    this.#owner.onFailure(fault);
    return false;
  }

  /** The highest stream of the peer's that was taken up. */
  protected abstract readonly lastStream: number;

  /** For a server: what lies in front of the frames; the position behind it. */
  protected readPreface(_buf: Uint8Array, start: number, _end: number): number {
    return start;
  }

  #stop(fault: H2Fault): "stop" {
    this.fail(fault);
    return "stop";
  }

  #endStreams(code: H2Code, fault: H2Fault | null): void {
    for (const stream of this.streams.all()) {
      this.end(stream, { code, by: "connection", unprocessed: false, fault });
    }
  }

  #drainOn(_now: Instant): void {
    if (this.draining !== "announced") return;
    this.draining = "final";
    this.output.goaway(this.lastStream, H2Code.noError, "");
    if (this.streams.count === 0) this.quietDue = true;
  }

  #endStalled(): void {
    this.sending.stallDeadline = Number.POSITIVE_INFINITY;
    for (const stream of this.streams.all()) {
      if (this.over) return;
      if (this.sending.isStalled(stream)) this.streamFault(stream, Faults.stalled);
    }
  }
}

/** Trailers are borrowed by those who hear of them: one section serves all. */
const trailers = new Fields();
