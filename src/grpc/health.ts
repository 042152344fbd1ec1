import { allocBytes, copyBytes } from "../core/bytes.ts";

/** grpc.health.v1.Health/Check: few enough fields to be written by hand. */
export const HEALTH_CHECK_PATH = "/grpc.health.v1.Health/Check";

export type ServingStatus = "unknown" | "serving" | "not-serving" | "service-unknown";

const STATUSES: readonly ServingStatus[] = ["unknown", "serving", "not-serving", "service-unknown"];

/** HealthCheckRequest { string service = 1 }; "" asks for the server as a whole. */
export function encodeHealthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  if (name.length === 0) return allocBytes(0);
  if (name.length > 127) throw new TypeError("a service's name has at most 127 bytes");
  const message = allocBytes(2 + name.length);
  message[0] = 0x0a;
  message[1] = name.length;
  copyBytes(name, 0, name.length, message, 2);
  return message;
}

/** HealthCheckResponse { ServingStatus status = 1 }; null for bytes that are none. Never throws. */
export function decodeHealthResponse(message: Uint8Array): ServingStatus | null {
  let status = 0;
  let at = 0;
  while (at < message.length) {
    const tag = varint(message, at);
    if (tag === null) return null;
    const next = skip(message, tag.at, tag.value & 7);
    if (next === null) return null;
    if (tag.value === 0x08) status = varint(message, tag.at)!.value;
    at = next;
  }
  return STATUSES[status] ?? "unknown";
}

interface Varint {
  readonly value: number;
  readonly at: number;
}

/** A varint's low 32 bits, and where it ends. */
function varint(buf: Uint8Array, start: number): Varint | null {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const octet = buf[start + i];
    if (octet === undefined) return null;
    if (i < 5) value |= (octet & 0x7f) << (7 * i);
    if (octet < 0x80) return { value: value >>> 0, at: start + i + 1 };
  }
  return null;
}

/** Where a field of this wire type, begun at `at`, ends. */
function skip(buf: Uint8Array, at: number, wireType: number): number | null {
  let end: number | null = null;
  if (wireType === 0) end = varint(buf, at)?.at ?? null;
  else if (wireType === 1) end = at + 8;
  else if (wireType === 5) end = at + 4;
  else if (wireType === 2) {
    const length = varint(buf, at);
    if (length !== null) end = length.at + length.value;
  }
  return end === null || end > buf.length ? null : end;
}
