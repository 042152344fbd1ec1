import { copyBytes } from "../../core/bytes.ts";
import { MSG_NOSIGNAL } from "../../native/constants.ts";
import { EAGAIN } from "../../native/errno.ts";
import { errno, type Libc, libc } from "../../native/libc.ts";
import type { Chunk, SendMemory } from "./send-memory.ts";

/**
 * From this size on, a write goes out of the caller's memory in a system call of its own: the copy
 * that gathering costs (0.5 µs here) comes near to what a second call costs.
 */
export const DIRECT_BYTES = 16 * 1024;

/** Pending bytes up to which a stream's share of the arena is moved to stay in one piece. */
const MOVE_BYTES = 2 * 1024;

/** Whose outbox it is: told once per flush, when handlers may be called. */
export interface OutboxOwner {
  afterSend(): void;
}

/**
 * What a stream has to send, in this order: `backlog` (chunks that the kernel did not take), or else
 * `pending` (a range of the arena, gathered in this turn). Never both: while `blocked`, writes join
 * the backlog. No method calls a handler.
 */
export class Outbox {
  /** The socket; -1 while there is none. */
  fd: number;
  readonly owner: OutboxOwner;
  /** Bytes taken and not yet taken by the kernel. */
  queued = 0;
  /** The kernel takes nothing now: wait for EPOLLOUT. True from the start while connecting. */
  blocked: boolean;
  /** The error that a send met, 0 while there was none. Nothing is sent or kept after it. */
  error = 0;
  /** In the list of the outboxes to be flushed. */
  listed = false;
  #start = 0;
  #end = 0;
  #head: Chunk | null = null;
  #tail: Chunk | null = null;
  readonly #memory: SendMemory;
  readonly #c: Libc = libc();

  constructor(owner: OutboxOwner, fd: number, memory: SendMemory, blocked: boolean) {
    this.owner = owner;
    this.fd = fd;
    this.#memory = memory;
    this.blocked = blocked;
  }

  /** Takes buf[start, end) by sending it or by copying it. The range has been checked. */
  append(buf: Uint8Array, start: number, end: number): void {
    if (this.error !== 0) return;
    this.queued += end - start;
    if (this.blocked) this.#keep(buf, start, end);
    else if (this.#end - this.#start + (end - start) >= DIRECT_BYTES) {
      this.#sendDirect(buf, start, end);
    } else this.#gather(buf, start, end);
  }

  /** Sends what is pending, or the backlog once the socket is writable again. */
  transmit(): void {
    if (this.error !== 0 || this.blocked || this.#start === this.#end) return;
    const { arena } = this.#memory;
    const length = this.#end - this.#start;
    const sent = this.#account(
      this.#c.send(this.fd, arena.address + this.#start, length, MSG_NOSIGNAL),
    );
    const start = this.#start + sent;
    const end = this.#end;
    this.#start = 0;
    this.#end = 0;
    if (sent < length && this.error === 0) this.#keep(arena.bytes, start, end);
  }

  /** The socket is writable (or has connected): sends the backlog as far as it goes. */
  unblock(): void {
    this.blocked = false;
    while (this.#head !== null && !this.blocked && this.error === 0) this.#sendBacklog();
  }

  /** Forgets everything; for a stream that is closed. */
  clear(): void {
    for (let chunk = this.#head; chunk !== null; ) {
      const { next } = chunk;
      this.#memory.giveBack(chunk);
      chunk = next;
    }
    this.#head = null;
    this.#tail = null;
    this.#start = 0;
    this.#end = 0;
    this.queued = 0;
    this.blocked = true;
    this.fd = -1;
  }

  #gather(buf: Uint8Array, start: number, end: number): void {
    const memory = this.#memory;
    const pending = this.#end - this.#start;
    const length = end - start;
    const adjoining = pending > 0 && this.#end === memory.top;
    if (pending > MOVE_BYTES && !adjoining) this.transmit();
    const moved = adjoining ? 0 : this.#end - this.#start;
    if (memory.top + moved + length > memory.arena.length) memory.makeRoom();
    if (this.error !== 0) return;
    if (this.blocked) {
      this.#keep(buf, start, end);
      return;
    }
    if (this.#end === this.#start) {
      this.#start = memory.top;
      this.#end = memory.top;
    } else if (this.#end !== memory.top) this.#moveToTop();
    copyBytes(buf, start, end, memory.arena.bytes, this.#end);
    this.#end += length;
    memory.top = this.#end;
  }

  /** Another stream's bytes follow ours in the arena: moves ours behind them. */
  #moveToTop(): void {
    const { arena, top } = this.#memory;
    copyBytes(arena.bytes, this.#start, this.#end, arena.bytes, top);
    this.#end = top + (this.#end - this.#start);
    this.#start = top;
  }

  #sendDirect(buf: Uint8Array, start: number, end: number): void {
    const { arena, vector } = this.#memory;
    const pending = this.#end - this.#start;
    if (pending > 0) vector.add(arena.address + this.#start, pending);
    // Borrowed for this call: `buf` is reachable from our caller, and sendmsg keeps no pointer.
    vector.add(this.#memory.addressOf(buf) + start, end - start);
    const result = vector.send(this.fd);
    const from = this.#start;
    this.#start = 0;
    this.#end = 0;
    const sent = this.#accountResult(result);
    if (this.error !== 0) return;
    if (sent < pending) this.#keep(arena.bytes, from + sent, from + pending);
    const rest = start + Math.max(sent - pending, 0);
    if (rest < end) this.#keep(buf, rest, end);
  }

  #sendBacklog(): void {
    const { vector } = this.#memory;
    let offered = 0;
    for (let chunk = this.#head; chunk !== null && !vector.full; chunk = chunk.next) {
      vector.add(chunk.memory.address + chunk.start, chunk.end - chunk.start);
      offered += chunk.end - chunk.start;
    }
    const sent = this.#accountResult(vector.send(this.fd));
    if (this.error !== 0) return;
    this.#drop(sent);
    this.blocked = sent < offered;
  }

  /** Takes `count` bytes off the backlog's front. */
  #drop(count: number): void {
    let left = count;
    for (let chunk = this.#head; chunk !== null; chunk = this.#head) {
      const length = chunk.end - chunk.start;
      if (left < length) {
        chunk.start += left;
        return;
      }
      left -= length;
      this.#head = chunk.next;
      if (this.#head === null) this.#tail = null;
      this.#memory.giveBack(chunk);
    }
  }

  /** Copies buf[start, end) to the backlog's end and blocks. */
  #keep(buf: Uint8Array, start: number, end: number): void {
    this.blocked = true;
    let at = start;
    while (at < end) {
      let tail = this.#tail;
      if (tail === null || tail.room === 0) {
        const chunk = this.#memory.takeChunk();
        if (tail === null) this.#head = chunk;
        else tail.next = chunk;
        this.#tail = chunk;
        tail = chunk;
      }
      const length = Math.min(end - at, tail.room);
      copyBytes(buf, at, at + length, tail.memory.bytes, tail.end);
      tail.end += length;
      at += length;
    }
  }

  #account(returned: number): number {
    return this.#accountResult(returned < 0 ? -errno() : returned);
  }

  /** Counts a send: the bytes that the kernel took, 0 when it has no room. Notes an error. */
  #accountResult(result: number): number {
    const { stats } = this.#memory;
    stats.sends++;
    if (result >= 0) {
      stats.bytesOut += result;
      this.queued -= result;
      return result;
    }
    // EINTR is not there: a send on a non-blocking socket asks for room before it asks for signals.
    if (result !== -EAGAIN) {
      this.error = -result;
      this.queued = 0;
    }
    return 0;
  }
}
