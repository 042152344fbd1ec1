import { expect, test } from "vitest";
import { FaultReport } from "./fault-report.ts";

test("a hook that always throws, reported, is told ten times a second and summed up after", () => {
  let now = 0;
  const told: string[] = [];
  const report = new FaultReport(
    (where, text) => told.push(`${where}: ${text}`),
    () => now,
  );
  for (let i = 0; i < 25; i++) report.fault("hook", `fault ${i}`);
  expect(told).toHaveLength(10);
  now = 1_000;
  report.fault("hook", "later");
  expect(told.slice(10)).toEqual(["hook: later\n  (15 more since were left out)"]);
  report.fault("hook", "again");
  expect(told.slice(11)).toEqual(["hook: again"]);
});

test("an error with a cause, reported, shows both stacks", () => {
  const told: string[] = [];
  const report = new FaultReport(
    (_, text) => told.push(text),
    () => 0,
  );
  report.fault("hook", new Error("outer", { cause: new Error("inner") }));
  expect(told[0]).toMatch(/Error: outer[\s\S]*caused by: Error: inner/);
});
