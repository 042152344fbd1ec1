import type { ErrorCode } from "../core/errors.ts";
import { HttpDate } from "../http/date.ts";
import { Fields } from "../http/fields.ts";
import type { ResponseHead } from "../http/head.ts";
import { reasonPhrase } from "../http/status.ts";

const date = new HttpDate();

/** An answer that the proxy gives itself, between `session.respond` and its sending. */
export class LocalResponse {
  given = false;
  status = 0;
  readonly fields = new Fields();
  /** The head is all, and says nothing of a length: an answer of gRPC (Trailers-Only). */
  bare = false;
  private bytes: Uint8Array | null = null;

  clear(): void {
    this.given = false;
    this.status = 0;
    this.bare = false;
    this.fields.clear();
    this.bytes = null;
  }

  get body(): Uint8Array | null {
    return this.bytes;
  }

  /** Replaces an earlier answer. Throws TypeError on a status outside 200 – 599 and on a bad field. */
  set(
    status: number,
    headers: Readonly<Record<string, string>> | null,
    body: string | Uint8Array | null,
  ): void {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new TypeError(`session.respond: status ${status} is not within 200 – 599`);
    }
    this.clear();
    for (const name in headers) {
      if (!isFraming(name)) this.fields.append(name, headers[name] as string);
    }
    this.given = true;
    this.status = status;
    this.bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  }

  /** Changes what is answered; the fields stay. */
  become(status: number, body: Uint8Array | null): void {
    this.status = status;
    this.bytes = body;
  }

  /** Writes the answer's head, dated `wallClock`. */
  fill(head: ResponseHead, method: string, wallClock: number): void {
    head.clear();
    head.status = this.status;
    head.reason = reasonPhrase(this.status);
    const length = this.bytes === null ? 0 : this.bytes.length;
    head.fields.copyFrom(this.fields);
    // RFC 9110 §6.6.1: whoever makes a response dates it.
    if (!head.fields.has("date")) head.fields.append("Date", date.at(wallClock));
    // RFC 9110 §8.6: no Content-Length in a 204; in a 304 it would speak of another body.
    const bodiless = this.bare || this.status === 204 || this.status === 304;
    if (!bodiless) head.fields.append("Content-Length", String(length));
    head.framing = bodiless || method === "HEAD" ? "none" : "length";
    head.contentLength = head.framing === "length" ? length : -1;
  }
}

/** Fields that say how a message is framed: ours to write, not a hook's. */
function isFraming(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === "content-length" || lower === "transfer-encoding" || lower === "connection";
}

/** The short body of an error: what, never why, unless the client alone can put it right. */
export function errorText(status: number, code: ErrorCode | null = null): string {
  const hint = code === "PLAIN_ON_TLS" ? ": this port speaks TLS, use https://" : "";
  return `${status} ${reasonPhrase(status)}${hint}\n`;
}

const plainText = { "Content-Type": "text/plain; charset=utf-8" };
const methodRefused = { ...plainText, Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };

export const errorHeaders = (status: number): Readonly<Record<string, string>> =>
  status === 405 ? methodRefused : plainText;
