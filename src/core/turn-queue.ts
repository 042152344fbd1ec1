import type { TurnTarget } from "./transport.ts";

/** For drivers: who wants to be called at the end of the turn. */
export class TurnQueue {
  readonly #onFault: (error: unknown) => void;
  #waiting: TurnTarget[] = [];
  #running: TurnTarget[] = [];

  /** `onFault` hears what a target throws; the others are called all the same. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  get empty(): boolean {
    return this.#waiting.length === 0;
  }

  add(target: TurnTarget): void {
    this.#waiting.push(target);
  }

  /** Calls all that wait, and none that are added meanwhile. */
  run(): void {
    const targets = this.#waiting;
    if (targets.length === 0) return;
    this.#waiting = this.#running;
    this.#running = targets;
    for (let i = 0; i < targets.length; i++) {
      try {
        targets[i]!.onTurnEnd();
      } catch (error) {
        this.#onFault(error);
      }
    }
    targets.length = 0;
  }

  clear(): void {
    this.#waiting.length = 0;
  }
}
