import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { hostEnd } from "./authority.ts";

const hostOf = (authority: string): string | null => {
  const bytes = bytesOf(`#${authority}#`);
  const end = hostEnd(bytes, 1, bytes.length - 1);
  return end < 0 ? null : authority.slice(0, end - 1);
};

describe("authority", () => {
  it("valid: the host is told from the port", () => {
    for (const [authority, host] of [
      ["a", "a"],
      ["A.example.", "A.example."],
      ["a:80", "a"],
      ["a:", "a"],
      ["a:00080", "a"],
      ["a:65535", "a"],
      ["127.0.0.1:1", "127.0.0.1"],
      ["[::1]", "[::1]"],
      ["[2001:DB8::1]:443", "[2001:DB8::1]"],
      ["[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]"],
      ["a_b-c~d", "a_b-c~d"],
      ["%41b", "%41b"],
      ["a!$&'()*+,;=b", "a!$&'()*+,;=b"],
    ] as const) {
      expect(hostOf(authority), authority).toBe(host);
    }
  });

  it("not valid: refused", () => {
    for (const authority of [
      "",
      ":80",
      "a b",
      "a/b",
      "a?b",
      "a\\b",
      "me@a",
      "a:b",
      "a:80:80",
      "a:65536",
      "a:-1",
      "a:000080",
      "::1",
      "[::1",
      "[]",
      "[:]",
      "[::1]a",
      "[::g]",
      "[fe80::1%25eth0]",
      "[v1.a]",
      `[${":".repeat(50)}]`,
      "a%4",
      "a%zz",
      "a\xe9",
      "a\tb",
    ]) {
      expect(hostOf(authority), authority).toBeNull();
    }
  });
});
