import type { Socket } from "node:net";
import { type OriginConnection, RawOrigin } from "../support/raw-origin.ts";

/** One request as the origin received it, whole. */
export interface SeenRequest {
  readonly connection: OriginConnection;
  readonly socket: Socket;
  /** "GET /path HTTP/1.1". */
  readonly line: string;
  /** In the order and the case of the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** All values of a field by its lower-case name. */
  all(name: string): readonly string[];
  /** The first value, or null. */
  header(name: string): string | null;
  /** Without chunk framing. */
  readonly body: string;
  readonly trailers: string;
  /** The message as it stood on the wire. */
  readonly raw: string;
}

export type Answer = (request: SeenRequest) => string | undefined;

/**
 * An origin that reads whole requests, one after another on each connection, and answers the bytes that
 * `answer` returns ("" or undefined: nothing; the script then uses the socket itself).
 */
export class ScriptedOrigin implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  readonly raw: RawOrigin;

  private constructor(raw: RawOrigin) {
    this.raw = raw;
  }

  static async start(answer: Answer): Promise<ScriptedOrigin> {
    const consumed = new WeakMap<OriginConnection, number>();
    const raw = await RawOrigin.start((connection) => {
      for (;;) {
        const from = consumed.get(connection) ?? 0;
        const request = readRequest(connection, connection.received.slice(from));
        if (request === null) return;
        consumed.set(connection, from + request.raw.length);
        origin.requests.push(request);
        const reply = answer(request);
        if (reply !== undefined && reply !== "")
          connection.socket.write(Buffer.from(reply, "latin1"));
      }
    });
    const origin = new ScriptedOrigin(raw);
    return origin;
  }

  get port(): number {
    return this.raw.port;
  }

  get connections(): readonly OriginConnection[] {
    return this.raw.connections;
  }

  get last(): SeenRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error("the origin saw no request");
    return last;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.raw[Symbol.asyncDispose]();
  }
}

/** A response with a Content-Length. */
export function ok(body = "", ...fields: readonly string[]): string {
  return response(200, body, ...fields);
}

export function response(status: number, body: string, ...fields: readonly string[]): string {
  const lines = fields.map((field) => `${field}\r\n`).join("");
  return `HTTP/1.1 ${status} Given\r\n${lines}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The pieces as chunks, with the end and the trailer lines. */
export function chunks(pieces: readonly string[], ...trailers: readonly string[]): string {
  const coded = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");
  return `${coded}0\r\n${trailers.map((line) => `${line}\r\n`).join("")}\r\n`;
}

/** Answers with what it received: the line, the fields and the body. */
export const echo: Answer = (request) => ok(request.raw);

function readRequest(connection: OriginConnection, text: string): SeenRequest | null {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return null;
  const [line, ...lines] = text.slice(0, headEnd).split("\r\n");
  const headers = lines.map((field): readonly [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  });
  const all = (name: string) =>
    headers.filter(([n]) => n.toLowerCase() === name).map(([, value]) => value);
  const start = headEnd + 4;
  const chunked = all("transfer-encoding").includes("chunked");
  const body = chunked
    ? readChunks(text, start)
    : readCounted(text, start, Number(all("content-length")[0] ?? 0));
  if (body === null) return null;
  return {
    connection,
    socket: connection.socket,
    line: line!,
    headers,
    all,
    header: (name) => all(name)[0] ?? null,
    body: body.text,
    trailers: body.trailers,
    raw: text.slice(0, body.end),
  };
}

interface Body {
  readonly text: string;
  readonly trailers: string;
  readonly end: number;
}

function readCounted(text: string, start: number, length: number): Body | null {
  const end = start + length;
  return text.length < end ? null : { text: text.slice(start, end), trailers: "", end };
}

function readChunks(text: string, start: number): Body | null {
  let body = "";
  for (let at = start; ; ) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      if (text.startsWith("\r\n", at)) return { text: body, trailers: "", end: at + 2 };
      const end = text.indexOf("\r\n\r\n", at);
      return end < 0 ? null : { text: body, trailers: text.slice(at, end), end: end + 4 };
    }
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
}
