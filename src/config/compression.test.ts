import { expect, test } from "vitest";
import { compressionDefaults } from "../proxy/compression/settings.ts";
import { describeConfig } from "./describe.ts";
import { formatProblems } from "./problem.ts";
import { inListener, inRoute, load, minimal, problems } from "./testing/files.ts";

const compressOf = (text: string) => load(text).config.listeners[0]!.routes![0]!.compress;

test("compress: nothing without it, the defaults for true, and for an empty map", () => {
  expect(compressOf(minimal)).toBeNull();
  expect(compressOf(inRoute("upstream: app", "compress: true"))).toEqual(compressionDefaults);
  expect(compressOf(inRoute("upstream: app", "compress: {}"))).toEqual(compressionDefaults);
});

test("compress of a listener: holds for its routes, but for one that says otherwise", () => {
  const text = inListener("compress: true");
  expect(compressOf(text)).toEqual(compressionDefaults);
  const off = text.replace("upstream: app\n", "upstream: app\n        compress: false\n");
  expect(compressOf(off)).toBeNull();
});

test("compress with its parts: levels for all or each, sizes with units", () => {
  const parts = "encodings: [gzip], types: [text/html], minLength: 2KiB, level: 9";
  expect(compressOf(inRoute("upstream: app", `compress: { ${parts} }`))).toEqual({
    ...compressionDefaults,
    encodings: ["gzip"],
    types: ["text/html"],
    minLength: 2048,
    levels: { gzip: 9, br: 9, zstd: 9 },
  });
  const limits = "limits: { decodedSize: unlimited, ratio: 50 }";
  const text = inRoute("upstream: app", `compress: { level: { br: 11 }, ${limits} }`);
  expect(compressOf(text)).toMatchObject({
    levels: { ...compressionDefaults.levels, br: 11 },
    limits: { decodedSize: Infinity, ratio: 50, encoders: 512 },
  });
});

test.each<[what: string, text: string, message: RegExp]>([
  ["a word", inRoute("upstream: app", "compress: gzip"), /expected true, false, or \{ encodings/],
  ["an unknown encoding", inRoute("upstream: app", "compress: { encodings: [lzma] }"), /gzip, br/],
  ["an encoding twice", inRoute("upstream: app", "compress: { encodings: [br, br] }"), /a second/],
  ["an encoding twice above", inListener("compress: { encodings: [br, br] }"), /a second time/],
  ["a level of ten", inRoute("upstream: app", "compress: { level: 10 }"), /a level from 1/],
  ["a level that br has not", inRoute("upstream: app", "compress: { level: { br: 12 } }"), /11/],
  ["a type with a parameter", inRoute("upstream: app", "compress: { types: [a/b;c] }"), /media/],
  ["a size without unit", inRoute("upstream: app", "compress: { minLength: 10 }"), /Write "10B"/],
  ["an unknown key", inRoute("upstream: app", "compress: { encoding: [br] }"), /"encodings"/],
  ["no encoding", inRoute("upstream: app", "compress: { encodings: [] }"), /at least one encoding/],
  ["a fixed answer", inRoute("respond: { status: 200 }", "compress: true"), /no effect here/],
])("compress with %s: is reported", (_what, text, message) => {
  expect(formatProblems(problems(text))).toMatch(message);
});

test("described: with units, and off where there is none", () => {
  const described = (text: string) => JSON.stringify(describeConfig(load(text).config));
  expect(described(minimal)).toContain('"compress":"off"');
  expect(described(inListener("compress: true"))).toContain('"minLength":"1KiB"');
  expect(described(inListener("compress: true"))).toContain('"decodedSize":"1GiB"');
});
