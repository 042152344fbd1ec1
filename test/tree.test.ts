import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  arrows,
  cycles,
  forbiddenArrows,
  layerOf,
  longerThan,
  packageOutside,
  vaguelyNamed,
  worldOutside,
} from "./tree/rules.ts";
import { isTest, root, sourceFile, sourcesUnder, withoutComments } from "./tree/sources.ts";

const all = sourcesUnder("src");
const shipped = all.filter((file) => !isTest(file));
const everywhere = [
  ...all,
  ...["test", "bench", "examples", "scripts"].flatMap((folder) => sourcesUnder(folder)),
];

describe("the tree", () => {
  test("layers, all of them, are in the design's table", () => {
    const layers = new Set(shipped.map(({ path }) => layerOf(path)).filter((l) => l !== "entry"));
    expect(layers.size).toBeGreaterThan(5);
    expect([...layers].filter((layer) => arrows[layer] === undefined)).toEqual([]);
  });

  test("imports, across layers, follow the design's arrows", () => {
    expect(forbiddenArrows(shipped)).toEqual([]);
  });

  test("imports, between files, resolve and make no cycle", () => {
    const known = new Set(all.map(({ path }) => path));
    const dangling = all.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file?.startsWith("src/") && !known.has(file) && file.endsWith(".ts"))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(dangling).toEqual([]);
    expect(cycles(shipped)).toEqual([]);
  });

  test("shipped files, any, import no test", () => {
    const tests = new Set(all.filter(isTest).map(({ path }) => path));
    expect(
      shipped.filter(({ imports }) => imports.some(({ file }) => file !== null && tests.has(file))),
    ).toEqual([]);
  });

  test("koffi, used, is used in native/ alone", () => {
    expect(packageOutside(everywhere, "koffi", "src/native/")).toEqual([]);
  });

  test("clocks, timers, chance and I/O are in drivers/, native/ and cli/ alone", () => {
    expect(worldOutside(shipped)).toEqual([]);
  });

  test("files, all, have at most 800 lines and names that say something", () => {
    expect(longerThan(everywhere, 800)).toEqual([]);
    expect(vaguelyNamed(everywhere)).toEqual([]);
  });

  test("layers, each, open with a README", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.filter((name) => !existsSync(join(root, "src", name, "README.md")))).toEqual([]);
  });
});

describe("the rules", () => {
  const file = (path: string, text: string) => sourceFile(path, text);

  test("an arrow that the table lacks, in any form of import, is found", () => {
    const forms = [
      'import { a } from "../proxy/a.ts";',
      'import type { A } from "../proxy/a.ts";',
      'export * from "../proxy/a.ts";',
      'const a = await import("../proxy/a.ts");',
      'let a: import("../proxy/a.ts").A;',
      'import {\n  a,\n  b,\n} from "../proxy/a.ts";',
      'import "../proxy/a.ts";',
    ];
    for (const form of forms) {
      expect(forbiddenArrows([file("src/http/x.ts", form)])).toEqual([
        "src/http/x.ts → src/proxy/a.ts",
      ]);
      expect(forbiddenArrows([file("src/cli/x.ts", form)])).toEqual([]);
    }
  });

  test("a cycle through three files is found, one of types and a diamond are none", () => {
    const ring = [
      file("src/core/a.ts", 'import "./b.ts";'),
      file("src/core/b.ts", 'import { type C } from "./c.ts";'),
      file("src/core/c.ts", 'export { a } from "./a.ts";'),
    ];
    expect(cycles(ring)).toEqual(["src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts"]);
    const shapes = [
      file("src/core/a.ts", 'import "./b.ts";'),
      file("src/core/b.ts", 'import type { A } from "./a.ts";'),
    ];
    expect(cycles(shapes)).toEqual([]);
    const diamond = [
      file("src/core/a.ts", 'import "./b.ts";\nimport "./c.ts";'),
      file("src/core/b.ts", 'import "./d.ts";'),
      file("src/core/c.ts", 'import "./d.ts";'),
      file("src/core/d.ts", ""),
    ];
    expect(cycles(diamond)).toEqual([]);
  });

  test.each([
    ['import { createServer } from "node:net";', "node:net"],
    ['import { readFileSync } from "fs";', "fs"],
    ['const net = process.getBuiltinModule("node:net");', "node:net"],
    ["const now = Date.now();", "Date.now"],
    ["setTimeout(() => {}, 1);", "a timer"],
    ["setTimeout(late ? onLate : onEarly, 1);", "a timer"],
    ["globalThis.setTimeout(() => {}, 1);", "a timer"],
    ["const x = Math.random();", "Math.random"],
  ])("%s, in a machine, is found", (text, what) => {
    expect(worldOutside([file("src/http/x.ts", text)])).toEqual([`src/http/x.ts: ${what}`]);
    expect(worldOutside([file("src/drivers/x.ts", text)])).toEqual([]);
  });

  test("a clock that only a comment names is not found", () => {
    expect(worldOutside([file("src/http/x.ts", "// Date.now()\n/* setTimeout */\n")])).toEqual([]);
    expect(withoutComments('const s = "// kept"; // gone')).toBe('const s = "// kept";        ');
  });

  test("a member that is called like a timer is not found", () => {
    const text = "socket.setTimeout(5);\nclass A {\n  setTimeout(msecs: number): this {}\n}\n";
    expect(worldOutside([file("src/http/x.ts", text)])).toEqual([]);
  });

  test("koffi elsewhere, a vague name and a long file are found", () => {
    const files = [file("src/drivers/utils.ts", `import koffi from "koffi";\n${"\n".repeat(9)}x`)];
    expect(packageOutside(files, "koffi", "src/native/")).toEqual(["src/drivers/utils.ts"]);
    expect(vaguelyNamed(files)).toEqual(["src/drivers/utils.ts"]);
    expect(longerThan(files, 10)).toEqual(["src/drivers/utils.ts: 11 lines"]);
  });
});
