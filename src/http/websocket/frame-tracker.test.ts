import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameTracker } from "./frame-tracker.ts";
import { pieces, rawFrame } from "./testing/frames.ts";

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10, 3, 15),
    payload: fc
      .tuple(fc.constantFrom(0, 1, 125, 126, 200, 70_000), fc.integer())
      .map(([length, octet]) => Buffer.alloc(length, octet)),
    fin: fc.boolean(),
    reserved: fc.integer({ min: 0, max: 7 }),
    key: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 })),
  }),
  { maxLength: 6 },
);

describe("frame tracker", () => {
  test("whatever passes in whatever pieces: it is at a boundary exactly where a frame ends", () => {
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    const property = fc.property(frames, cuts, (list, cuts) => {
      const written = list.map((frame) => rawFrame(frame));
      const ends = new Set([0]);
      let length = 0;
      for (const frame of written) ends.add((length += frame.length));
      const tracker = new FrameTracker();
      let passed = 0;
      for (const piece of pieces(Buffer.concat(written), cuts)) {
        tracker.pass(piece, 0, piece.length);
        passed += piece.length;
        expect(tracker.atBoundary).toBe(ends.has(passed));
      }
    });
    fc.assert(property, { seed: 6455, numRuns: 300 });
  });

  test("mid-frame, asked for the boundary: stops right behind the frame, in any piece", () => {
    const property = fc.property(frames, fc.nat(), fc.nat(), (list, at, size) => {
      const written = list.map((frame) => rawFrame(frame));
      const bytes = Buffer.concat(written);
      const start = at % (bytes.length + 1);
      const tracker = new FrameTracker();
      tracker.pass(bytes, 0, start);
      let wanted = 0;
      for (const frame of written) if (wanted < start) wanted += frame.length;
      let pos = start;
      while (!tracker.atBoundary) {
        pos = tracker.passToBoundary(bytes, pos, Math.min(pos + 1 + (size % 1000), bytes.length));
      }
      expect(pos).toBe(wanted);
      expect(tracker.passToBoundary(bytes, pos, bytes.length)).toBe(pos);
    });
    fc.assert(property, { seed: 6455, numRuns: 300 });
  });

  test("a Close frame, counts when the whole of it went by", () => {
    const tracker = new FrameTracker();
    const bytes = rawFrame({ opcode: 8, payload: Buffer.from([3, 232]) });
    tracker.pass(bytes, 0, bytes.length - 1);
    expect(tracker.closed).toBe(false);
    tracker.pass(bytes, bytes.length - 1, bytes.length);
    expect([tracker.closed, tracker.atBoundary]).toEqual([true, true]);
  });

  test("a length that cannot be: no boundary is ever told of again", () => {
    const tracker = new FrameTracker();
    const bytes = Buffer.concat([Buffer.from([0x82, 127, 0xff]), Buffer.alloc(20)]);
    tracker.pass(bytes, 0, bytes.length);
    expect([tracker.lost, tracker.atBoundary]).toEqual([true, false]);
    expect(tracker.passToBoundary(bytes, 3, 9)).toBe(9);
  });
});
