import { randomBytes } from "node:crypto";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { messageDeflate } from "./message-deflate.ts";

const inflated = (hex: string, limit = 100): string => {
  const result = messageDeflate.inflate(Buffer.from(hex.replaceAll(" ", ""), "hex"), limit);
  return typeof result === "string" ? result : Buffer.from(result).toString();
};

describe("message deflate", () => {
  test.each([
    ["§7.2.3.1, one block", "f2 48 cd c9 c9 07 00", "Hello"],
    ["§7.2.3.3, without compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"],
    ["§7.2.3.4, with BFINAL", "f3 48 cd c9 c9 07 00 00", "Hello"],
    ["§7.2.3.5, two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"],
    ["§7.2.3.6, empty", "00", ""],
  ])("RFC 7692 %s: is inflated", (_name, hex, wanted) => {
    expect(inflated(hex)).toBe(wanted);
  });

  test("RFC 7692 §7.2.3.1 and §7.2.3.6: are deflated so", () => {
    const hex = (text: string) =>
      Buffer.from(messageDeflate.deflate(Buffer.from(text), 15)).toString("hex");
    expect([hex("Hello"), hex("")]).toEqual(["f248cdc9c90700", "00"]);
  });

  test("messages of all windows: come back", () => {
    for (let windowBits = 9; windowBits <= 15; windowBits++) {
      for (const bytes of [Buffer.alloc(0), Buffer.alloc(100_000, "ab"), randomBytes(70_000)]) {
        const deflated = messageDeflate.deflate(bytes, windowBits);
        const back = messageDeflate.inflate(deflated, bytes.length) as Uint8Array;
        expect(bytes.equals(back)).toBe(true);
      }
    }
  });

  test("a bomb: is stopped at the limit, and what is no deflate is refused", () => {
    const bomb = deflateRawSync(Buffer.alloc(64 << 20), { finishFlush: 2 }).subarray(0, -4);
    expect(bomb.length).toBeLessThan(100_000);
    expect(messageDeflate.inflate(bomb, 1 << 20)).toBe("too-large");
    expect(inflated("ff ff")).toBe("malformed");
  });
});
