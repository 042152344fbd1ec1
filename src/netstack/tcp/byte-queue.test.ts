import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteQueue } from "./byte-queue.ts";

const bytesOf = (queue: ByteQueue, offset = 0, length = queue.length - offset): number[] => {
  const target = new Uint8Array(length + 4);
  queue.copyTo(offset, length, target, 2);
  return [...target.subarray(2, 2 + length)];
};

test("queue, any appends, drops, reads and joins, holds what an array would", () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 70_000 }));
  const operation = fc.record({
    kind: fc.constantFrom("append", "drop", "read", "front", "join"),
    size,
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const queue = new ByteQueue();
      let model: number[] = [];
      let next = 0;
      const fresh = (n: number) => Uint8Array.from({ length: n }, () => next++ * 7);
      for (const { kind, size: n, at } of operations) {
        const offset = Math.floor(at * model.length);
        if (kind === "append") {
          const bytes = fresh(n + 3);
          queue.append(bytes, 1, n + 1);
          model = model.concat([...bytes.subarray(1, n + 1)]);
        } else if (kind === "drop") {
          queue.drop(offset);
          model = model.slice(offset);
        } else if (kind === "join") {
          const other = new ByteQueue();
          const bytes = fresh(n);
          other.append(bytes, 0, n);
          queue.takeAll(other);
          expect(other.length).toBe(0);
          model = model.concat([...bytes]);
        } else if (kind === "front" && model.length > 0) {
          const front = queue.frontBytes.subarray(queue.frontStart, queue.frontEnd);
          expect([...front]).toEqual(model.slice(0, front.length));
        } else {
          const length = Math.min(n, model.length - offset);
          expect(bytesOf(queue, offset, length)).toEqual(model.slice(offset, offset + length));
        }
        expect(queue.length).toBe(model.length);
      }
      expect(bytesOf(queue)).toEqual(model);
    }),
    { seed: 71, numRuns: 60 },
  );
});

test("queue, filled in pieces of any size, takes at most twice the memory of what it holds, and 16 KiB", () => {
  for (const size of [1, 700, 1_448, 2_049, 16_385, 20_000, 33_000, 65_536, 70_000]) {
    const queue = new ByteQueue();
    const piece = new Uint8Array(size);
    while (queue.length < 300_000) {
      queue.append(piece, 0, size);
      if (queue.allocated > 2 * queue.length + 18_432) {
        throw new Error(`${queue.allocated} for ${queue.length} in pieces of ${size}`);
      }
    }
  }
});

test("queue, emptied and filled again, does not show old bytes", () => {
  const queue = new ByteQueue();
  queue.append(Uint8Array.of(1, 2, 3), 0, 3);
  queue.drop(3);
  queue.append(Uint8Array.of(4, 5), 0, 2);
  expect(bytesOf(queue)).toEqual([4, 5]);
});
