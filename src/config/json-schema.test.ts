import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema, jsonSchemaText } from "./json-schema.ts";

type Node = Readonly<Record<string, unknown>>;

test("the published schema is the one that the source makes: npm run schema writes it", () => {
  const file = new URL("../../schema/millrace.schema.json", import.meta.url);
  expect(readFileSync(file, "utf8")).toBe(jsonSchemaText());
});

test("every setting has a description, and knows no other keys", () => {
  const bare: string[] = [];
  const walk = (node: Node, path: string): void => {
    const properties = (node.properties ?? {}) as Readonly<Record<string, Node>>;
    if (node.properties !== undefined) expect(node.additionalProperties, path).toBe(false);
    for (const [key, child] of Object.entries(properties)) {
      const alternative = path.endsWith("|");
      if (child.description === undefined && !alternative) bare.push(`${path}.${key}`);
      walk(child, `${path}.${key}`);
    }
    for (const option of (node.anyOf ?? []) as readonly Node[]) walk(option, `${path}|`);
    for (const key of ["items", "additionalProperties"]) {
      const child = node[key];
      if (typeof child === "object" && child !== null) walk(child as Node, `${path}[]`);
    }
  };
  walk(configJsonSchema(), "");
  expect(bare).toEqual([]);
});
