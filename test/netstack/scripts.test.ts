import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { runScript } from "./script/interpreter.ts";
import { parseScript } from "./script/parser.ts";

const folder = join(import.meta.dirname, "scripts");

/** The first comment says what a script shows. */
const titleOf = (text: string): string => /^#\s*(.+)$/m.exec(text)?.[1] ?? "";

describe("scripts", () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".tcp"))) {
    const text = readFileSync(join(folder, name), "utf8");
    const script = parseScript(name, text);
    const only = script.settings.get("ip");
    for (const version of [4, 6] as const) {
      if (only !== undefined && Number(only) !== version) continue;
      it(`${name}, IPv${version}: ${titleOf(text)}`, () => runScript(script, version));
    }
  }
});
