import { HpackEncoder } from "../../hpack/encoder.ts";
import { encodeBlock, type Pair as Field } from "../../hpack/testing/blocks.ts";
import { ClientSession } from "../client-session.ts";
import { Flag, FrameType, PREFACE } from "../frame-type.ts";
import { DEFAULT_LIMITS, type H2Limits } from "../limits.ts";
import { ServerSession } from "../server-session.ts";
import { BufferSink, SessionLog, VirtualClock } from "./recorder.ts";

/** Frames made by hand, as a hostile peer would, and what a session makes of them. */

export const END = Flag.endStream;
export const HEADERS_DONE = Flag.endHeaders;

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: readonly number[] | Uint8Array = [],
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([header, Uint8Array.from(payload)]);
}

export const word = (value: number): number[] => [
  (value >>> 24) & 255,
  (value >>> 16) & 255,
  (value >>> 8) & 255,
  value & 255,
];
export const SETTINGS = frame(FrameType.settings, 0, 0);
export const settings = (id: number, value: number): Buffer =>
  frame(FrameType.settings, 0, 0, [0, id, ...word(value)]);
export const ping = (): Buffer => frame(FrameType.ping, 0, 0, Array<number>(8).fill(1));
export const reset = (stream: number, code = 8): Buffer =>
  frame(FrameType.rstStream, 0, stream, word(code));
export const windowUpdate = (stream: number, octets: number): Buffer =>
  frame(FrameType.windowUpdate, 0, stream, word(octets));
export const data = (stream: number, length: number, flags = 0): Buffer =>
  frame(FrameType.data, flags, stream, new Uint8Array(length));

/** A request's or response's fields as HEADERS, without use of the dynamic table. */
export const headers = (stream: number, fields: readonly Field[], flags: number): Buffer =>
  frame(FrameType.headers, flags, stream, encodeBlock(new HpackEncoder(), fields));

export const GET: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "a.example"],
];
export const POST: readonly Field[] = [[":method", "POST"], ...GET.slice(1)];
export const get = (stream: number): Buffer => headers(stream, GET, END | HEADERS_DONE);
export const post = (stream: number): Buffer => headers(stream, POST, HEADERS_DONE);

export interface SentFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function framesOf(bytes: Uint8Array): SentFrame[] {
  const all = Buffer.from(bytes);
  const frames: SentFrame[] = [];
  for (let at = 0; at < all.length; ) {
    const length = all.readUIntBE(at, 3);
    frames.push({
      type: all[at + 3]!,
      flags: all[at + 4]!,
      stream: all.readUInt32BE(at + 5),
      payload: all.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** One session, and a peer that says what the test likes. */
export class Victim {
  readonly clock = new VirtualClock();
  readonly sink = new BufferSink();
  readonly log = new SessionLog();
  readonly session: ServerSession | ClientSession;

  constructor(role: "server" | "client" = "server", limits: Partial<H2Limits> = {}) {
    const options = {
      sink: this.sink,
      clock: this.clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
    };
    this.session =
      role === "server"
        ? new ServerSession(options, this.log)
        : new ClientSession(options, this.log);
  }

  /** With preface and SETTINGS exchanged. */
  static ready(limits: Partial<H2Limits> = {}): Victim {
    const victim = new Victim("server", limits);
    victim.hear(Buffer.from(PREFACE), SETTINGS, frame(FrameType.settings, Flag.ack, 0));
    victim.sink.take();
    return victim;
  }

  hear(...frames: readonly Uint8Array[]): this {
    const all = Buffer.concat(frames);
    this.session.receive(all, 0, all.length);
    return this;
  }

  /** What it said to that: "goaway <code>", "reset <stream> <code>", and so on. */
  said(): string[] {
    return framesOf(this.sink.take()).map(({ type, flags, stream, payload }) => {
      switch (type) {
        case FrameType.goaway:
          return `goaway ${payload.readUInt32BE(4)}`;
        case FrameType.rstStream:
          return `reset ${stream} ${payload.readUInt32BE(0)}`;
        case FrameType.windowUpdate:
          return `window ${stream} ${payload.readUInt32BE(0)}`;
        case FrameType.settings:
          return (flags & Flag.ack) !== 0 ? "settings ack" : "settings";
        case FrameType.ping:
          return (flags & Flag.ack) !== 0 ? "ping ack" : "ping";
        default:
          return `type ${type} flags ${flags} on ${stream}`;
      }
    });
  }
}
