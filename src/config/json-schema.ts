import * as z from "zod";
import { fileSchema } from "./schema.ts";

/** Where the published schema is found; the `$id` that editors cache it under. */
export const schemaId = "https://unpkg.com/millrace/schema/millrace.schema.json";

/** The JSON Schema (draft 2020-12) of the YAML file, with descriptions and defaults. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fileSchema, {
    target: "draft-2020-12",
    // The file is what goes in: before defaults and units are resolved.
    io: "input",
  });
  const { $schema, ...rest } = schema;
  return {
    $schema,
    $id: schemaId,
    title: "Millrace configuration",
    ...(withVariables(rest) as Record<string, unknown>),
  };
}

/** A variable of the environment, which may stand for any scalar: `${NAME}`, `${NAME:-default}`. */
const variable = { type: "string", pattern: "\\$\\{" };

/** Lets a variable stand where a number, a boolean or one of several words is asked for. */
function withVariables(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withVariables);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [
      key,
      key === "default" || key === "enum" ? value : withVariables(value),
    ]),
  );
  const { type, enum: words, description, default: preset, ...rest } = inner;
  if (type !== "number" && type !== "integer" && type !== "boolean" && words === undefined) {
    return inner;
  }
  const strict = {
    ...(type !== undefined && { type }),
    ...(words !== undefined && { enum: words }),
    ...rest,
  };
  return {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    anyOf: [strict, variable],
  };
}

/** The text of schema/millrace.schema.json, laid out as the repository's formatter would. */
export function jsonSchemaText(): string {
  const text = JSON.stringify(configJsonSchema(), null, 2);
  const joined = text.replace(
    /^(.*)\[\n((?: +(?:"(?:[^"\\]|\\.)*"|[\w.]+),?\n)+) +\]/gm,
    inOneLine,
  );
  return `${joined}\n`;
}

const lineWidth = 100;

/** A list of scalars goes on one line where it fits. */
function inOneLine(whole: string, before: string, items: string): string {
  const line = `${before}[${items.trim().replace(/,\n +/g, ", ")}]`;
  return line.length < lineWidth ? line : whole;
}
