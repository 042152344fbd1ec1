import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { FieldId, fieldIdAt, fieldIdOf, fieldName } from "./field-id.ts";

describe("field ids", () => {
  it("every known name, in any case: its own id, so the hash has no collision", () => {
    for (const id of Object.values(FieldId)) {
      if (id === FieldId.other) continue;
      const name = fieldName(id);
      for (const text of [name, name.toUpperCase()]) {
        const bytes = bytesOf(`[${text}]`);
        expect(fieldIdAt(bytes, 1, bytes.length - 1), text).toBe(id);
        expect(fieldIdOf(text), text).toBe(id);
      }
    }
  });

  it("names: as registered", () => {
    expect(fieldName(FieldId.xForwardedFor)).toBe("x-forwarded-for");
    expect(fieldName(FieldId.http2Settings)).toBe("http2-settings");
    expect(fieldName(FieldId.te)).toBe("te");
  });

  it("a name that only looks alike: other", () => {
    for (const name of [
      "hos",
      "hosts",
      "hxst",
      "x_forwarded_for",
      "content_length",
      "v",
      "ta",
      "\x8aost",
    ]) {
      const bytes = bytesOf(name);
      expect(fieldIdAt(bytes, 0, bytes.length), name).toBe(FieldId.other);
      expect(fieldIdOf(name), name).toBe(FieldId.other);
    }
    expect(fieldIdOf("")).toBe(FieldId.other);
  });

  it("ids: index the bits of a 32-bit mask", () => {
    expect(Math.max(...Object.values(FieldId))).toBeLessThan(32);
  });
});
