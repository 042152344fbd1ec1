import type { NetError } from "../../../src/core/errors.ts";
import { millis, seconds } from "../../../src/core/time.ts";
import type { ConnectHandler } from "../../../src/core/transport.ts";
import type { Stack } from "../../../src/netstack/stack.ts";
import type { TcpListener } from "../../../src/netstack/tcp/listener.ts";
import type { TcpStream } from "../../../src/netstack/tcp/tcp-stream.ts";
import type { Internet } from "./internet.ts";
import { patternAt } from "./peer.ts";

/** The program above the stack: its socket calls come from the script, what it hears is noted. */
export class Application {
  /** What it was told and no `expect` has looked at yet; received bytes in a row are one event. */
  readonly events: string[] = [];
  readonly #stack: Stack;
  readonly #internet: Internet;
  readonly #listeners: TcpListener[] = [];
  #stream: TcpStream | null = null;
  #written = 0;
  #read = 0;

  constructor(stack: Stack, internet: Internet) {
    this.#stack = stack;
    this.#internet = internet;
  }

  get stream(): TcpStream {
    if (this.#stream === null) throw new Error("there is no connection yet");
    return this.#stream;
  }

  get hasStream(): boolean {
    return this.#stream !== null;
  }

  listen(port: number, backlog: number | undefined): void {
    this.#listeners.push(
      this.#stack.tcp.listen(
        { ip: this.#internet.ours, port, ...(backlog === undefined ? {} : { backlog }) },
        (stream) => {
          this.#stream = stream;
          this.#written = 0;
          this.events.push("accepted");
          return this.#handler(stream);
        },
      ),
    );
  }

  connect(port: number, localPort = 0): void {
    const options = { ip: this.#internet.peer, port, localPort };
    let stream: TcpStream | null = null;
    const handler: ConnectHandler = {
      ...this.#handler(() => stream!),
      onConnect: () => this.events.push("connected"),
    };
    stream = this.#stack.tcp.connect(options, handler);
    this.#stream = stream;
  }

  /** Writes the next bytes of the pattern; says whether it is to stop. */
  write(length: number): boolean {
    const bytes = Uint8Array.from({ length }, (_, i) => patternAt(this.#written + i + 1));
    this.#written += length;
    return this.stream.write(bytes, 0, length);
  }

  /** A call by its name; false when there is none of that name. */
  call(verb: string, words: readonly string[]): boolean {
    const [first = ""] = words;
    switch (verb) {
      case "end":
      case "close":
      case "abort":
      case "pause":
      case "resume":
        this.stream[verb]();
        return true;
      case "listener":
        for (const listener of this.#listeners) listener[first as "pause" | "resume" | "close"]();
        return true;
      case "nodelay":
        this.stream.noDelay = first === "on";
        return true;
      case "cork":
        this.stream.cork = first === "on";
        return true;
      case "linger":
        this.stream.linger = first === "off" ? null : seconds(Number(first));
        return true;
      case "usertimeout":
        this.stream.userTimeout = millis(Number(first) * 1_000);
        return true;
      case "keepalive": {
        const [idle, interval, probes] = words.map(Number);
        this.stream.keepAlive = {
          idle: seconds(idle!),
          interval: seconds(interval!),
          probes: probes!,
        };
        return true;
      }
      default:
        return false;
    }
  }

  #handler(stream: TcpStream | (() => TcpStream)) {
    const mine = () => (typeof stream === "function" ? stream() : stream) === this.#stream;
    return {
      onData: (bytes: Uint8Array, start: number, end: number) => {
        if (mine()) this.#onData(bytes, start, end);
      },
      onWritable: () => void this.events.push("writable"),
      onEnd: () => void this.events.push("end"),
      onClose: (error: NetError | null) =>
        void this.events.push(error === null ? "closed" : `closed ${error.code}`),
    };
  }

  #onData(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (bytes[i] !== patternAt(++this.#read)) this.events.push(`wrong byte at ${this.#read}`);
    }
    const last = this.events.at(-1);
    const before = last?.startsWith("data ") ? Number(last.slice(5)) : 0;
    if (before > 0) this.events.pop();
    this.events.push(`data ${before + end - start}`);
  }
}
