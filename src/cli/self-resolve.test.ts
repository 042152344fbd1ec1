import { expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { ownModule } from "./self-resolve.ts";

test("every entry that the package publishes, resolved, is the file of this checkout", () => {
  for (const [entry, target] of Object.entries(packageJson.exports)) {
    if (typeof target === "string") continue;
    const url = ownModule(entry.replace(/^\./, "millrace"));
    expect(url?.endsWith(target["millrace-source"].slice(1))).toBe(true);
  }
});

test.each(["millrace-x", "other", "millrace/nowhere", "millrace/../cli/main", "millrace/cli/x/y"])(
  "%s, resolved, is left to Node",
  (specifier) => {
    expect(ownModule(specifier)).toBeNull();
  },
);
