import type { Clock, Instant } from "../../core/time.ts";
import { LoopPoll } from "../../native/poll.ts";
import type { Stack } from "../../netstack/stack.ts";
import type { TapDevice } from "./device.ts";

/**
 * Frames that one turn reads from a queue. Enough that the cost of a turn, some 5 µs, disappears, and
 * few enough that other work of the loop waits for 2 ms at most, with 64 KiB each.
 */
const FRAMES_PER_TURN = 64;
/** Turns in a row without a frame after which waiting is left to libuv, as the epoll reactor does. */
const IDLE_TURNS = 2;
const LONGEST = 2 ** 31 - 1;

/**
 * Drives a stack and its devices from the event loop. A turn: read a batch of frames from each device,
 * then let the stack run. While there are frames, turns follow each other from `setImmediate`; when there
 * are none, libuv waits for the descriptors, and a timeout for the stack's next deadline.
 */
export class TapLoop implements Clock {
  /** Turns since it began. */
  turns = 0;
  readonly #onFault: (error: unknown) => void;
  readonly #devices: TapDevice[] = [];
  readonly #polls = new Map<TapDevice, readonly LoopPoll[]>();
  readonly #runTurn = (): void => this.#scheduledTurn();
  readonly #onTimeout = (): void => this.#timedOut();
  #stack: Stack | null = null;
  #timeout: NodeJS.Timeout | null = null;
  #timeoutAt = Number.POSITIVE_INFINITY;
  #scheduled = false;
  #inTurn = false;
  #idleTurns = 0;
  #closed = false;
  #now: Instant = clock();

  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Stands still within a turn. */
  now(): Instant {
    return this.#inTurn ? this.#now : clock();
  }

  drive(stack: Stack): void {
    this.#stack = stack;
    this.wake();
  }

  add(device: TapDevice): void {
    this.#devices.push(device);
    const polls = device.queues.map(({ fd }) => new LoopPoll(fd, () => this.#onReadable()));
    this.#polls.set(device, polls);
    this.wake();
  }

  /** Before the device is closed. */
  remove(device: TapDevice): void {
    const at = this.#devices.indexOf(device);
    if (at >= 0) this.#devices.splice(at, 1);
    for (const poll of this.#polls.get(device) ?? []) poll.close();
    this.#polls.delete(device);
  }

  /** Has a turn run soon. */
  readonly wake = (): void => {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(this.#runTurn);
  };

  close(): void {
    this.#closed = true;
    for (const device of [...this.#devices]) this.remove(device);
    this.#disarm();
  }

  #onReadable(): void {
    if (!this.#scheduled) this.#turn();
  }

  #scheduledTurn(): void {
    this.#scheduled = false;
    this.#turn();
  }

  #timedOut(): void {
    this.#timeout = null;
    this.#timeoutAt = Number.POSITIVE_INFINITY;
    if (!this.#scheduled) this.#turn();
  }

  #turn(): void {
    if (this.#closed || this.#stack === null) return;
    this.#inTurn = true;
    this.#now = clock();
    this.turns++;
    let next: Instant | undefined;
    try {
      const frames = this.#receive();
      this.#idleTurns = frames > 0 ? 0 : this.#idleTurns + 1;
      next = this.#stack.run();
    } catch (error) {
      this.#onFault(error);
      next = this.#stack.nextTimeout();
    } finally {
      this.#inTurn = false;
    }
    this.#continue(next);
  }

  #receive(): number {
    const devices = this.#devices;
    let frames = 0;
    for (let i = 0; i < devices.length; i++) {
      devices[i]!.settle();
      frames += devices[i]!.receive(FRAMES_PER_TURN);
    }
    return frames;
  }

  #continue(next: Instant | undefined): void {
    if (this.#closed) return;
    let busy = this.#idleTurns < IDLE_TURNS;
    for (const device of this.#devices) busy ||= device.unsettled;
    if (busy) {
      this.wake();
      return;
    }
    for (const [device, polls] of this.#polls) {
      if (!device.gone) for (const poll of polls) poll.start();
    }
    if (next !== undefined) this.#arm(next);
  }

  /** An earlier timeout that is armed already is left: it will find nothing due, and arm anew. */
  #arm(at: Instant): void {
    if (this.#timeoutAt <= at) return;
    this.#disarm();
    this.#timeoutAt = at;
    const wait = Math.ceil((at - clock()) / 1_000);
    this.#timeout = setTimeout(this.#onTimeout, Math.min(Math.max(wait, 0), LONGEST));
  }

  #disarm(): void {
    if (this.#timeout !== null) clearTimeout(this.#timeout);
    this.#timeout = null;
    this.#timeoutAt = Number.POSITIVE_INFINITY;
  }
}

const clock = (): Instant => Math.trunc(performance.now() * 1_000) as Instant;
