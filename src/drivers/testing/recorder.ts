import type { NetError } from "../../core/errors.ts";
import type { ConnectHandler, Stream } from "../../core/transport.ts";

/**
 * A stream's owner that writes down all that it is told, keeps what it receives, and notes each breach
 * of the contract of `StreamHandler` in `violations`. Behaviour is added by setting the `when…` hooks.
 */
export class Recorder implements ConnectHandler {
  readonly events: string[] = [];
  readonly violations: string[] = [];
  readonly closes: (NetError | null)[] = [];
  readonly #pieces: Uint8Array[] = [];
  readonly #name: string;
  #stream: Stream | null = null;
  #depth = 0;
  #paused = false;
  length = 0;
  whenConnected: () => void = nothing;
  whenData: (buf: Uint8Array, start: number, end: number) => void = nothing;
  whenWritable: () => void = nothing;
  whenEnded: () => void = nothing;
  whenClosed: () => void = nothing;

  constructor(name: string) {
    this.#name = name;
  }

  get stream(): Stream {
    if (this.#stream === null) throw new Error(`${this.#name} has no stream`);
    return this.#stream;
  }

  set stream(stream: Stream) {
    this.#stream = stream;
  }

  get accepted(): boolean {
    return this.#stream !== null;
  }

  get connected(): boolean {
    return this.events.includes("connect");
  }

  get ended(): boolean {
    return this.events.includes("end");
  }

  get closed(): boolean {
    return this.closes.length > 0;
  }

  /** All bytes so far, in one piece. */
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get text(): string {
    return this.bytes.toString("latin1");
  }

  /** Calls a method of the stream from outside of its callbacks: no callback may run meanwhile. */
  act(call: (stream: Stream) => void): void {
    this.#depth++;
    try {
      call(this.stream);
    } finally {
      this.#depth--;
    }
  }

  send(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.act((stream) => stream.write(bytes, 0, bytes.length));
  }

  pause(): void {
    this.#paused = true;
    this.act((stream) => stream.pause());
  }

  resume(): void {
    this.#paused = false;
    this.act((stream) => stream.resume());
  }

  onConnect(): void {
    if (this.connected) this.#violated("connected twice");
    this.#called("connect", this.whenConnected);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (!(start >= 0 && start < end && end <= buf.length)) {
      this.#violated(`data in [${start}, ${end}) of ${buf.length}`);
    }
    if (this.#paused) this.#violated("data while paused");
    if (this.ended) this.#violated("data after end");
    this.#pieces.push(Uint8Array.from(buf.subarray(start, end)));
    this.length += end - start;
    this.#called("data", () => this.whenData(buf, start, end));
  }

  onWritable(): void {
    this.#called("writable", this.whenWritable);
  }

  onEnd(): void {
    if (this.#paused) this.#violated("end while paused");
    if (this.ended) this.#violated("ended twice");
    this.#called("end", this.whenEnded);
  }

  onClose(error: NetError | null): void {
    if (this.closed) this.#violated("closed twice");
    if (this.#stream !== null && !this.#stream.closed) this.#violated("onClose before closed");
    this.closes.push(error);
    this.events.push("close");
    this.whenClosed();
  }

  #called(event: string, then: () => void): void {
    if (this.closed) this.#violated(`${event} after close`);
    if (this.#depth > 0) this.#violated(`${event} inside another call`);
    this.events.push(event);
    this.#depth++;
    try {
      then();
    } finally {
      this.#depth--;
    }
  }

  #violated(what: string): void {
    this.violations.push(`${this.#name}: ${what}`);
  }
}

const nothing = (): void => {};
