import type { Socket } from "node:net";
import { type OriginConnection, RawOrigin } from "../support/raw-origin.ts";
import { readRequest, type WireRequest } from "./wire-request.ts";

/** One request as the origin received it, whole. */
export interface SeenRequest extends WireRequest {
  readonly connection: OriginConnection;
  readonly socket: Socket;
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
        const message = readRequest(connection.received.slice(from));
        if (message === null) return;
        consumed.set(connection, from + message.raw.length);
        const request: SeenRequest = { ...message, connection, socket: connection.socket };
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
