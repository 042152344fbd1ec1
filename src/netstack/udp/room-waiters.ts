import type { Interface, InterfaceListener } from "../interface.ts";

/** What waits for room in an interface's device. */
export interface RoomWaiter {
  onRoom(): void;
}

/** Tells sockets that were told `full` when their interface has room again: each once. */
export class RoomWaiters implements InterfaceListener {
  readonly #watched = new WeakSet<Interface>();
  readonly #waiting = new Map<RoomWaiter, Interface>();

  /** A socket that waits for another interface already waits for this one now. */
  add(waiter: RoomWaiter, on: Interface): void {
    this.#waiting.set(waiter, on);
    if (this.#watched.has(on)) return;
    this.#watched.add(on);
    on.watch(this);
  }

  remove(waiter: RoomWaiter): void {
    this.#waiting.delete(waiter);
  }

  onReady(from: Interface): void {
    const told: RoomWaiter[] = [];
    for (const [waiter, on] of this.#waiting) if (on === from) told.push(waiter);
    // First all of them are forgotten: one that sends and is told `full` again waits anew.
    for (const waiter of told) this.#waiting.delete(waiter);
    for (const waiter of told) waiter.onRoom();
  }
}
