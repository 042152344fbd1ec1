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
  return { $schema, $id: schemaId, title: "Millrace configuration", ...rest };
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
