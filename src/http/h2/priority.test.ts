import { describe, expect, it } from "vitest";
import { bytesOf } from "../../core/bytes.ts";
import { DEFAULT_PRIORITY, readPriority } from "./priority.ts";

const read = (value: string): string => {
  // Amid octets that would count, so that a read beyond the value would show.
  const buf = bytesOf(`u=7,${value},u=0,i`);
  const priority = readPriority(buf, 4, 4 + value.length);
  return `${priority >> 1}${(priority & 1) === 0 ? "" : "i"}`;
};

describe("priority", () => {
  it.each([
    ["", "3"],
    ["u=0", "0"],
    ["u=7, i", "7i"],
    ["i,u=1", "1i"],
    ["i=?1", "3i"],
    ["i=?0", "3"],
    ["u=5;x=1, i;y", "5i"],
    ["u=8", "3"],
    ["u=-1", "3"],
    ["u=2.5", "3"],
    ["u=1, u=2", "2"],
    ["i, i=?0", "3"],
    ["x=1, ii, uu=1, u", "3"],
    [" , ,\tu=4 ", "4"],
    ["u", "3"],
    ["i=1", "3"],
  ])("%j: %s", (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  it("none at all: the default", () => {
    expect(readPriority(bytesOf(""), 0, 0)).toBe(DEFAULT_PRIORITY);
  });
});
