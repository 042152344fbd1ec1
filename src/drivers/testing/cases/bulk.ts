import fc from "fast-check";
import { expect, it } from "vitest";
import { below, SeededRng } from "../../../core/random.ts";
import type { Recorder } from "../recorder.ts";
import type { Scene } from "../transport-suite.ts";

const SEED = 20260303;

export function bulkCases(scene: Scene): void {
  it("random writes and pauses both ways: all bytes arrive, in order, and both ends close", async () => {
    const run = fc.record({
      seed: fc.integer({ min: 0, max: 0x7fff_ffff }),
      there: fc.integer({ min: 0, max: 400_000 }),
      back: fc.integer({ min: 0, max: 400_000 }),
      largest: fc.constantFrom(1, 7, 300, 5_000, 20_000, 150_000),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ seed, there, back, largest }) => {
        const { client, server, listener } = await scene.world.pair();
        const few = largest < 300 ? 3_000 : Number.POSITIVE_INFINITY;
        const sent = new Writer(client, seed, Math.min(there, few), largest);
        const answered = new Writer(server, seed + 1, Math.min(back, few), largest);
        const readers = [new Reader(client, seed + 2), new Reader(server, seed + 3)];
        await scene.world.until("both closed", () => {
          sent.step();
          answered.step();
          for (const reader of readers) reader.step();
          return client.closed && server.closed;
        });
        expect(server.bytes.equals(sent.bytes)).toBe(true);
        expect(client.bytes.equals(answered.bytes)).toBe(true);
        expect([client.closes, server.closes]).toEqual([[null], [null]]);
        const last = client.events.filter((event) => event !== "writable").slice(-2);
        expect(last).toEqual(["end", "close"]);
        listener.close();
      }),
      { seed: SEED, numRuns: 12 },
    );
  });
}

/** Writes random bytes in random pieces, as far as the stream takes them, from turns and callbacks. */
class Writer {
  readonly bytes: Buffer;
  readonly #recorder: Recorder;
  readonly #rng: SeededRng;
  readonly #largest: number;
  #at = 0;
  #blocked = false;
  #ended = false;

  constructor(recorder: Recorder, seed: number, length: number, largest: number) {
    this.#rng = new SeededRng(seed);
    this.#recorder = recorder;
    this.#largest = largest;
    this.bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) this.bytes[i] = this.#rng.u32();
    recorder.whenWritable = () => {
      this.#blocked = false;
      this.#write();
    };
  }

  step(): void {
    this.#recorder.act(() => this.#write());
  }

  #write(): void {
    const { stream } = this.#recorder;
    for (let n = below(this.#rng, 20); n > 0 && !this.#blocked && !this.#ended; n--) {
      const end = Math.min(this.#at + 1 + below(this.#rng, this.#largest), this.bytes.length);
      this.#blocked = stream.write(this.bytes, this.#at, end);
      this.#at = end;
      if (end === this.bytes.length) {
        stream.end();
        this.#ended = true;
      }
    }
  }
}

/** Pauses and resumes at random, between callbacks and inside them. */
class Reader {
  readonly #recorder: Recorder;
  readonly #rng: SeededRng;
  #paused = false;

  constructor(recorder: Recorder, seed: number) {
    this.#recorder = recorder;
    this.#rng = new SeededRng(seed);
  }

  step(): void {
    if (below(this.#rng, 3) === 0) return;
    this.#paused = !this.#paused;
    if (this.#paused) this.#recorder.pause();
    else this.#recorder.resume();
  }
}
