import { allocBytes, bytesOf, copyBytes } from "../../core/bytes.ts";
import type { HttpBinding } from "../../grpc/transcoding/http-rule.ts";
import { isRaw } from "../../grpc/transcoding/response-text.ts";

/**
 * How a stream of messages is written: as one JSON array, whose elements are sent as they come; as a line
 * for each where the client asks for that; or one after another where they are bytes (HttpBody). A stream
 * that fails on its way ends with `{"error": …}` as its last element or line.
 */
export class JsonStream {
  readonly raw: boolean;
  readonly contentType: string;
  begun = false;
  private readonly lines: boolean;

  constructor(binding: HttpBinding, accept: string | undefined) {
    this.raw = isRaw(binding);
    this.lines = /\bapplication\/(x-)?nd-?json\b/i.test(accept ?? "");
    this.contentType = this.lines ? "application/x-ndjson" : "application/json";
  }

  element(json: Uint8Array): Uint8Array {
    const first = !this.begun;
    this.begun = true;
    if (this.raw) return json;
    if (this.lines) return wrapped("", json, "\n");
    return wrapped(first ? "[" : ",\n", json, "");
  }

  /** What follows the last element, null for nothing. */
  end(): Uint8Array | null {
    if (this.raw || this.lines) return null;
    return bytesOf(this.begun ? "]\n" : "[]\n");
  }

  error(json: Uint8Array): Uint8Array {
    const text = wrapped('{"error":', json.subarray(0, json.lastIndexOf(0x7d) + 1), "}");
    const last = this.element(text);
    return wrapped("", last, this.lines ? "" : "]\n");
  }
}

function wrapped(before: string, bytes: Uint8Array, behind: string): Uint8Array {
  const out = allocBytes(before.length + bytes.length + behind.length);
  copyBytes(bytesOf(before), 0, before.length, out, 0);
  copyBytes(bytes, 0, bytes.length, out, before.length);
  copyBytes(bytesOf(behind), 0, behind.length, out, before.length + bytes.length);
  return out;
}
