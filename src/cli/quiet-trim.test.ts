import { expect, test } from "vitest";
import { QuietTrim } from "./quiet-trim.ts";

test("quiet trim, work goes on and pauses: trims once in each pause", () => {
  let work = 0;
  let trims = 0;
  const quiet = new QuietTrim(
    () => work,
    () => trims++,
  );
  quiet.look();
  expect(trims).toBe(0);
  quiet.look();
  quiet.look();
  expect(trims).toBe(1);
  for (let i = 0; i < 5; i++) {
    work++;
    quiet.look();
  }
  expect(trims).toBe(1);
  quiet.look();
  quiet.look();
  expect(trims).toBe(2);
});
