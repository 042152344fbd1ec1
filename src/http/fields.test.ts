import { describe, expect, it } from "vitest";
import { bytesOf } from "../core/bytes.ts";
import { FieldId } from "./field-id.ts";
import { Fields } from "./fields.ts";
import { TextSink } from "./testing/transcript.ts";

const sample = (): Fields => {
  const fields = new Fields();
  fields.append("Host", "a");
  fields.append("Accept", "x");
  fields.append("Set-Cookie", "a=1");
  fields.append("accept", "y");
  fields.append("Set-Cookie", "b=2");
  return fields;
};

const written = (fields: Fields): TextSink => {
  const sink = new TextSink();
  fields.writeTo(sink);
  return sink;
};

describe("fields: reading", () => {
  it("get: any case, several lines joined, of Set-Cookie the first", () => {
    const fields = sample();
    expect(fields.get("hOST")).toBe("a");
    expect(fields.get("ACCEPT")).toBe("x, y");
    expect(fields.get("set-cookie")).toBe("a=1");
    expect(fields.getAll("Set-Cookie")).toEqual(["a=1", "b=2"]);
    expect(fields.get("accep")).toBeUndefined();
    expect(fields.get("")).toBeUndefined();
    expect([fields.has("Accept"), fields.has("via")]).toEqual([true, false]);
  });

  it("iteration: live lines in order, names as given", () => {
    const fields = sample();
    fields.delete("host");
    expect([...fields]).toEqual([
      ["Accept", "x"],
      ["Set-Cookie", "a=1"],
      ["accept", "y"],
      ["Set-Cookie", "b=2"],
    ]);
  });

  it("by id: first, next, value, valueIs", () => {
    const fields = sample();
    const first = fields.first(FieldId.setCookie);
    const second = fields.next(FieldId.setCookie, first);
    expect([first, second, fields.next(FieldId.setCookie, second)]).toEqual([2, 4, -1]);
    expect([fields.value(second), fields.id(second)]).toEqual(["b=2", FieldId.setCookie]);
    expect(fields.first(FieldId.via)).toBe(-1);
    fields.set("Connection", "Close");
    const connection = fields.first(FieldId.connection);
    expect(fields.valueIs(connection, "close")).toBe(true);
    expect(fields.valueIs(connection, "closed")).toBe(false);
  });
});

describe("fields: editing", () => {
  it("set: replaces all lines by one at the end", () => {
    const fields = sample();
    fields.set("ACCEPT", "z");
    expect(fields.getAll("accept")).toEqual(["z"]);
    expect([...fields].at(-1)).toEqual(["ACCEPT", "z"]);
  });

  it("delete: tells whether there was one", () => {
    const fields = sample();
    expect(fields.delete("accept")).toBe(true);
    expect(fields.delete("accept")).toBe(false);
    expect(fields.has("accept")).toBe(false);
  });

  it("remove twice: counts once, and the section becomes empty", () => {
    const fields = new Fields();
    fields.append("A", "b");
    fields.remove(0);
    fields.remove(0);
    expect(fields.empty).toBe(true);
    expect(written(fields).text).toBe("");
    fields.append("C", "d");
    expect(written(fields).text).toBe("C: d\r\n");
  });

  it("a name that is no token, a value with controls or beyond latin1: TypeError, nothing changed", () => {
    const fields = sample();
    for (const name of ["", " ", "a b", "a:", "a\r\n", "\xe9", "a\0"]) {
      expect(() => fields.set(name, "x"), name).toThrow(TypeError);
      expect(() => fields.append(name, "x"), name).toThrow(TypeError);
    }
    for (const value of ["a\r\nX: y", "a\n", "\r", "\0", "\x7f", "\u0100", "a\x01"]) {
      expect(() => fields.set("accept", value), JSON.stringify(value)).toThrow(TypeError);
      expect(() => fields.append("accept", value)).toThrow(TypeError);
    }
    expect(fields.get("accept")).toBe("x, y");
  });

  it("a value with white space around: dropped; within, and obs-text: kept", () => {
    const fields = new Fields();
    fields.set("A", " \tb \xe9\tc\t ");
    expect(fields.get("a")).toBe("b \xe9\tc");
    expect(written(fields).text).toBe("A: b \xe9\tc\r\n");
  });

  it("appendLine and appendField: lines as any other", () => {
    const fields = new Fields();
    fields.appendLine(bytesOf("Via: 1.1 x\r\n"), FieldId.via);
    fields.appendField(FieldId.xForwardedFor, bytesOf("X-Forwarded-For: "), "::1");
    fields.appendLine(bytesOf("Empty: \r\n"), FieldId.other);
    expect([...fields]).toEqual([
      ["Via", "1.1 x"],
      ["X-Forwarded-For", "::1"],
      ["Empty", ""],
    ]);
    expect(fields.value(fields.first(FieldId.xForwardedFor))).toBe("::1");
  });

  it("many lines: memory grows and nothing is lost", () => {
    const fields = new Fields();
    for (let i = 0; i < 500; i++) fields.append(`Name-${i}`, `value ${i}`);
    expect([...fields].length).toBe(500);
    expect(fields.get("name-0")).toBe("value 0");
    expect(fields.get("name-499")).toBe("value 499");
  });

  it("clear after a large section: the memory is given back", () => {
    const fields = new Fields();
    fields.append("A", "b".repeat(50_000));
    expect(fields.bytes.length).toBeGreaterThan(50_000);
    fields.clear();
    expect(fields.bytes.length).toBe(0);
    expect([...fields]).toEqual([]);
  });

  it("ten fields of 400 octets: less than 1 KiB of memory", () => {
    const fields = new Fields();
    for (let i = 0; i < 10; i++) fields.append(`Name-${i}`, "v".repeat(30));
    expect(fields.bytes.length + fields.spans.byteLength).toBeLessThan(1024);
  });

  it("copyFrom: equal and independent", () => {
    const fields = sample();
    fields.delete("accept");
    const copy = new Fields();
    copy.append("Old", "line");
    copy.copyFrom(fields);
    fields.set("Host", "b");
    fields.clear();
    expect([...copy]).toEqual([
      ["Host", "a"],
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2"],
    ]);
    copy.append("New", "line");
    expect(written(copy).text).toBe(
      "Host: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nNew: line\r\n",
    );
  });
});

describe("fields: writing", () => {
  it("unedited, and appended to: one write", () => {
    const sink = written(sample());
    expect(sink.writes).toBe(1);
    expect(sink.text).toBe(
      "Host: a\r\nAccept: x\r\nSet-Cookie: a=1\r\naccept: y\r\nSet-Cookie: b=2\r\n",
    );
  });

  it("lines removed: one write for each run that is left", () => {
    const fields = sample();
    fields.remove(1);
    fields.remove(2);
    const sink = written(fields);
    expect(sink.writes).toBe(2);
    expect(sink.text).toBe("Host: a\r\naccept: y\r\nSet-Cookie: b=2\r\n");
    fields.remove(0);
    fields.remove(4);
    expect(written(fields)).toMatchObject({ writes: 1, text: "accept: y\r\n" });
  });
});
