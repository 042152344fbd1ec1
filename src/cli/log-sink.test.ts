import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LogSink } from "./log-sink.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

const fail = (error: Error): never => {
  throw error;
};

test("pieces, written and closed, are in the file in order and each is taken once", async () => {
  const path = join(folder, "access.log");
  const sink = new LogSink(path, fail);
  const taken: number[] = [];
  for (let i = 0; i < 50; i++) sink.write(`${i} é\n`, () => taken.push(i));
  await sink.close(5_000);
  const numbers = Array.from({ length: 50 }, (_, i) => i);
  expect(readFileSync(path, "utf8")).toBe(numbers.map((i) => `${i} é\n`).join(""));
  expect(taken).toEqual(numbers);
});

test("a file that is there, opened, is appended to", async () => {
  const path = join(folder, "again.log");
  for (const line of ["one\n", "two\n"]) {
    const sink = new LogSink(path, fail);
    sink.write(line, () => {});
    await sink.close(5_000);
  }
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
});

test("a closed sink, written to, gives the piece up at once", async () => {
  const sink = new LogSink(join(folder, "closed.log"), fail);
  await sink.close(5_000);
  let taken = false;
  sink.write("late\n", () => {
    taken = true;
  });
  expect(taken).toBe(true);
  expect(readFileSync(join(folder, "closed.log"), "utf8")).toBe("");
});

test("a full device, written to, is told of once and gives every piece up", async () => {
  const errors: string[] = [];
  const sink = new LogSink("/dev/full", (error) => errors.push(error.message));
  let taken = 0;
  for (let i = 0; i < 3; i++) sink.write("lost\n", () => taken++);
  await sink.close(5_000);
  expect([taken, errors.length]).toEqual([3, 1]);
  expect(errors[0]).toContain("ENOSPC");
});
