import type { SocketAddress } from "../../../src/core/address.ts";
import type { StreamHandler } from "../../../src/core/transport.ts";
import { Ip, type Stack, type TcpListener, type TcpStream } from "../../../src/netstack/public.ts";

/** One direction: a byte is known by its place. */
class Flow {
  stream: TcpStream | null = null;
  written = 0;
  received = 0;
  wrong = -1;
  ended = false;

  write(length: number): void {
    if (this.stream === null || this.stream.closed || this.written - this.received > 500_000)
      return;
    const bytes = Uint8Array.from({ length }, (_, i) => byteAt(this.written + i));
    this.stream.write(bytes, 0, length);
    this.written += length;
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++, this.received++) {
      if (bytes[i] !== byteAt(this.received) && this.wrong < 0) this.wrong = this.received;
    }
  }
}

const byteAt = (n: number): number => (n * 31 + (n >>> 8) * 7 + (n >>> 16)) & 0xff;

const portOf = (address: SocketAddress): number => (address.kind === "ip" ? address.port : 0);
const NOBODY: StreamHandler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };

/** A connection between two stacks on which both write, and which compares what arrives. */
export class Dialogue {
  readonly #there = new Flow();
  readonly #back = new Flow();
  readonly #closes: (unknown | null)[] = [];
  readonly #name: string;
  readonly #listener: TcpListener;
  #closing = false;

  /** `server` has `address`; `client` connects to it. */
  constructor(server: Stack, client: Stack, address: string, port: number) {
    this.#name = address;
    const ip = Ip.parse(address)!;
    this.#listener = server.tcp.listen({ ip, port }, (stream) => {
      // Others may find the port, too.
      if (this.#back.stream === null && portOf(stream.remote) === this.port) {
        this.#back.stream = stream;
        return this.#handler(this.#there);
      }
      stream.abort();
      return NOBODY;
    });
    this.#there.stream = client.tcp.connect(
      { ip, port },
      { ...this.#handler(this.#back), onConnect() {} },
    );
  }

  /** The client's. */
  get port(): number {
    return portOf(this.#there.stream!.local);
  }

  /** All that was written has arrived. */
  get idle(): boolean {
    return this.missing.every((bytes) => bytes === 0);
  }

  /** Bytes that were written and have not arrived: the client's, and the server's. */
  get missing(): readonly [number, number] {
    const [there, back] = [this.#there, this.#back];
    return [there.written - there.received, back.written - back.received];
  }

  write(there: number, back: number): void {
    this.#there.write(there);
    this.#back.write(back);
  }

  /** Throws unless it lives and what arrived is what was written. */
  check(): void {
    const failed = (why: string): never => {
      throw new Error(`the connection with ${this.#name}: ${why}`);
    };
    for (const flow of [this.#there, this.#back]) {
      if (flow.wrong >= 0) failed(`byte ${flow.wrong} is another`);
      if (flow.ended) failed("ended");
    }
    if (this.#closes.length > 0) failed(`closed: ${this.#closes}`);
    if (!this.idle) failed(`${this.missing.join(" and ")} bytes did not arrive`);
  }

  close(): void {
    this.#closing = true;
    this.#listener.close();
    this.#there.stream?.abort();
    this.#back.stream?.abort();
  }

  #handler(from: Flow): StreamHandler {
    return {
      onData: (bytes, start, end) => from.take(bytes, start, end),
      onWritable() {},
      onEnd() {
        from.ended = true;
      },
      onClose: (error) => {
        if (!this.#closing) this.#closes.push(error);
      },
    };
  }
}
