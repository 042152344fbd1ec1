import type { Duration, Instant } from "../../core/time.ts";

/** An idle connection that may serve again. */
export interface PoolMember {
  /** Set by the pool when the member is put into it. */
  idleSince: Instant;
  /** Closes it because the pool says so; it is out of the pool by then. */
  retire(): void;
}

/**
 * The idle connections of one endpoint. All are interchangeable (Pingora keys its pool by all that
 * makes them so; here an endpoint is that key). The most recently used is taken first: it is the least
 * likely to have been closed by the server, and the surplus of a burst ages until `sweep` finds it.
 *
 * Members lie in the order in which they came, which is that of `idleSince`. `take` and `put` cost
 * constant time and allocate nothing; `remove` finds its member by bisection.
 */
export class Pool {
  /** Members from `#first` on; the slots before it are null. */
  readonly #members: (PoolMember | null)[] = [];
  #first = 0;
  #max: number;

  /** Keeps at most `max` members; 0 keeps none. */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#members.length - this.#first;
  }

  /** Since when the member that waits longest is idle. */
  oldest(): Instant | undefined {
    return this.#members[this.#first]?.idleSince;
  }

  /** The most recently used member, which is the caller's from now on, or null. */
  take(): PoolMember | null {
    if (this.#members.length === this.#first) return null;
    const member = this.#members.pop()!;
    if (this.#members.length === this.#first) this.#reset();
    return member;
  }

  /** Keeps a member that just became idle. Over `max` the oldest is retired, with 0 this one. */
  put(member: PoolMember, now: Instant): void {
    member.idleSince = now;
    this.#members.push(member);
    if (this.size > this.#max) this.#retireOldest();
  }

  /** Forgets a member that closed by itself. False when it is not here. */
  remove(member: PoolMember): boolean {
    const at = this.#find(member);
    if (at < 0) return false;
    this.#members.copyWithin(at, at + 1);
    this.#members.length--;
    return true;
  }

  /** Retires every member that has been idle for `idle` or longer. */
  sweep(now: Instant, idle: Duration): void {
    for (;;) {
      const oldest = this.oldest();
      if (oldest === undefined || now - oldest < idle) return;
      this.#retireOldest();
    }
  }

  /** Retires every member. */
  clear(): void {
    // A retired member may cause others to be put: only those that are here now are meant.
    for (let left = this.size; left > 0 && this.size > 0; left--) this.#retireOldest();
  }

  /** Retires every member, and from now on whatever is put. */
  close(): void {
    this.#max = 0;
    this.clear();
  }

  #retireOldest(): void {
    const member = this.#members[this.#first]!;
    this.#members[this.#first] = null;
    this.#first++;
    // Moving the rest down once half of the array is empty keeps this constant on average.
    if (this.#first === this.#members.length) this.#reset();
    else if (this.#first >= 32 && this.#first * 2 >= this.#members.length) {
      this.#members.copyWithin(0, this.#first);
      this.#members.length -= this.#first;
      this.#first = 0;
    }
    member.retire();
  }

  #reset(): void {
    this.#members.length = 0;
    this.#first = 0;
  }

  #find(member: PoolMember): number {
    const members = this.#members;
    let low = this.#first;
    let high = members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (members[middle]!.idleSince < member.idleSince) low = middle + 1;
      else high = middle;
    }
    for (; low < members.length && members[low]!.idleSince === member.idleSince; low++) {
      if (members[low] === member) return low;
    }
    return -1;
  }
}
