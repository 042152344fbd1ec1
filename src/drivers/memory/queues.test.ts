import fc from "fast-check";
import { expect, it } from "vitest";
import { instant } from "../../core/time.ts";
import { ByteQueue } from "./byte-queue.ts";
import { EventQueue } from "./event-queue.ts";

const seed = 20260305;

it("events, added and taken in any order, come by instant and then by when they were added", () => {
  const step = fc.oneof(fc.record({ add: fc.nat(20) }), fc.constant("take" as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new EventQueue();
      const model: { at: number; order: number }[] = [];
      let taken = -1;
      for (const [order, what] of steps.entries()) {
        if (what !== "take") {
          queue.add(instant(what.add), () => {
            taken = order;
          });
          model.push({ at: what.add, order });
          model.sort((a, b) => a.at - b.at || a.order - b.order);
        } else if (model.length > 0) {
          queue.take()();
          expect(taken).toBe(model.shift()?.order);
        }
        expect(queue.next).toBe(model[0]?.at);
      }
    }),
    { seed, numRuns: 300 },
  );
});

it("bytes, pushed and taken in any pieces, are those of one long string", () => {
  const step = fc.oneof(fc.record({ push: fc.nat(50) }), fc.record({ take: fc.nat(80) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new ByteQueue();
      let model: number[] = [];
      let next = 0;
      const dst = new Uint8Array(100);
      for (const what of steps) {
        if ("push" in what) {
          const piece = Uint8Array.from({ length: what.push }, () => next++ & 0xff);
          queue.push(piece);
          model.push(...piece);
        } else {
          const n = Math.min(what.take, model.length);
          queue.take(n, dst, 7);
          expect([...dst.subarray(7, 7 + n)]).toEqual(model.slice(0, n));
          model = model.slice(n);
        }
        expect(queue.length).toBe(model.length);
      }
      queue.clear();
      expect(queue.length).toBe(0);
    }),
    { seed, numRuns: 300 },
  );
});
