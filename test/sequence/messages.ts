import { allocBytes, bytesOf, copyBytes } from "../../src/core/bytes.ts";
import type { ByteSink } from "../../src/core/transport.ts";
import { Fields } from "../../src/http/fields.ts";
import { BodyWriter } from "../../src/http/h1/body-writer.ts";
import type { Framing } from "../../src/http/head.ts";
import { contentOf } from "./content.ts";
import type { Behaviour, RequestPlan } from "./scenario.ts";

/** A message as it goes out, and how much of it is the head. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly headLength: number;
}

/** What filters do to a byte on its way, and tunnels to what they echo. */
export const requestMask = 0x15;
export const responseMask = 0x2a;
export const tunnelMask = 0x3f;

export const requestContent = (request: RequestPlan): Uint8Array =>
  contentOf(`request ${request.id}`, request.size);

/** What the origin answers to the n-th arrival of a request. */
export const answerContent = (request: RequestPlan, arrival: number, size: number): Uint8Array =>
  contentOf(`answer ${request.id}/${arrival}`, size);

/** What a hook answers. */
export const localContent = (request: RequestPlan): Uint8Array =>
  contentOf(`local ${request.id}`, 20 + (request.size % 3_000));

/** What a client says in its tunnel. */
export const tunnelContent = (request: RequestPlan): Uint8Array =>
  contentOf(`tunnel ${request.id}`, request.upgrade ?? 0);

/** What an origin says first in a tunnel, right behind its 101. */
export const greeting = (request: RequestPlan): Uint8Array => bytesOf(`hello ${request.id}\n`);

/** Whether a response to `method` with this status has a body at all (RFC 9110 §6.4.1). */
export const hasBody = (method: string, status: number): boolean =>
  method !== "HEAD" && status !== 204 && status !== 304 && status >= 200;

export function requestMessage(request: RequestPlan): Message {
  if (request.malformed !== null) {
    const { id } = request;
    const named = request.malformed.replace("/ HTTP", `/${id} HTTP`);
    const bytes = bytesOf(named.replace("Host: h\r\n", `Host: h\r\nX-Id: ${id}\r\n`));
    return { bytes, headLength: bytes.length };
  }
  const lines = [
    `${request.method} /${request.id} HTTP/1.${request.minor}`,
    "Host: front.test",
    `X-Id: ${request.id}`,
  ];
  const { connection } = request;
  if (connection !== undefined) lines.push(`Connection: ${connection}`);
  if (request.upgrade !== null) lines.push("Connection: upgrade", "Upgrade: echo");
  if (request.expect) lines.push("Expect: 100-continue");
  const { framing, trailer, size } = request;
  return compose(lines, framing, requestContent(request), size, trailer ? request.id : null);
}

export function answerMessage(request: RequestPlan, arrival: number, plan: Behaviour): Message {
  const out = new Gathering();
  for (const status of plan.interim) {
    out.text(`HTTP/1.1 ${status} Wait\r\nX-Answer: ${request.id}/${arrival}\r\n\r\n`);
  }
  const lines = [`HTTP/1.${plan.minor} ${plan.status} Given`, `X-Answer: ${request.id}/${arrival}`];
  if (plan.status === 101) {
    out.text([...lines, "Connection: upgrade", "Upgrade: echo", "", ""].join("\r\n"));
    const hello = greeting(request);
    out.write(hello, 0, hello.length);
    return out.message(0);
  }
  if (plan.close) lines.push("Connection: close");
  else if (plan.minor === 0 && plan.framing === "length") lines.push("Connection: keep-alive");
  const withBody = hasBody(request.method, plan.status);
  const content = withBody ? answerContent(request, arrival, plan.size) : allocBytes(0);
  const framing = withBody ? plan.framing : "none";
  if (request.method === "HEAD" && plan.framing === "length" && plan.status === 200) {
    lines.push(`Content-Length: ${plan.size}`);
  }
  const trailer = plan.trailer ? request.id : null;
  const { bytes } = compose(lines, framing, content, content.length, trailer);
  out.write(bytes, 0, bytes.length);
  return out.message(0);
}

/** Whether the origin closes after this answer: it says so, or its framing does. */
export const endsConnection = (request: RequestPlan, plan: Behaviour): boolean =>
  plan.close ||
  (plan.minor === 0 && plan.framing !== "length") ||
  (plan.framing === "close" && hasBody(request.method, plan.status));

function compose(
  lines: string[],
  framing: Framing,
  content: Uint8Array,
  size: number,
  trailer: string | null,
): Message {
  if (framing === "length") lines.push(`Content-Length: ${size}`);
  else if (framing === "chunked") lines.push("Transfer-Encoding: chunked");
  const out = new Gathering();
  out.text([...lines, "", ""].join("\r\n"));
  const headLength = out.length;
  const body = new BodyWriter();
  body.begin(framing, size);
  for (let at = 0, chunk = 1; at < content.length; at += chunk, chunk = (chunk * 7) % 9_001) {
    body.data(out, content, at, Math.min(at + chunk, content.length));
  }
  let trailers: Fields | null = null;
  if (trailer !== null) {
    trailers = new Fields();
    trailers.append("X-Trailer", trailer);
  }
  body.end(out, trailers);
  return out.message(headLength);
}

/** A sink that keeps what is written. */
class Gathering implements ByteSink {
  private readonly pieces: Uint8Array[] = [];
  length = 0;

  text(text: string): void {
    const bytes = bytesOf(text);
    this.write(bytes, 0, bytes.length);
  }

  write(buf: Uint8Array, start: number, end: number): boolean {
    const piece = allocBytes(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.pieces.push(piece);
    this.length += piece.length;
    return false;
  }

  message(headLength: number): Message {
    return { bytes: Buffer.concat(this.pieces), headLength };
  }
}
