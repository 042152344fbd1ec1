import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FileWatch } from "./file-watch.ts";

/** A folder of two files that tells of changes when told to. */
const folder = vi.hoisted(() => ({ stats: 0, size: 0, tell: () => {} }));

vi.mock("node:fs", () => ({
  statSync() {
    folder.stats++;
    return { dev: 1, ino: 2, size: folder.size, mtimeMs: 3 };
  },
  watch(_path: string, _options: object, listener: () => void) {
    folder.tell = listener;
    return { on() {}, close() {} };
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched(): { watch: FileWatch; told: () => number } {
  let told = 0;
  const watch = new FileWatch(["/tls/a.pem", "/tls/a.key"], () => told++);
  folder.stats = 0;
  return { watch, told: () => told };
}

test("a folder with an event each millisecond, is looked at every 50 ms at most", () => {
  const { watch, told } = watched();
  for (let ms = 0; ms < 1_000; ms++) {
    folder.tell();
    vi.advanceTimersByTime(1);
  }
  expect(folder.stats).toBeGreaterThanOrEqual(2 * 19);
  expect(folder.stats).toBeLessThanOrEqual(2 * 20);
  expect(told()).toBe(0);
  watch.close();
});

test("a burst that changes a file, is told of once, when it has been quiet", () => {
  const { watch, told } = watched();
  for (let ms = 0; ms < 400; ms += 10) {
    folder.size++;
    folder.tell();
    vi.advanceTimersByTime(10);
  }
  expect(told()).toBe(0);
  vi.advanceTimersByTime(350);
  expect(told()).toBe(1);
  watch.close();
});

test("a change behind the last look of a burst, is seen; after close nothing is", () => {
  const { watch, told } = watched();
  folder.tell();
  vi.advanceTimersByTime(50);
  folder.size++;
  folder.tell();
  vi.advanceTimersByTime(350);
  expect(told()).toBe(1);
  folder.size++;
  folder.tell();
  watch.close();
  vi.advanceTimersByTime(20_000);
  expect(told()).toBe(1);
});
