import fc from "fast-check";
import { expect, it } from "vitest";
import { PendingBytes, WriteSlab, type WriteTarget } from "./pending-bytes.ts";

const seed = 20260308;

/** Keeps the pieces themselves, as a socket does that cannot send them yet. */
class SlowSocket {
  readonly pieces: Uint8Array[] = [];
  corks = 0;
  cork(): void {
    this.corks++;
  }
  uncork(): void {
    this.corks--;
  }
  write(piece: Uint8Array): boolean {
    this.pieces.push(piece);
    return true;
  }
}

const asTarget = (socket: SlowSocket): WriteTarget => socket as unknown as WriteTarget;
const nothing = (): void => {};

it("streams that share a slab, written and flushed in any order: each sends its own bytes", () => {
  const step = fc.record({
    stream: fc.nat(2),
    size: fc.oneof(fc.nat(40), fc.nat(5_000), fc.constantFrom(4_096, 4_097, 16_384, 40_000)),
    flush: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const slab = new WriteSlab();
      const ends = [0, 1, 2].map(() => ({
        pending: new PendingBytes(slab),
        socket: new SlowSocket(),
        sent: [] as number[],
      }));
      const source = new Uint8Array(40_000);
      let next = 0;
      for (const { stream, size, flush } of steps) {
        const end = ends[stream]!;
        for (let i = 0; i < size; i++) source[i] = next++ % 251;
        end.sent.push(...source.subarray(0, size));
        const before = end.pending.length;
        end.pending.append(source, 0, size);
        expect(end.pending.length).toBe(before + size);
        source.fill(0xee);
        if (flush) end.pending.moveTo(asTarget(end.socket), nothing);
      }
      for (const { pending, socket, sent } of ends) {
        pending.moveTo(asTarget(socket), nothing);
        expect(pending.length).toBe(0);
        expect(socket.corks).toBe(0);
        expect(Buffer.concat(socket.pieces).equals(Uint8Array.from(sent))).toBe(true);
      }
    }),
    { seed, numRuns: 100 },
  );
});

it("many small writes of a turn are one piece", () => {
  const pending = new PendingBytes(new WriteSlab());
  const socket = new SlowSocket();
  for (let i = 0; i < 100; i++) pending.append(Uint8Array.of(i, i), 0, 2);
  pending.moveTo(asTarget(socket), nothing);
  expect(socket.pieces.map((piece) => piece.length)).toEqual([200]);
});

it("cleared: nothing is sent", () => {
  const pending = new PendingBytes(new WriteSlab());
  const socket = new SlowSocket();
  pending.append(new Uint8Array(9_000), 0, 9_000);
  pending.append(new Uint8Array(9), 0, 9);
  pending.clear();
  pending.moveTo(asTarget(socket), nothing);
  expect(socket.pieces).toEqual([]);
});
