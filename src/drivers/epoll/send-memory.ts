import { addressOf } from "../../native/libc.ts";
import { PinnedMemory } from "../../native/memory.ts";
import { SendVector } from "../../native/message.ts";
import type { Outbox } from "./outbox.ts";
import type { ReactorStats } from "./stats.ts";

/**
 * Small writes of a turn are gathered here before they are sent. A turn of 64 busy connections with
 * heads of 200 to 300 bytes uses 20 KiB of it; when it is full, all is sent and it starts again.
 */
const ARENA_BYTES = 256 * 1024;

/** A piece of a backlog. Small, for a slow peer that owes 100 bytes holds one, too. */
const CHUNK_BYTES = 16 * 1024;

/** Free chunks that are kept, 2 MiB. */
const POOL_CHUNKS = 128;

/** A piece of what a peer does not take yet: memory[start, end). Owned by one outbox, or by the pool. */
export class Chunk {
  readonly memory = new PinnedMemory(CHUNK_BYTES);
  start = 0;
  end = 0;
  next: Chunk | null = null;

  get room(): number {
    return CHUNK_BYTES - this.end;
  }
}

/** What the outboxes of one reactor share: the arena, the vector, the pool, and who has work. */
export class SendMemory {
  readonly arena = new PinnedMemory(ARENA_BYTES);
  /** Where the free part of the arena begins. */
  top = 0;
  readonly vector = new SendVector();
  readonly stats: ReactorStats;
  /** Outboxes to be sent and settled by the end of the turn. */
  readonly dirty: Outbox[] = [];
  readonly #received: PinnedMemory;
  readonly #free: Chunk[] = [];

  /** `received` is the buffer that handlers are lent, so that forwarding it needs no look-up. */
  constructor(received: PinnedMemory, stats: ReactorStats) {
    this.#received = received;
    this.stats = stats;
  }

  addressOf(bytes: Uint8Array): number {
    return bytes === this.#received.bytes ? this.#received.address : addressOf(bytes);
  }

  /** Empties the arena by sending. Calls no handler, so it may happen inside of a `write`. */
  makeRoom(): void {
    const { dirty } = this;
    for (let i = 0; i < dirty.length; i++) dirty[i]!.transmit();
    this.top = 0;
  }

  takeChunk(): Chunk {
    return this.#free.pop() ?? new Chunk();
  }

  giveBack(chunk: Chunk): void {
    chunk.start = 0;
    chunk.end = 0;
    chunk.next = null;
    if (this.#free.length < POOL_CHUNKS) this.#free.push(chunk);
  }
}
