import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

/** A request that does not fit its method: what is wrong, for its sender. */
export class BadRequest extends Error {
  override readonly name = "BadRequest";
}

/** A JSON object under construction. */
export type JsonDraft = { [name: string]: JsonValue };

/** Without a prototype: names come from requests. */
export const newDraft = (): JsonDraft => Object.create(null) as JsonDraft;

/** Messages whose JSON is text or a number, so that a parameter can give all of it. */
const textual = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
]);

const wrapper = /^google\.protobuf\.(Bool|String|Bytes|U?Int(32|64)|Float|Double)Value$/;

/** The fields along `path`, names in either spelling; null where it leads nowhere or through a list. */
export function resolveFieldPath(message: DescMessage, path: string): readonly DescField[] | null {
  const fields: DescField[] = [];
  let within: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    const field: DescField | undefined = within?.fields.find(
      (one) => one.name === name || one.jsonName === name,
    );
    if (field === undefined) return null;
    fields.push(field);
    within = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields;
}

/** Puts a parameter's text where its field stands, in the form that JSON has for its type. */
export function putText(draft: JsonDraft, fields: readonly DescField[], text: string): void {
  let target = draft;
  for (const field of fields.slice(0, -1)) {
    target[field.jsonName] ??= newDraft();
    target = target[field.jsonName] as JsonDraft;
  }
  const field = fields.at(-1)!;
  const value = jsonOf(field, text);
  const there = target[field.jsonName];
  if (field.fieldKind === "list") {
    if (Array.isArray(there)) there.push(value);
    else target[field.jsonName] = [value];
    return;
  }
  if (there !== undefined) throw new BadRequest(`${field.name} is given more than once`);
  target[field.jsonName] = value;
}

function jsonOf(field: DescField, text: string): JsonValue {
  if (field.fieldKind === "map")
    throw new BadRequest(`${field.name} is a map: it has to be in the body`);
  if (field.enum !== undefined) return /^-?\d+$/.test(text) ? Number(text) : text;
  if (field.scalar !== undefined) return jsonOfScalar(field.scalar, field.name, text);
  const type = field.message?.typeName ?? "";
  if (textual.has(type)) return text;
  if (wrapper.test(type)) return jsonOfScalar(field.message!.fields[0]!.scalar!, field.name, text);
  throw new BadRequest(`${field.name} is a message: name one of its fields`);
}

function jsonOfScalar(scalar: ScalarType, name: string, text: string): JsonValue {
  if (scalar !== ScalarType.BOOL) return text;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new BadRequest(`${name} is true or false, not ${JSON.stringify(text)}`);
}
