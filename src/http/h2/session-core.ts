import type { Clock } from "../../core/time.ts";
import type { ByteSink } from "../../core/transport.ts";
import type { Fields } from "../fields.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { Allowance } from "./allowance.ts";
import { H2Code } from "./error-code.ts";
import { Faults, type H2Fault } from "./fault.ts";
import { HeaderBlock } from "./header-block.ts";
import { DEFAULT_LIMITS, type H2Limits } from "./limits.ts";
import { Liveness } from "./liveness.ts";
import { Output } from "./output.ts";
import type { SessionOwner, StreamReset } from "./owner.ts";
import { ReceiveSide } from "./receive-side.ts";
import { RecentResets } from "./recent-resets.ts";
import { type SendObserver, SendSide } from "./send-side.ts";
import { OwnSettings, PeerSettings, Setting } from "./settings.ts";
import type { H2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

export interface SessionOptions {
  /** Where the session's bytes go: the transport's stream. */
  readonly sink: ByteSink;
  readonly clock: Clock;
  readonly limits?: H2Limits;
}

/**
 * The life of streams and of the connection, in either role: commands, deadlines, ends. What comes
 * in is the subclass's.
 */
export abstract class SessionCore implements SendObserver {
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
  /**
   * Owners are to be told at the next flush: that no stream is left, that there is room for more.
   */
  protected quietDue: boolean;
  protected roomDue: boolean;
  /** The highest stream that the peer's GOAWAY leaves alive; -1 without one. */
  protected peerLast: number;
  /** The field block that is being gathered. */
  protected readonly block: HeaderBlock;
  protected readonly windowUpdates: Allowance;
  /** When a frame that has begun is overdue. */
  protected frameDeadline: number;
  /** Within `receive`, whose end flushes. */
  protected inReceive: boolean;
  readonly #owner: SessionOwner;

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
    this.frameDeadline = Number.POSITIVE_INFINITY;
    this.#owner = owner;
    this.block = new HeaderBlock();
    this.windowUpdates = new Allowance(limits.windowUpdates, clock);
    this.inReceive = false;
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
  /** The highest stream of the peer's that was taken up. */
  protected abstract readonly lastStream: number;
  protected abstract streamGone(): void;
  protected abstract thereIsRoom(): void;

  // ---- driving ---------------------------------------------------------------------------------

  /** Sends what commands have left in the session. */
  flush(): void {
    if (this.inReceive) return;
    this.output.flush();
    if (this.over) return;
    if (this.roomDue) {
      this.roomDue = false;
      this.thereIsRoom();
    }
    if (!this.quietDue) return;
    this.quietDue = false;
    if (this.streams.count === 0) this.#owner.onQuiet();
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
      this.block.deadline,
      this.frameDeadline,
      this.sending.stallDeadline,
      this.liveness.deadline,
      this.liveness.drainDeadline,
    );
  }

  handleTimeout(): void {
    if (this.over) return;
    const now = this.clock.now();
    if (this.own.deadline <= now) this.fail(Faults.settingsTimeout);
    else if (Math.min(this.block.deadline, this.frameDeadline) <= now)
      this.fail(Faults.headTimeout);
    else if (this.liveness.deadline <= now) this.fail(Faults.pingTimeout);
    if (this.over) return;
    if (this.liveness.drainDeadline <= now) this.drainOn();
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

  /**
   * Changes what each stream may bring before its owner has consumed it, from the peer's
   * acknowledgment on; for streams that are open, too. From 0 to 2^31-1.
   */
  changeStreamWindow(octets: number): void {
    if (this.over) return;
    if (!this.started) this.start();
    this.output.settings([Setting.initialWindowSize, octets]);
    this.own.sent(octets, this.clock.now());
  }

  /** Asks the peer for a sign of life, unless one is due already. */
  ping(): void {
    if (!this.over) this.liveness.ping(this.clock.now());
  }

  // ---- commands on streams ---------------------------------------------------------------------

  /**
   * Sends content; true: no more until the owner's `onWritable`. NetError INTERNAL beyond the
   * length.
   */
  sendData(stream: H2Stream, buf: Uint8Array, start: number, end: number): boolean {
    if (!stream.localOpen || !stream.headSent || stream.queue?.ended) return false;
    return this.sending.data(stream, buf, start, end);
  }

  /** Ends the message. NetError INTERNAL when Content-Length announced more. */
  sendEnd(stream: H2Stream, trailers: Fields | null): void {
    if (!stream.localOpen || !stream.headSent) return;
    if (!stream.queue?.ended) this.sending.end(stream, trailers);
    // What is still in the queue is ours to send. Its owner has said everything, and heard
    // everything,
    // or as much of a request as its response needed.
    const heard = !stream.remoteOpen || (this.server && stream.connect === "none");
    if (!heard || stream.closed) return;
    stream.owner = null;
    this.receiving.abandon(stream);
  }

  /**
   * The owner is done with so many octets that `onData` brought it: the peer may send as many more.
   */
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

  /** All of our message is in the output. */
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
    this.complete(stream);
  }

  /** Both sides have said what they had to: that makes up for a stream that was reset. */
  protected complete(stream: H2Stream): void {
    if (stream.resetCode < 0) this.resets.grant(1);
    this.retire(stream);
  }

  dataSent(): void {
    this.windowUpdates.grant(10);
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

  #endStreams(code: H2Code, fault: H2Fault | null): void {
    for (const stream of this.streams.all()) {
      this.end(stream, { code, by: "connection", unprocessed: false, fault });
    }
  }

  protected drainOn(): void {
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
