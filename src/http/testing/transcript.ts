import { allocBytes, latin1, writeLatin1 } from "../../core/bytes.ts";
import type { ByteSink } from "../../core/transport.ts";
import type { Fields } from "../fields.ts";
import type { H1Limits } from "../h1/limits.ts";
import { RequestReceiver } from "../h1/request-receiver.ts";
import { ResponseReceiver } from "../h1/response-receiver.ts";
import { RequestHead } from "../request-head.ts";
import { ResponseHead } from "../response-head.ts";

export const LIMITS: H1Limits = { requestLine: 256, head: 1024, fields: 20, body: 65_536 };

/** What a receiver made of an input: one entry a message, body pieces joined. */
export interface Message {
  start: string;
  fields: [string, string][];
  framing: string;
  keepAlive: boolean;
  body: string;
  trailers: [string, string][] | null;
  ended: boolean;
}

export interface Transcript {
  messages: Message[];
  /** "status code message", null without an error. */
  error: string | null;
  /** Octets consumed. */
  consumed: number;
}

/** Gathers what is written. */
export class TextSink implements ByteSink {
  text = "";
  writes = 0;

  write(buf: Uint8Array, start: number, end: number): boolean {
    this.text += latin1(buf, start, end);
    this.writes++;
    return false;
  }
}

/** Runs a request receiver over `text` in pieces of the given sizes; the rest is one more piece. */
export function receiveRequests(
  text: string,
  sizes: readonly number[] = [],
  limits: H1Limits = LIMITS,
): Transcript {
  const receiver = new RequestReceiver(limits);
  const head = new RequestHead();
  const start = (): string => `${head.method} ${head.target} 1.${head.minor}`;
  return run(text, sizes, receiver, head, start, () => receiver.next());
}

/** Likewise for responses; `methods` are those of the requests, in order. */
export function receiveResponses(
  text: string,
  sizes: readonly number[] = [],
  methods: readonly string[] = ["GET"],
  limits: H1Limits = LIMITS,
  eof = false,
): Transcript {
  const receiver = new ResponseReceiver(limits);
  const head = new ResponseHead();
  let begun = 0;
  const next = (): void => {
    if (begun < methods.length) receiver.begin(methods[begun++]!);
  };
  next();
  const start = (): string => `${head.status} ${head.reason} 1.${head.minor}`;
  const transcript = run(text, sizes, receiver, head, start, next);
  if (eof && transcript.error === null) {
    if (receiver.eof() === "error") transcript.error = describe(receiver);
    else if (transcript.messages.length > 0) transcript.messages.at(-1)!.ended = true;
  }
  return transcript;
}

type Either =
  | { receiver: RequestReceiver; head: RequestHead }
  | { receiver: ResponseReceiver; head: ResponseHead };

function run<R extends Either["receiver"], H extends Either["head"]>(
  text: string,
  sizes: readonly number[],
  receiver: R,
  head: H,
  startLine: () => string,
  next: () => void,
): Transcript {
  const transcript: Transcript = { messages: [], error: null, consumed: 0 };
  let from = 0;
  for (let piece = 0; from < text.length || piece === 0; piece++) {
    const to = Math.min(text.length, from + (sizes[piece] ?? text.length));
    // Each piece lies alone in fresh memory amid garbage, so that a read beyond it would show.
    const buf = allocBytes(to - from + 16).fill(0x5a);
    writeLatin1(buf, 7, text.slice(from, to));
    const end = 7 + to - from;
    let pos = 7;
    for (;;) {
      const event = receive(receiver, buf, pos, end, head);
      if (receiver.pos < pos || receiver.pos > end) throw new Error("position outside the input");
      pos = receiver.pos;
      transcript.consumed = from + pos - 7;
      if (event === "need-data" && pos !== end) throw new Error("need-data with input left");
      if (event === "error") {
        transcript.error = describe(receiver);
        return transcript;
      }
      if (event === "need-data" || event === "paused") break;
      record(transcript, event, receiver, head, startLine, buf);
      if (event === "end") next();
    }
    if (pos < end) return transcript;
    from = to;
  }
  return transcript;
}

function receive(
  receiver: Either["receiver"],
  buf: Uint8Array,
  start: number,
  end: number,
  head: Either["head"],
): string {
  if (receiver instanceof RequestReceiver && head instanceof RequestHead) {
    return receiver.receive(buf, start, end, head);
  }
  if (receiver instanceof ResponseReceiver && head instanceof ResponseHead) {
    return receiver.receive(buf, start, end, head);
  }
  throw new Error("receiver and head do not match");
}

function record(
  transcript: Transcript,
  event: "head" | "data" | "end" | string,
  receiver: Either["receiver"],
  head: Either["head"],
  startLine: () => string,
  buf: Uint8Array,
): void {
  if (event === "head") {
    transcript.messages.push({
      start: startLine(),
      fields: [...head.fields],
      framing: head.framing === "length" ? `length ${head.contentLength}` : head.framing,
      keepAlive: head.keepAlive,
      body: "",
      trailers: null,
      ended: false,
    });
    return;
  }
  const message = transcript.messages.at(-1)!;
  if (event === "data") {
    if (receiver.dataEnd <= receiver.dataStart) throw new Error("empty data");
    message.body += latin1(buf, receiver.dataStart, receiver.dataEnd);
  } else if (event === "end") {
    message.ended = true;
    message.trailers = linesOf(receiver.trailers);
  }
}

function linesOf(fields: Fields | null): [string, string][] | null {
  return fields === null ? null : [...fields];
}

function describe(receiver: Either["receiver"]): string {
  const error = receiver.error!;
  return `${error.status} ${error.code} ${error.message}`;
}
