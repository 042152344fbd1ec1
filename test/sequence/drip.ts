import { after, type Duration, millis } from "../../src/core/time.ts";
import type { Stream, TimerTarget, Transport } from "../../src/core/transport.ts";
import type { Pace } from "./scenario.ts";

/** Sends one message at its pace; may die on the way. */
export class Drip implements TimerTarget {
  private readonly stream: Stream;
  private readonly transport: Transport;
  private readonly message: Uint8Array;
  private readonly pace: Pace;
  private readonly done: () => void;
  private sent = 0;
  private pause = 0;
  /** So far and no further for now: `Expect` holds the body back. */
  private gate: number;
  private waiting = false;
  stopped = false;

  constructor(
    stream: Stream,
    transport: Transport,
    message: Uint8Array,
    pace: Pace,
    gate: number,
    done: () => void,
  ) {
    this.stream = stream;
    this.transport = transport;
    this.message = message;
    this.pace = pace;
    this.gate = gate;
    this.done = done;
  }

  /** Everything of the message was written. */
  get complete(): boolean {
    return this.sent === this.message.length;
  }

  get gated(): boolean {
    return this.gate < this.message.length;
  }

  /** Writes up to the next pause; `done` is called after the last byte. */
  run(): void {
    const { pauses, death } = this.pace;
    while (!this.stopped && !this.waiting && !this.stream.closed) {
      const pause = pauses[this.pause];
      const until = Math.min(this.message.length, this.gate, pause?.at ?? this.message.length);
      if (death !== null && death.at <= until) return this.die(Math.max(death.at, this.sent));
      this.write(until);
      if (this.complete) {
        this.stopped = true;
        return this.done();
      }
      if (this.sent === this.gate) return;
      this.pause++;
      this.wait(pause!.wait);
    }
  }

  openGate(): void {
    if (!this.gated) return;
    this.gate = this.message.length;
    this.run();
  }

  stop(): void {
    this.stopped = true;
  }

  onTimer(): void {
    this.waiting = false;
    this.run();
  }

  private wait(time: Duration): void {
    if (time === millis(0)) return;
    this.waiting = true;
    this.transport.schedule(this, after(this.transport.now(), time));
  }

  private write(until: number): void {
    if (until <= this.sent) return;
    const from = this.sent;
    this.sent = until;
    this.stream.write(this.message, from, until);
  }

  private die(at: number): void {
    this.write(at);
    this.stopped = true;
    if (this.pace.death?.by === "end") this.stream.end();
    else this.stream.abort();
  }
}
