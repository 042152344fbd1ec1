import type { Instant } from "../../core/time.ts";
import { type Seq, seqAdd, seqDiff, seqGt } from "../../wire/seq.ts";
import type { SackBlock } from "../../wire/tcp-options.ts";
import type { Assembler } from "./assembler.ts";
import { ByteQueue } from "./byte-queue.ts";
import type { QueueMemory } from "./queue-memory.ts";
import type { TcpSettings } from "./settings.ts";

/** The receive sequence space (RFC 9293 §3.3.1) and the bytes in it that nobody has taken yet. */
export class ReceiveSpace {
  // Signed integers, as in SendSpace.
  #irs = 0;
  #nxt = 0;
  #edge = 0;
  #acknowledged = 0;
  #tsRecent = 0;
  #tsRecentAt = 0;
  /** Our shift, or -1. */
  scale = -1;
  /** The receive buffer's size in bytes, as autotuning has it. */
  limit: number;
  /** In order, while reading is paused; made when needed. What it holds is counted by `keep` and `dropRead`. */
  unread: ByteQueue | null = null;
  /** Ahead of a gap; made when needed. */
  assembler: Assembler | null = null;
  /** What came twice since our last ACK: to be told once (RFC 2883 §4). */
  duplicate: SackBlock | null = null;
  /** The number of the peer's FIN once it is known. */
  finAt: Seq | null = null;
  /** Everything up to the FIN has arrived. */
  finReceived = false;
  /** The owner knows. */
  endDelivered = false;
  bytesReceived = 0;
  readonly #memory: QueueMemory;

  constructor(settings: TcpSettings, memory: QueueMemory) {
    this.#memory = memory;
    this.limit = settings.receiveBuffer;
  }

  get irs(): Seq {
    return (this.#irs >>> 0) as Seq;
  }

  get nxt(): Seq {
    return (this.#nxt >>> 0) as Seq;
  }

  set nxt(value: Seq) {
    this.#nxt = value | 0;
  }

  /** The right edge of the window that was last advertised; it never moves left. */
  get edge(): Seq {
    return (this.#edge >>> 0) as Seq;
  }

  set edge(value: Seq) {
    this.#edge = value | 0;
  }

  /** RCV.NXT in the last segment that we sent. */
  get acknowledged(): Seq {
    return (this.#acknowledged >>> 0) as Seq;
  }

  set acknowledged(value: Seq) {
    this.#acknowledged = value | 0;
  }

  /** TS.Recent of RFC 7323 §4.3. */
  get tsRecent(): number {
    return this.#tsRecent >>> 0;
  }

  setTsRecent(now: Instant, value: number): void {
    this.#tsRecent = value | 0;
    this.#tsRecentAt = wholeSeconds(now);
  }

  /** For how many seconds TS.Recent has been what it is. */
  tsRecentAge(now: Instant): number {
    return wholeSeconds(now) - this.#tsRecentAt;
  }

  begin(irs: Seq): void {
    this.#irs = irs | 0;
    this.nxt = seqAdd(irs, 1);
    this.acknowledged = this.nxt;
    this.edge = seqAdd(this.nxt, this.synWindow);
  }

  /** RFC 7323 §2.2: the window of a SYN is never scaled. */
  get synWindow(): number {
    return Math.min(0xffff, this.limit);
  }

  /** RCV.WND as the peer knows it. */
  get window(): number {
    return (this.#edge - this.#nxt) | 0;
  }

  get unreadBytes(): number {
    return this.unread === null ? 0 : this.unread.length;
  }

  /** Bytes for which there is memory, where nobody reads them now. */
  get room(): number {
    return this.#memory.room(this.unreadBytes);
  }

  /** Keeps bytes[start, end) until they are read. */
  keep(bytes: Uint8Array, start: number, end: number): void {
    this.unread ??= new ByteQueue();
    this.unread.append(bytes, start, end);
    this.#memory.used += end - start;
  }

  /** The same with all of another queue, which is empty then. */
  keepAll(queue: ByteQueue): void {
    this.#memory.used += queue.length;
    this.unread ??= new ByteQueue();
    this.unread.takeAll(queue);
  }

  /** The first of what was kept has been read. */
  dropRead(length: number): void {
    this.unread!.drop(length);
    this.#memory.used -= length;
  }

  get hasGap(): boolean {
    return this.assembler !== null && this.assembler.first !== null;
  }

  /**
   * The right edge to advertise now: what is free beyond RCV.NXT, of the buffer and of the memory that all
   * connections share, but never less than was advertised (RFC 9293 §3.8.6, SHLD-14), and not by small
   * steps (§3.8.6.2.2: silly windows).
   */
  nextEdge(mss: number): Seq {
    const size = this.#memory.share(this.limit);
    const free = Math.max(0, size - this.unreadBytes);
    const unit = this.scale > 0 ? 1 << this.scale : 1;
    const largest = this.scale < 0 ? 0xffff : 0xffff * unit;
    const edge = seqAdd(this.nxt, Math.min(free - (free % unit), largest));
    if (!seqGt(edge, this.edge)) return this.edge;
    return seqDiff(edge, this.edge) >= Math.min(size >>> 1, mss) ? edge : this.edge;
  }

  /**
   * The window field for that edge. Scaling rounds it down, so the peer may see the edge move left by less than
   * a unit; what lies up to `edge` is taken all the same (RFC 7323 §2.4).
   */
  windowField(edge: Seq): number {
    const window = seqDiff(edge, this.nxt);
    if (window <= 0) return 0;
    return Math.min(0xffff, this.scale > 0 ? window >>> this.scale : window);
  }

  /** Forgets what was not read. Its memory is not reused: the owner may be looking at it right now. */
  release(): void {
    this.#memory.used -= this.unreadBytes;
    this.unread = null;
    this.releaseAhead();
  }

  /** Forgets what came ahead of a gap, as that will never be closed. */
  releaseAhead(): void {
    this.assembler?.release();
    this.assembler = null;
  }
}

const wholeSeconds = (at: Instant): number => Math.trunc(at / 1_000_000);
