import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Waiter, WaitingLine } from "./waiting-line.ts";

const seed = 20260711;
const waiter = (): Waiter => ({ onCapacity() {} });

describe("WaitingLine", () => {
  it("full: join says no and changes nothing", () => {
    const line = new WaitingLine(1);
    const [a, b] = [waiter(), waiter()];
    expect([line.join(a), line.join(b)]).toEqual([true, false]);
    expect([line.next(), line.next()]).toEqual([a, null]);
  });

  it("one that stands in the middle leaves: the others keep their order", () => {
    const line = new WaitingLine(9);
    const [a, b, c] = [waiter(), waiter(), waiter()];
    for (const each of [a, b, c]) line.join(each);
    line.leave(b);
    line.leave(b);
    expect(line.size).toBe(2);
    expect([line.next(), line.next(), line.next()]).toEqual([a, c, null]);
  });

  it("any sequence of operations: as a plain queue behaves", () => {
    const op = fc.oneof(
      { weight: 4, arbitrary: fc.constant(["join", 0] as const) },
      { weight: 1, arbitrary: fc.constant(["next", 0] as const) },
      { weight: 2, arbitrary: fc.tuple(fc.constant("leave" as const), fc.nat(30)) },
    );
    const property = fc.property(fc.nat(20), fc.array(op, { maxLength: 300 }), (max, ops) => {
      const line = new WaitingLine(max);
      const model: Waiter[] = [];
      for (const [what, at] of ops) {
        if (what === "join") {
          const one = waiter();
          expect(line.join(one)).toBe(model.length < max);
          if (model.length < max) model.push(one);
        } else if (what === "next") expect(line.next()).toBe(model.shift() ?? null);
        else line.leave(model.splice(at, 1)[0] ?? waiter());
        expect(line.size).toBe(model.length);
      }
    });
    fc.assert(property, { seed, numRuns: 300 });
  });
});
