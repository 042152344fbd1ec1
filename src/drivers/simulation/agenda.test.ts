import fc from "fast-check";
import { expect, test } from "vitest";
import { Agenda, Happening } from "./agenda.ts";

class Mark extends Happening {
  readonly id: number;

  constructor(id: number) {
    super();
    this.id = id;
  }

  happen(): void {}
}

test("any adding, moving and removing: what is left comes by instant, equal ones in order", () => {
  const operation = fc.record({
    id: fc.integer({ min: 0, max: 30 }),
    at: fc.integer({ min: 0, max: 10 }),
    remove: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const agenda = new Agenda();
      const marks = Array.from({ length: 31 }, (_, id) => new Mark(id));
      let expected: { id: number; at: number }[] = [];
      for (const { id, at, remove } of operations) {
        expected = expected.filter((entry) => entry.id !== id);
        if (remove) agenda.remove(marks[id]!);
        else {
          agenda.set(marks[id]!, at);
          expected.push({ id, at });
        }
        expect(agenda.size).toBe(expected.length);
      }
      expected.sort((a, b) => a.at - b.at);
      const seen: { id: number; at: number }[] = [];
      while (agenda.size > 0) {
        const mark = agenda.take() as Mark;
        seen.push({ id: mark.id, at: mark.at });
        expect(mark.slot).toBe(-1);
      }
      expect(seen).toEqual(expected);
      expect(agenda.next).toBe(Number.POSITIVE_INFINITY);
    }),
    { seed: 11, numRuns: 300 },
  );
});
