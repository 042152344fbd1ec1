import type { Instant } from "../../core/time.ts";
import type { TurnTarget } from "../../core/transport.ts";
import { TurnQueue } from "../../core/turn-queue.ts";
import type { DescriptorLog } from "../../native/descriptor-log.ts";
import { EpollSet } from "../../native/epoll.ts";
import { PinnedMemory } from "../../native/memory.ts";
import { LoopPoll } from "../../native/poll.ts";
import { Sockets } from "../../native/socket.ts";
import type { Outbox } from "./outbox.ts";
import { SendMemory } from "./send-memory.ts";
import { ReactorStats } from "./stats.ts";

/**
 * Events that one turn takes: few, so that a socket's data, and what is sent because of it, are still
 * in the cache when the turn ends. With 512 busy connections CPU per request was 17 µs at 16 events
 * against 23 – 33 at 512 (nginx 14); with 64 there is no difference.
 */
const EVENTS_PER_TURN = 16;

/**
 * Turns in a row without an event after which the reactor leaves waiting to libuv. Measured as CPU per
 * request with 1, 2, 4, 16 and 64 connections and with short ones: 8 saves a quarter with two
 * connections and costs as much with four, and 15 % with short ones; 1 to 3 are alike.
 *
 * Left out: to go on polling while busy, and stop only in long busy stretches. It saves 10 % with short
 * connections, but a thread that is terminated while koffi's callback is due takes the process along.
 */
const IDLE_TURNS = 2;

/**
 * Turns with all the events that one can take, after which those are called that wait for the end of a
 * turn: more events are there by then, and what comes of them may go in the same write.
 */
const FULL_TURNS = 4;

/** Something with a descriptor in the epoll set. */
export interface Source {
  readonly fd: number;
  /** Tells this source's events from those of an earlier one with the same descriptor. */
  readonly generation: number;
  onEvents(events: number): void;
  /** Its turn has come again after `Reactor.again`. */
  onAgain(): void;
  /** A handler threw, or this driver did. */
  onThrow(error: unknown): void;
  /** The transport closes. */
  destroy(): void;
}

/**
 * The event loop of one transport: an epoll set of its own, nested in libuv's. While it is idle, libuv
 * waits for the set. While it is busy, a turn runs in each iteration of Node's loop, from
 * `setImmediate`, so timers, promises and messages go on in between.
 *
 * A turn: send what was written since the last one; take the events that are there; let those go on
 * that had more than their share; send what all of that wrote, one call per socket.
 */
export class Reactor {
  readonly stats = new ReactorStats();
  readonly sockets = new Sockets();
  /** Where all reads go. Lent to handlers; overwritten by the next read of any stream. */
  readonly received: PinnedMemory;
  readonly sendMemory: SendMemory;
  readonly onFault: (error: unknown) => void;
  readonly #epoll = new EpollSet(EVENTS_PER_TURN);
  readonly #poll: LoopPoll;
  readonly #descriptors: DescriptorLog | null;
  readonly #runTurn = (): void => this.#scheduledTurn();
  /** By descriptor. */
  readonly #sources: (Source | undefined)[] = [];
  readonly #turnEnd: TurnQueue;
  #again: Source[] = [];
  #spare: Source[] = [];
  #held = 0;
  #generation = 0;
  #idleTurns = 0;
  #fullTurns = 0;
  #inTurn = false;
  #scheduled = false;
  #closed = false;
  #now: Instant = clock();

  constructor(
    receiveBufferSize: number,
    descriptors: DescriptorLog | null,
    onFault: (error: unknown) => void,
  ) {
    this.onFault = onFault;
    this.#turnEnd = new TurnQueue(onFault);
    this.#descriptors = descriptors;
    descriptors?.opened(this.#epoll.fd);
    this.received = new PinnedMemory(receiveBufferSize);
    this.sendMemory = new SendMemory(this.received, this.stats);
    this.#poll = new LoopPoll(this.#epoll.fd, () => this.#onReadable());
    this.#poll.setRef(false);
  }

  /** The clock, in microseconds; it stands still within a turn. */
  now(): Instant {
    return this.#inTurn ? this.#now : clock();
  }

  nextGeneration(): number {
    return (this.#generation = (this.#generation + 1) | 0);
  }

  /** Watches a source; 0 or -errno. */
  add(source: Source, interest: number): number {
    const { fd } = source;
    const { length } = this.#sources;
    // Grown one by one: a hole of more than 1024 would turn the array into a hash table.
    for (let i = length; i <= fd; i++) this.#sources.push(undefined);
    this.#sources[fd] = source;
    this.#descriptors?.opened(fd);
    return this.#epoll.add(fd, interest, source.generation);
  }

  /** Stops to watch without closing. */
  remove(source: Source): void {
    this.#sources[source.fd] = undefined;
    this.#epoll.remove(source.fd);
  }

  /** To be called before the source's descriptor is closed, which takes it out of the set. */
  forget(source: Source): void {
    this.#descriptors?.closing(source.fd);
    if (this.#sources[source.fd] === source) this.#sources[source.fd] = undefined;
  }

  /** Something is open that keeps the process alive. */
  hold(): void {
    if (this.#held++ === 0) this.#poll.setRef(true);
  }

  release(): void {
    if (--this.#held === 0) this.#poll.setRef(false);
  }

  /** Calls `onAgain` in the next turn. */
  again(source: Source): void {
    this.#again.push(source);
    this.#wake();
  }

  /** Calls the target before the next flush. */
  atTurnEnd(target: TurnTarget): void {
    this.#turnEnd.add(target);
    if (!this.#inTurn) this.#wake();
  }

  /** Has the outbox sent and settled by the end of this turn, or else by the next one. */
  flushSoon(outbox: Outbox): void {
    outbox.listed = true;
    this.sendMemory.dirty.push(outbox);
    if (!this.#inTurn) this.#wake();
  }

  close(): void {
    if (this.#closed) return;
    for (const source of this.#sources) source?.destroy();
    this.#closed = true;
    this.#turnEnd.clear();
    this.#poll.close();
    this.#descriptors?.closing(this.#epoll.fd);
    this.#epoll.close();
  }

  #wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#runTurn);
  }

  #onReadable(): void {
    if (!this.#scheduled) this.#turn();
  }

  #scheduledTurn(): void {
    this.#scheduled = false;
    this.#turn();
  }

  #turn(): void {
    if (this.#closed) return;
    this.#inTurn = true;
    this.#now = clock();
    this.stats.turns++;
    try {
      if (this.#fullTurns === 0) this.#turnEnd.run();
      this.#flush();
      const n = this.#epoll.wait();
      for (let i = 0; i < n && !this.#closed; i++) this.#dispatch(i);
      this.#idleTurns = n > 0 ? 0 : this.#idleTurns + 1;
      this.#goOn();
      this.#fullTurns = n < EVENTS_PER_TURN ? 0 : (this.#fullTurns + 1) % FULL_TURNS;
      if (this.#fullTurns === 0) this.#turnEnd.run();
      this.#flush();
    } finally {
      this.#inTurn = false;
      this.#next();
    }
  }

  #next(): void {
    if (this.#closed) return;
    const pending =
      this.#again.length > 0 || this.sendMemory.dirty.length > 0 || !this.#turnEnd.empty;
    if (pending || this.#idleTurns < IDLE_TURNS) this.#wake();
    else this.#poll.start();
  }

  #dispatch(i: number): void {
    const source = this.#sources[this.#epoll.fdAt(i)];
    // Of a descriptor that was closed, and perhaps given out again, earlier in this batch.
    if (source === undefined || source.generation !== this.#epoll.generationAt(i)) return;
    try {
      source.onEvents(this.#epoll.eventsAt(i));
    } catch (error) {
      source.onThrow(error);
    }
  }

  #goOn(): void {
    const list = this.#again;
    if (list.length === 0) return;
    this.#again = this.#spare;
    this.#spare = list;
    for (let i = 0; i < list.length; i++) {
      const source = list[i]!;
      try {
        source.onAgain();
      } catch (error) {
        source.onThrow(error);
      }
    }
    list.length = 0;
  }

  #flush(): void {
    const { dirty } = this.sendMemory;
    if (dirty.length === 0) return;
    // Owners may write while it runs: the list grows.
    for (let i = 0; i < dirty.length; i++) {
      const outbox = dirty[i]!;
      outbox.listed = false;
      outbox.transmit();
      outbox.owner.afterSend();
    }
    dirty.length = 0;
    this.sendMemory.top = 0;
  }
}

const clock = (): Instant => Math.trunc(performance.now() * 1_000) as Instant;
