import { allocBytes, copyBytes } from "../../core/bytes.ts";
import type { UdpSender } from "./endpoint.ts";

/** What a datagram is charged beside its bytes. */
const OVERHEAD = 256;

/** Datagrams of a paused socket, oldest first. New ones are dropped beyond `limit` bytes. */
export class DatagramQueue {
  readonly #limit: number;
  #entries: Entry[] = [];
  #head = 0;
  #charged = 0;
  /** Bytes of payload that wait. */
  bytes = 0;
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get isEmpty(): boolean {
    return this.#head === this.#entries.length;
  }

  push(bytes: Uint8Array, start: number, end: number, from: UdpSender): void {
    const length = end - start;
    if (this.#charged + length + OVERHEAD > this.#limit) {
      this.dropped++;
      return;
    }
    const copy = allocBytes(length);
    copyBytes(bytes, start, end, copy, 0);
    this.#entries.push({ bytes: copy, from: from.clone() });
    this.#charged += length + OVERHEAD;
    this.bytes += length;
  }

  shift(): Entry {
    const entry = this.#entries[this.#head]!;
    this.#entries[this.#head++] = SPENT;
    // What was taken is forgotten once it is more than what waits.
    if (this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    this.#charged -= entry.bytes.length + OVERHEAD;
    this.bytes -= entry.bytes.length;
    return entry;
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#charged = 0;
    this.bytes = 0;
  }
}

interface Entry {
  readonly bytes: Uint8Array;
  readonly from: UdpSender;
}

const SPENT = { bytes: new Uint8Array(0), from: undefined as never } satisfies Entry;
