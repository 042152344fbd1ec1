import fc from "fast-check";
import { expect, test } from "vitest";
import { LineBatch } from "./line-batch.ts";

test("lines under a piece, gathered, go out whole on flush", () => {
  const sent: string[] = [];
  const batch = new LineBatch((text) => sent.push(text), 100, 1_000);
  batch.add("a\n");
  batch.add("b\n");
  expect(sent).toEqual([]);
  batch.flush();
  batch.flush();
  expect(sent).toEqual(["a\nb\n"]);
});

test("a sink that never acknowledges, filled, drops lines and takes them again after", () => {
  const sent: string[] = [];
  const batch = new LineBatch((text) => sent.push(text), 4, 8);
  expect(batch.add("abc\n")).toBe(true);
  expect(batch.add("def\n")).toBe(true);
  expect(batch.add("ghi\n")).toBe(false);
  batch.acknowledge(4);
  expect(batch.add("jkl\n")).toBe(true);
  expect(sent).toEqual(["abc\n", "def\n", "jkl\n"]);
});

test("any lines and acknowledgements, added, keep order and bound", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ maxLength: 30 }), fc.constant(null))), (steps) => {
      const outstanding: string[] = [];
      let all = "";
      let accepted = "";
      const batch = new LineBatch(
        (text) => {
          outstanding.push(text);
          all += text;
        },
        20,
        60,
      );
      for (const step of steps) {
        if (step === null) batch.acknowledge(outstanding.shift()?.length ?? 0);
        else if (batch.add(`${step}\n`)) accepted += `${step}\n`;
        expect(outstanding.join("").length).toBeLessThanOrEqual(60);
      }
      batch.flush();
      expect(all).toBe(accepted);
    }),
    { seed: 20_253 },
  );
});
