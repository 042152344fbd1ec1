import { fromBinary, type JsonValue, type Registry, toJson } from "@bufbuild/protobuf";
import { BinaryReader, base64Decode } from "@bufbuild/protobuf/wire";
import { type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { latin1 } from "../../core/bytes.ts";
import { base64 } from "../web/base64-writer.ts";

/**
 * A gRPC status as the JSON of google.rpc.Status, as grpc-gateway and Google's services answer it.
 * `details` is the value of grpc-status-details-bin; what cannot be read of it is left out.
 */
export function statusJson(
  code: number,
  message: string,
  details: string | undefined,
  registry: Registry | null,
): Uint8Array {
  const json = { code, message, details: detailsOf(details, registry) };
  return new TextEncoder().encode(`${JSON.stringify(json)}\n`);
}

function detailsOf(encoded: string | undefined, registry: Registry | null): JsonValue[] {
  if (encoded === undefined) return [];
  try {
    return anys(base64Decode(encoded)).map((any) => anyJson(any, registry));
  } catch {
    return [];
  }
}

/** google.rpc.Status { int32 code = 1; string message = 2; repeated Any details = 3 }. */
function anys(status: Uint8Array): Any[] {
  const reader = new BinaryReader(status);
  const found: Any[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3) found.push(fromBinary(AnySchema, reader.bytes()));
    else reader.skip(wireType, field);
  }
  return found;
}

function anyJson(any: Any, registry: Registry | null): JsonValue {
  try {
    if (registry !== null) return toJson(AnySchema, any, { registry });
  } catch {
    // A type that the descriptors do not have, or bytes that are not of it.
  }
  const value = base64(any.value);
  return { "@type": any.typeUrl, value: latin1(value, 0, value.length) };
}
