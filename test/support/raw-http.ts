import { connect, type NetConnectOpts, type Socket } from "node:net";
import { type RawResponse, readResponse } from "./raw-response.ts";

/** Where to connect: `{ port }` on 127.0.0.1, or `{ path }` of a Unix socket. */
export type RawTarget =
  | { readonly port: number; readonly host?: string; readonly localAddress?: string }
  | { readonly path: string };

/** One step of what a client sends. Strings are latin1: one character, one byte. */
export type RawStep =
  | string
  | Uint8Array
  /** Pauses; also makes the kernel send what came before in a segment of its own. */
  | { readonly waitMs: number }
  /** Goes on when the answer so far contains this text. */
  | { readonly waitFor: string };

/** How the far end left things: half-closed, reset, or still open when reading ended. */
export type RawEnd = "closed" | "reset" | "open";

export interface RawAnswer {
  readonly bytes: Buffer;
  /** The bytes as latin1. */
  readonly text: string;
  readonly end: RawEnd;
}

export interface ExchangeOptions {
  /** Half-close after the last step. Default false. */
  readonly halfClose?: boolean;
  /** Reading ends, with `end: "open"`, when nothing arrived for so long after the last step. Default 1,000. */
  readonly idleMs?: number;
  /** For the whole exchange; then it throws. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Sends the steps on a new connection and collects what comes until the far end closes or falls
 * silent. Prefer requests that end in a close: silence costs `idleMs`.
 */
export async function exchange(
  target: RawTarget,
  steps: readonly RawStep[],
  options: ExchangeOptions = {},
): Promise<RawAnswer> {
  await using client = await RawClient.connect(target, options.timeoutMs);
  for (const step of steps) {
    // A far end that has closed takes no more; what it said before is the answer.
    if (client.end !== "open") break;
    await client.perform(step);
  }
  if (options.halfClose === true) client.halfClose();
  await client.untilQuiet(options.idleMs ?? 1_000);
  return client.answer();
}

/** The bytes cut at the given offsets, each piece in a segment of its own. */
export function splitAt(bytes: string, offsets: readonly number[]): RawStep[] {
  const steps: RawStep[] = [];
  let start = 0;
  for (const offset of [...offsets, bytes.length]) {
    if (offset <= start || offset > bytes.length) continue;
    if (steps.length > 0) steps.push({ waitMs: 1 });
    steps.push(bytes.slice(start, offset));
    start = offset;
  }
  return steps;
}

/** A connection on which a test says each byte itself. */
export class RawClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #watchers = new Set<() => void>();
  #chunks: Buffer[] = [];
  #length = 0;
  #consumed = 0;
  #end: RawEnd = "open";

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
      this.#notify();
    });
    socket.on("end", () => this.#ended("closed"));
    socket.on("error", () => this.#ended("reset"));
    socket.on("close", () => this.#ended("closed"));
  }

  /** `timeoutMs` (default 10,000) bounds each later wait too. */
  static connect(target: RawTarget, timeoutMs = 10_000): Promise<RawClient> {
    const base: NetConnectOpts = "path" in target ? target : { host: "127.0.0.1", ...target };
    return new Promise((resolve, reject) => {
      // Half-open, so that a far end's close does not close this side by itself.
      const socket = connect({ ...base, allowHalfOpen: true });
      const timer = setTimeout(() => socket.destroy(new Error("connect timed out")), timeoutMs);
      socket.once("error", reject);
      socket.once("connect", () => {
        clearTimeout(timer);
        socket.off("error", reject);
        resolve(new RawClient(socket, timeoutMs));
      });
    });
  }

  /** The port of this side, to recognise the connection at the far end. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  get end(): RawEnd {
    return this.#end;
  }

  /** What has arrived and was not consumed by `response`. */
  get bytes(): Buffer {
    return this.#all().subarray(this.#consumed);
  }

  /** Everything that has arrived on the connection. */
  answer(): RawAnswer {
    const bytes = Buffer.from(this.#all());
    return { bytes, text: bytes.toString("latin1"), end: this.#end };
  }

  /** Resolves when the kernel has the bytes, or the connection is gone. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#socket.off("close", done);
        resolve();
      };
      if (this.#socket.destroyed || !this.#socket.writable) return resolve();
      this.#socket.once("close", done);
      this.#socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes, done);
    });
  }

  async perform(step: RawStep): Promise<void> {
    if (typeof step === "string" || step instanceof Uint8Array) return this.send(step);
    if ("waitFor" in step) return this.until((text) => text.includes(step.waitFor));
    await new Promise((resolve) => setTimeout(resolve, step.waitMs));
  }

  /** Waits until the whole answer so far passes, as latin1; throws when the connection ends first. */
  async until(passes: (text: string) => boolean): Promise<void> {
    const deadline = Date.now() + this.#timeoutMs;
    while (!passes(this.#all().toString("latin1"))) {
      if (this.#end !== "open") throw this.#unexpected(`the connection was ${this.#end}`);
      await this.#changeBefore(deadline);
    }
  }

  /** Waits until the far end closes or resets. */
  async untilEnd(): Promise<RawEnd> {
    const deadline = Date.now() + this.#timeoutMs;
    while (this.#end === "open") await this.#changeBefore(deadline);
    return this.#end;
  }

  /** Waits until the far end closes, or nothing has arrived for `idleMs`. */
  async untilQuiet(idleMs: number): Promise<RawEnd> {
    const deadline = Date.now() + this.#timeoutMs;
    while (this.#end === "open") {
      const wait = Math.min(idleMs, deadline - Date.now());
      if (wait <= 0) throw this.#unexpected("the answer did not end in time");
      if (!(await this.#change(wait)) && wait === idleMs) break;
    }
    return this.#end;
  }

  /**
   * The next complete response, taken off what has arrived. `method` is the request's: a response
   * to HEAD has no body. An answer without a length ends with the connection.
   */
  async response(method = "GET"): Promise<RawResponse> {
    const deadline = Date.now() + this.#timeoutMs;
    for (;;) {
      const response = readResponse(this.bytes, method, this.#end !== "open");
      if (response !== null) {
        this.#consumed += response.length;
        return response;
      }
      if (this.#end !== "open") throw this.#unexpected(`the connection was ${this.#end}`);
      await this.#changeBefore(deadline);
    }
  }

  /** No more reading: what the far end sends fills the buffers on its side. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  halfClose(): void {
    this.#socket.end();
  }

  /** Ends the connection by a RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once("close", resolve));
  }

  #all(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #ended(end: RawEnd): void {
    if (this.#end === "open") this.#end = end;
    this.#notify();
  }

  #unexpected(what: string): Error {
    const text = this.bytes.toString("latin1");
    return new Error(`${what}; received ${JSON.stringify(text.slice(0, 2_000))}`);
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async #changeBefore(deadline: number): Promise<void> {
    if (!(await this.#change(deadline - Date.now()))) {
      throw this.#unexpected("nothing more arrived in time");
    }
  }

  #change(withinMs: number): Promise<boolean> {
    if (withinMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (changed: boolean) => {
        clearTimeout(timer);
        this.#watchers.delete(watcher);
        resolve(changed);
      };
      const watcher = () => settle(true);
      const timer = setTimeout(() => settle(false), withinMs);
      this.#watchers.add(watcher);
    });
  }
}
