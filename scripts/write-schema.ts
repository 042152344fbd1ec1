/** Writes schema/millrace.schema.json from the schema in src/config. */
import { mkdirSync, writeFileSync } from "node:fs";
import { jsonSchemaText } from "../src/config/json-schema.ts";

const file = new URL("../schema/millrace.schema.json", import.meta.url);
mkdirSync(new URL(".", file), { recursive: true });
writeFileSync(file, jsonSchemaText());
