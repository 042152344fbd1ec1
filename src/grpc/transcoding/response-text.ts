import { fromBinary, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import type { HttpBinding } from "./http-rule.ts";
import type { TranscodingOptions } from "./options.ts";

/** What a message of a response is over HTTP. */
export interface HttpOutput {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

const httpBody = "google.api.HttpBody";

/** Whether responses are what google.api.HttpBody holds, as it is. */
export const isRaw = ({ method, responseBody }: HttpBinding): boolean =>
  (responseBody === null ? method.output : responseBody.message)?.typeName === httpBody;

/** Throws what @bufbuild/protobuf throws on bytes that are no such message. */
export function responseOutput(
  binding: HttpBinding,
  message: Uint8Array,
  registry: Registry,
  options: TranscodingOptions,
): HttpOutput {
  const schema = binding.method.output;
  const raw = isRaw(binding);
  const whole = toJson(schema, fromBinary(schema, message), {
    registry,
    alwaysEmitImplicit: options.emitDefaults || binding.responseBody !== null,
    useProtoFieldName: options.protoNames && !raw,
  }) as JsonValue;
  const field = binding.responseBody;
  const name = options.protoNames && !raw ? field?.name : field?.jsonName;
  const value = name === undefined ? whole : ((whole as Record<string, JsonValue>)[name] ?? null);
  if (raw) return rawOutput(value);
  return {
    contentType: "application/json",
    bytes: new TextEncoder().encode(JSON.stringify(value)),
  };
}

function rawOutput(value: JsonValue): HttpOutput {
  const { contentType, data } = (value ?? {}) as { contentType?: string; data?: string };
  return {
    contentType: contentType || "application/octet-stream",
    bytes: base64Decode(data ?? ""),
  };
}
