import type { NetError } from "../../../src/core/errors.ts";
import type { StreamHandler } from "../../../src/core/transport.ts";
import type { TcpStream } from "../../../src/netstack/public.ts";

/** The byte at a place of a stream, which tells streams and places apart. */
const byteAt = (key: number, n: number): number => (key * 89 + n * 31 + (n >>> 8) * 7) & 0xff;

/** One end of a connection: what its user did, and what it was told. */
export class End {
  stream: TcpStream | null = null;
  written = 0;
  received = 0;
  /** Its user writes no more. */
  finished = false;
  /** Its user gave the connection up, with whatever was on its way. */
  left = false;
  heardEnd = false;
  readonly closes: (NetError | null)[] = [];
  readonly violations: string[] = [];
  readonly #key: number;
  #peerKey = 0;

  constructor(key: number, peerKey: number) {
    this.#key = key;
    this.#peerKey = peerKey;
  }

  get closed(): boolean {
    return this.closes.length > 0;
  }

  get handler(): StreamHandler {
    return {
      onData: (bytes, start, end) => {
        this.#expectOpen("data");
        if (this.heardEnd) this.violations.push("data after the end");
        for (let i = start; i < end; i++, this.received++) {
          if (bytes[i] === byteAt(this.#peerKey, this.received)) continue;
          this.violations.push(`byte ${this.received} is another`);
          return;
        }
      },
      onWritable: () => this.#expectOpen("room"),
      onEnd: () => {
        this.#expectOpen("the end");
        if (this.heardEnd) this.violations.push("two ends");
        this.heardEnd = true;
      },
      onClose: (error) => void this.closes.push(error),
    };
  }

  write(length: number): void {
    if (this.stream === null || this.closed || this.finished) return;
    const bytes = Uint8Array.from({ length }, (_, i) => byteAt(this.#key, this.written + i));
    this.stream.write(bytes, 0, length);
    this.written += length;
  }

  end(): void {
    this.finished = true;
    this.stream?.end();
  }

  leave(how: "close" | "abort"): void {
    this.finished = true;
    this.left = true;
    this.stream?.[how]();
  }

  #expectOpen(what: string): void {
    if (this.closed) this.violations.push(`${what} after onClose`);
    if (this.left) this.violations.push(`${what} after close`);
  }
}

/** A connection: the caller's end and, once it was accepted, the other one. */
export class Conversation {
  readonly client: End;
  readonly server: End;
  readonly version: 4 | 6;
  /** Something befell it that may end it with an error. */
  disturbed = false;
  established = false;

  constructor(number: number, version: 4 | 6) {
    this.client = new End(2 * number, 2 * number + 1);
    this.server = new End(2 * number + 1, 2 * number);
    this.version = version;
  }

  get ends(): readonly End[] {
    return this.server.stream === null ? [this.client] : [this.client, this.server];
  }

  /** Nothing happens to it any more. */
  get over(): boolean {
    return this.ends.every(({ closed }) => closed);
  }

  /** What is wrong with it now, or once it is `over`. */
  faults(): string[] {
    const { client, server } = this;
    const faults = this.ends.flatMap(({ violations }) => violations);
    for (const end of this.ends) if (end.closes.length > 1) faults.push("closed twice");
    if (client.received > server.written || server.received > client.written) {
      faults.push("more bytes than were written");
    }
    if (!this.over || this.disturbed || client.left || server.left) return faults;
    for (const end of this.ends)
      if (end.closes[0] !== null) faults.push(`closed: ${end.closes[0]}`);
    if (server.received !== client.written || client.received !== server.written) {
      faults.push(
        `${server.received} of ${client.written}, ${client.received} of ${server.written}`,
      );
    }
    return faults;
  }
}
