/** Memory of a queue: bytes[start, end) are in it, the rest is free. */
class Block {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  next: Block | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/**
 * A queue starts small and grows in these steps, so that a thousand little ones cost little: beyond its first
 * two blocks it holds half as much as its memory at least.
 */
const FIRST = 2_048;
const SECOND = 16_384;
const LARGE = 65_536;

/** Blocks of one size that wait for use, of all queues; beyond `limit` they are left to the garbage collector. */
class Pool {
  readonly size: number;
  readonly #limit: number;
  #spare: Block | null = null;
  #count = 0;

  constructor(size: number, limit: number) {
    this.size = size;
    this.#limit = limit;
  }

  take(): Block {
    const block = this.#spare;
    if (block === null) return new Block(new Uint8Array(this.size));
    this.#spare = block.next;
    this.#count--;
    block.next = null;
    block.start = 0;
    block.end = 0;
    return block;
  }

  give(block: Block): void {
    if (this.#count === this.#limit) return;
    block.next = this.#spare;
    this.#spare = block;
    this.#count++;
  }
}

const small = new Pool(FIRST, 512);
const middle = new Pool(SECOND, 256);
const large = new Pool(LARGE, 256);

/**
 * Bytes in order: appended by copying, read at any offset, dropped from the front, in a chain of blocks.
 * It has no bound: whoever appends keeps one.
 */
export class ByteQueue {
  #length = 0;
  #head: Block | null = null;
  #tail: Block | null = null;
  /** The block where the last `copyTo` ended, and the offset in the queue of its first byte. */
  #cursor: Block | null = null;
  #cursorAt = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that its blocks take. */
  get allocated(): number {
    let sum = 0;
    for (let block = this.#head; block !== null; block = block.next) sum += block.bytes.length;
    return sum;
  }

  append(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let block = this.#tail;
      if (block === null || block.end === block.bytes.length)
        block = this.#grow(end - at, this.#length + at - start);
      const n = Math.min(end - at, block.bytes.length - block.end);
      copy(bytes, at, n, block.bytes, block.end);
      block.end += n;
      at += n;
    }
    this.#length += end - start;
  }

  /** Copies `length` bytes from `offset` on, all of which are there, to target[at, …). */
  copyTo(offset: number, length: number, target: Uint8Array, at: number): void {
    let block = this.#head;
    let from = 0;
    if (this.#cursor !== null && this.#cursorAt <= offset) {
      block = this.#cursor;
      from = this.#cursorAt;
    }
    let skip = offset - from;
    let to = at;
    let left = length;
    while (left > 0) {
      const size = block!.end - block!.start;
      if (skip < size) {
        const n = Math.min(left, size - skip);
        copy(block!.bytes, block!.start + skip, n, target, to);
        to += n;
        left -= n;
        skip += n;
        if (left === 0) break;
      }
      skip -= size;
      from += size;
      block = block!.next;
    }
    this.#cursor = block;
    this.#cursorAt = from;
  }

  /** Drops `n` bytes, at most as many as there are, from the front. */
  drop(n: number): void {
    this.#length -= n;
    this.#cursorAt -= n;
    let left = n;
    while (left > 0) {
      const head = this.#head!;
      const size = head.end - head.start;
      if (left < size) {
        head.start += left;
        break;
      }
      left -= size;
      this.#head = head.next;
      release(head);
    }
    if (this.#length === 0) this.clear();
    else if (this.#cursorAt < 0) this.#cursor = null;
  }

  /** The first run of bytes: frontBytes[frontStart, frontEnd). Only while `length` is not 0. */
  get frontBytes(): Uint8Array {
    return this.#head!.bytes;
  }

  get frontStart(): number {
    return this.#head!.start;
  }

  get frontEnd(): number {
    return this.#head!.end;
  }

  /** Takes all bytes of another queue behind its own; the other is empty then. */
  takeAll(other: ByteQueue): void {
    if (other.#length === 0) return;
    if (this.#tail === null) this.#head = other.#head;
    else this.#tail.next = other.#head;
    this.#tail = other.#tail;
    this.#length += other.#length;
    other.#head = null;
    other.#tail = null;
    other.#cursor = null;
    other.#length = 0;
  }

  clear(): void {
    for (let block = this.#head; block !== null; ) {
      const next: Block | null = block.next;
      release(block);
      block = next;
    }
    this.#head = null;
    this.#tail = null;
    this.#cursor = null;
    this.#cursorAt = 0;
    this.#length = 0;
  }

  #grow(wanted: number, held: number): Block {
    const block = blockFor(wanted, held);
    if (this.#tail === null) this.#head = block;
    else this.#tail.next = block;
    this.#tail = block;
    return block;
  }
}

/** `held`: what is in the queue already, in bytes. */
function blockFor(wanted: number, held: number): Block {
  if (wanted <= FIRST && held === 0) return small.take();
  if (wanted <= LARGE / 2 && held < LARGE) return middle.take();
  return large.take();
}

function release(block: Block): void {
  const size = block.bytes.length;
  if (size === LARGE) large.give(block);
  else if (size === FIRST) small.give(block);
  else middle.give(block);
}

function copy(from: Uint8Array, at: number, n: number, to: Uint8Array, target: number): void {
  if (n >= 64) {
    to.set(at === 0 && n === from.length ? from : from.subarray(at, at + n), target);
    return;
  }
  for (let i = 0; i < n; i++) to[target + i] = from[at + i]!;
}
