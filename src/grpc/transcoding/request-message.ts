import {
  create,
  fromJson,
  type JsonValue,
  type Message,
  mergeFromJson,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { latin1 } from "../../core/bytes.ts";
import { base64 } from "../web/base64-writer.ts";
import { BadRequest, type JsonDraft, newDraft, putText, resolveFieldPath } from "./field-text.ts";
import type { HttpBinding } from "./http-rule.ts";
import { takesRaw } from "./request-media.ts";

/** What is taken from an HTTP request. */
export interface HttpInput {
  /** Values of the path's variables. */
  readonly values: readonly (readonly [fieldPath: string, value: string])[];
  /** Undecoded, without its question mark. */
  readonly query: string;
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
}

/**
 * The message that an HTTP request means (http.proto, "Rules for HTTP mapping"): its body, then the path's
 * variables, then the query for what neither of them gives. Throws BadRequest.
 */
export function requestMessage(
  binding: HttpBinding,
  input: HttpInput,
  registry: Registry,
  ignoreUnknown: boolean,
): Uint8Array {
  const schema = binding.method.input;
  const options = { registry, ignoreUnknownFields: ignoreUnknown };
  const draft = newDraft();
  for (const [path, value] of input.values) putText(draft, binding.variables.get(path)!, value);
  if (binding.body !== "all") takeQuery(draft, binding, input.query, ignoreUnknown);
  try {
    const body = bodyJson(binding, input);
    const message: Message = body === undefined ? create(schema) : fromJson(schema, body, options);
    return toBinary(schema, mergeFromJson(schema, message, draft, options));
  } catch (error) {
    if (error instanceof BadRequest) throw error;
    throw new BadRequest(error instanceof Error ? error.message : String(error));
  }
}

function takeQuery(
  draft: JsonDraft,
  binding: HttpBinding,
  query: string,
  ignoreUnknown: boolean,
): void {
  if (query === "") return;
  for (const [name, text] of new URLSearchParams(query)) {
    const fields = resolveFieldPath(binding.method.input, name);
    if (fields === null) {
      if (ignoreUnknown) continue;
      throw new BadRequest(`no field ${name} in ${binding.method.input.typeName}`);
    }
    if (fields[0] === binding.body || isBound(binding, fields)) {
      throw new BadRequest(`${name} is given by the path or the body`);
    }
    putText(draft, fields, text);
  }
}

function isBound(binding: HttpBinding, fields: readonly { readonly name: string }[]): boolean {
  return binding.variables.has(fields.map((field) => field.name).join("."));
}

/** The body as JSON of the whole message; undefined where the method takes none of it. */
function bodyJson(binding: HttpBinding, input: HttpInput): JsonValue | undefined {
  const { body } = binding;
  if (body === "none") return undefined;
  const value = takesRaw(binding) ? rawBody(input) : parsedBody(input.body);
  if (value === undefined || body === "all") return value;
  const draft = newDraft();
  draft[body.jsonName] = value;
  return draft;
}

const rawBody = ({ body, contentType }: HttpInput): JsonValue => {
  const data = base64(body);
  return { contentType: contentType ?? "", data: latin1(data, 0, data.length) };
};

function parsedBody(body: Uint8Array): JsonValue | undefined {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as JsonValue;
  } catch (error) {
    throw new BadRequest(`the body is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}
