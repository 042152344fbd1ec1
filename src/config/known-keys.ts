import type * as z from "zod";
import type { PathStep } from "./problem.ts";

type Schema = z.core.$ZodType;

/** The keys that a schema knows at a path: of every object that may stand there. */
export function knownKeys(schema: Schema, path: readonly PathStep[]): readonly string[] {
  let here = objectsIn(schema);
  for (const step of path) here = here.flatMap((s) => child(s, step)).flatMap(objectsIn);
  return [...new Set(here.flatMap((s) => keysOf(s)))];
}

/** The schema without its wrappers; of a union each member. */
function objectsIn(schema: Schema): readonly Schema[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "readonly":
      return objectsIn(def.innerType);
    case "pipe":
      return objectsIn(def.in);
    case "union":
      return def.options.flatMap(objectsIn);
    default:
      return [schema];
  }
}

function child(schema: Schema, step: PathStep): readonly Schema[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === "array") return [def.element];
  if (def.type === "record") return [def.valueType];
  if (def.type !== "object" || !Object.hasOwn(def.shape, step)) return [];
  return [def.shape[step]!];
}

function keysOf(schema: Schema): readonly string[] {
  const def = (schema as z.core.$ZodTypes)._zod.def;
  return def.type === "object" ? Object.keys(def.shape) : [];
}
