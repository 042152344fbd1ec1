import { describe, expect, it } from "vitest";
import { cookieValue } from "./cookie.ts";

describe("cookie value", () => {
  it("by its exact name: the first one, undecoded", () => {
    const header = 'a=1; ab=2;b=; c="x y%20z" ;a=3; d=e=f';
    expect(cookieValue(header, "a")).toBe("1");
    expect(cookieValue(header, "ab")).toBe("2");
    expect(cookieValue(header, "b")).toBe("");
    expect(cookieValue(header, "c")).toBe('"x y%20z"');
    expect(cookieValue(header, "d")).toBe("e=f");
  });

  it("absent, in another case, or without =: undefined", () => {
    for (const [header, name] of [
      ["", "a"],
      ["a=1", "A"],
      ["a=1", ""],
      ["=1", ""],
      ["a", "a"],
      ["a; b=1", "a"],
      ["xa=1", "a"],
      [";;;", "a"],
    ] as const) {
      expect(cookieValue(header, name), header).toBeUndefined();
    }
  });
});
