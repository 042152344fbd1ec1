import type { Instant } from "./time.ts";
import type { Timer, Timers, TimerTarget } from "./transport.ts";

const TICK = 1_000; // microseconds
const BITS = 5;
const SLOTS = 1 << BITS;
const LEVELS = 9;
const MAX_TICK = SLOTS ** LEVELS - 1; // 32^9 ms, a thousand years
const DUE = LEVELS * SLOTS;
/** Ticks that a slot of each level spans. */
const WIDTH = Array.from({ length: LEVELS }, (_, level) => SLOTS ** level);

/**
 * A hierarchical timer wheel (Varghese and Lauck 1987): nine levels of 32 slots, ticks of a millisecond.
 *
 * A timer never fires early, and at most a tick after its deadline once `advance` is called. Timers of
 * one advance fire in the order of their deadlines, equal ones in the order in which they were set.
 * `schedule`, `cancel` and `reschedule` take constant time, and only `schedule` allocates.
 *
 * Level L holds the timers whose tick agrees with the current one in all base-32 digits above L and
 * differs in digit L, which names the slot. So the lowest occupied level has the next timer, and a slot
 * is looked at once per level that its timers descend. A deadline that moves later is only noted: the
 * entry stays where it is and moves on when its slot comes up, which makes the common case, an idle
 * timeout pushed back by each request, a single store.
 *
 * Drive it: call `advance(now)`, then sleep until `nextDeadline()`; `onEarlier` says when a new timer
 * is due before that.
 */
export class TimerWheel implements Timers {
  #size = 0;
  #order = 0;
  #advancing = false;
  /** The last tick that was processed. */
  #tick = 0;
  /** What the driver knows to be the next tick with work; it may be too early, never too late. */
  #known = Number.POSITIVE_INFINITY;
  readonly #origin: Instant;
  readonly #onEarlier: ((at: Instant) => void) | undefined;
  readonly #heads: (Entry | null)[] = new Array<Entry | null>(DUE + 1).fill(null);
  /** A bit for each occupied slot of a level. */
  readonly #occupied = new Int32Array(LEVELS);
  readonly #owner: EntryOwner;

  constructor(now: Instant, onEarlier?: (at: Instant) => void) {
    this.#origin = now;
    this.#onEarlier = onEarlier;
    this.#owner = {
      place: (entry, at) => this.#reschedule(entry, at),
      remove: (entry) => this.#cancel(entry),
    };
  }

  /** Timers that wait. */
  get size(): number {
    return this.#size;
  }

  /** A deadline that has passed fires at the next tick; a callback that sets one is not called twice. */
  schedule(target: TimerTarget, at: Instant): Timer {
    const entry = new Entry(this.#owner, target, at);
    this.#reschedule(entry, at);
    return entry;
  }

  /**
   * Fires what is due at `now`; a `now` in the past does nothing. Targets may set and cancel any timer.
   * A target that throws does not keep the others from firing: its error is thrown at the end, several
   * as one AggregateError.
   */
  advance(now: Instant): void {
    if (this.#advancing) throw new Error("advance called from a timer");
    const until = Math.floor((now - this.#origin) / TICK);
    if (until <= this.#tick) return;
    let errors: unknown[] | null = null;
    this.#advancing = true;
    for (let next = this.#nextTick(); next <= until; next = this.#nextTick()) {
      this.#tick = next;
      this.#collectDue();
      errors = this.#fireDue(now, errors);
    }
    this.#tick = until;
    this.#advancing = false;
    this.#known = this.#nextTick();
    if (errors !== null) {
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, "timers failed");
    }
  }

  /**
   * When `advance` has work to do next: no later than a tick after the earliest deadline. It may be
   * before it, when a far timer has to move closer; such a call to `advance` fires nothing.
   */
  nextDeadline(): Instant | undefined {
    this.#known = this.#nextTick();
    if (this.#known === Number.POSITIVE_INFINITY) return undefined;
    return this.#instantOf(this.#known);
  }

  /** Cancels all. */
  clear(): void {
    for (let slot = 0; slot <= DUE; slot++) {
      for (let entry = this.#heads[slot]!; entry !== null; entry = this.#heads[slot]!) {
        this.#cancel(entry);
      }
    }
  }

  #reschedule(entry: Entry, at: Instant): void {
    const linked = entry.slot >= 0;
    entry.at = at;
    entry.order = this.#order++;
    const tick = this.#tickOf(at);
    if (linked && entry.slot !== DUE && tick >= entry.placed) return;
    if (linked) this.#unlink(entry);
    else this.#size++;
    this.#place(entry, tick);
    if (this.#advancing || this.#onEarlier === undefined) return;
    const start = this.#slotStart(entry.slot);
    if (start >= this.#known) return;
    this.#known = start;
    this.#onEarlier(this.#instantOf(start));
  }

  #cancel(entry: Entry): void {
    if (entry.slot < 0) return;
    this.#unlink(entry);
    this.#size--;
  }

  /** The first tick that is not before `at` and not processed yet. */
  #tickOf(at: Instant): number {
    const tick = Math.ceil((at - this.#origin) / TICK);
    if (!(tick > this.#tick)) return this.#tick + 1;
    return Math.min(tick, MAX_TICK);
  }

  #instantOf(tick: number): Instant {
    return (this.#origin + tick * TICK) as Instant;
  }

  /** Links the entry where `tick` belongs; ticks are past 32 bits after weeks, so no bitwise operations. */
  #place(entry: Entry, tick: number): void {
    let level = 0;
    let block = Math.floor(tick / SLOTS);
    let digit = tick - block * SLOTS;
    let current = Math.floor(this.#tick / SLOTS);
    while (block !== current) {
      const above = Math.floor(block / SLOTS);
      digit = block - above * SLOTS;
      block = above;
      current = Math.floor(current / SLOTS);
      level++;
    }
    entry.placed = tick;
    this.#link(entry, level * SLOTS + digit);
    this.#occupied[level]! |= 1 << digit;
  }

  #link(entry: Entry, slot: number): void {
    const head = this.#heads[slot]!;
    entry.slot = slot;
    entry.previous = null;
    entry.next = head;
    if (head !== null) head.previous = entry;
    this.#heads[slot] = entry;
  }

  #unlink(entry: Entry): void {
    const { previous, next, slot } = entry;
    if (next !== null) next.previous = previous;
    if (previous !== null) previous.next = next;
    else {
      this.#heads[slot] = next;
      if (next === null && slot !== DUE) this.#vacate(slot);
    }
    entry.previous = null;
    entry.next = null;
    entry.slot = -1;
  }

  #vacate(slot: number): void {
    this.#occupied[slot >>> BITS]! &= ~(1 << (slot & (SLOTS - 1)));
  }

  /** The tick at which the next occupied slot begins, or Infinity. */
  #nextTick(): number {
    for (let level = 0; level < LEVELS; level++) {
      const bits = this.#occupied[level]!;
      if (bits === 0) continue;
      const lowest = 31 - Math.clz32(bits & -bits);
      return this.#slotStart(level * SLOTS + lowest);
    }
    return Number.POSITIVE_INFINITY;
  }

  #slotStart(slot: number): number {
    const width = WIDTH[slot >>> BITS]!;
    const block = width * SLOTS;
    return Math.floor(this.#tick / block) * block + (slot & (SLOTS - 1)) * width;
  }

  /**
   * Empties the slots that begin at the current tick, one on each level at most, from the top: what is
   * due goes to the due list, in order; what was pushed back or is in the middle of a slot moves down.
   */
  #collectDue(): void {
    for (let level = LEVELS - 1; level >= 0; level--) {
      const width = WIDTH[level]!;
      if (this.#tick % width !== 0) continue;
      const slot = level * SLOTS + (Math.floor(this.#tick / width) % SLOTS);
      let entry = this.#heads[slot]!;
      if (entry === null) continue;
      this.#heads[slot] = null;
      this.#vacate(slot);
      while (entry !== null) {
        const next: Entry | null = entry.next;
        if (entry.at > this.#instantOf(this.#tick)) this.#place(entry, this.#tickOf(entry.at));
        else this.#link(entry, DUE);
        entry = next!;
      }
    }
    this.#heads[DUE] = sorted(this.#heads[DUE]!);
  }

  #fireDue(now: Instant, errors: unknown[] | null): unknown[] | null {
    let failed = errors;
    for (let entry = this.#heads[DUE]!; entry !== null; entry = this.#heads[DUE]!) {
      this.#cancel(entry);
      try {
        entry.target.onTimer(now);
      } catch (error) {
        failed ??= [];
        failed.push(error);
      }
    }
    return failed;
  }
}

interface EntryOwner {
  place(entry: Entry, at: Instant): void;
  remove(entry: Entry): void;
}

class Entry implements Timer {
  at: Instant;
  /** Breaks ties between equal deadlines. */
  order = 0;
  /** The tick under which it is linked: at or before its deadline's. */
  placed = 0;
  /** Level times 32 plus digit; DUE in the list of those about to fire; -1 when not linked. */
  slot = -1;
  previous: Entry | null = null;
  next: Entry | null = null;
  readonly target: TimerTarget;
  readonly owner: EntryOwner;

  constructor(owner: EntryOwner, target: TimerTarget, at: Instant) {
    this.owner = owner;
    this.target = target;
    this.at = at;
  }

  get active(): boolean {
    return this.slot >= 0;
  }

  reschedule(at: Instant): void {
    this.owner.place(this, at);
  }

  cancel(): void {
    this.owner.remove(this);
  }
}

const isBefore = (a: Entry, b: Entry): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

/** Merge sort by deadline; returns the new head with its links in both directions. */
function sorted(head: Entry | null): Entry | null {
  if (head === null || head.next === null) return head;
  let middle = head;
  for (let fast = head.next; fast?.next; fast = fast.next.next!) middle = middle.next!;
  const second = middle.next;
  middle.next = null;
  return merged(sorted(head)!, sorted(second)!);
}

function merged(left: Entry, right: Entry): Entry {
  let a: Entry | null = left;
  let b: Entry | null = right;
  let head: Entry | null = null;
  let last: Entry | null = null;
  while (a !== null || b !== null) {
    const first: Entry = b === null || (a !== null && isBefore(a, b)) ? a! : b;
    if (first === a) a = a.next;
    else b = b!.next;
    first.previous = last;
    if (last === null) head = first;
    else last.next = first;
    last = first;
  }
  last!.next = null;
  return head!;
}
