import { allocBytes, copyBytes } from "../core/bytes.ts";
import { FRAME_HEADER } from "./message-frame.ts";

/** Who takes what a reader finds. */
export interface MessageSink {
  /** A whole message; the sink's to keep. */
  onMessage(flags: number, message: Uint8Array): void;
}

/** What came of a piece: "too-large" when a message announces more than the limit; nothing follows it. */
export type ReadResult = "ok" | "too-large";

const nothing = allocBytes(0);

/**
 * Puts length-prefixed messages together from pieces cut anywhere. It holds one message, of at most
 * `limit` bytes, and grows with what came of it, not with what was announced.
 */
export class MessageReader {
  private readonly limit: number;
  private readonly header = allocBytes(FRAME_HEADER);
  private headerLength = 0;
  private body: Uint8Array = nothing;
  private bodyLength = 0;
  private announced = 0;
  private refused = false;

  /** `limit`: bytes of one message, without its header. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /** Between two messages: an end may come here, and nowhere else. */
  get atBoundary(): boolean {
    return this.headerLength === 0 && !this.refused;
  }

  read(buf: Uint8Array, start: number, end: number, sink: MessageSink): ReadResult {
    let at = start;
    while (at < end && !this.refused) {
      at =
        this.headerLength < FRAME_HEADER
          ? this.readHeader(buf, at, end)
          : this.readBody(buf, at, end);
      if (this.headerLength === FRAME_HEADER && this.bodyLength === this.announced)
        this.deliver(sink);
    }
    return this.refused ? "too-large" : "ok";
  }

  private readHeader(buf: Uint8Array, start: number, end: number): number {
    const taken = Math.min(FRAME_HEADER - this.headerLength, end - start);
    copyBytes(buf, start, start + taken, this.header, this.headerLength);
    this.headerLength += taken;
    if (this.headerLength < FRAME_HEADER) return start + taken;
    const h = this.header;
    this.announced = ((h[1]! << 24) | (h[2]! << 16) | (h[3]! << 8) | h[4]!) >>> 0;
    if (this.announced > this.limit) this.refused = true;
    return start + taken;
  }

  private readBody(buf: Uint8Array, start: number, end: number): number {
    const taken = Math.min(this.announced - this.bodyLength, end - start);
    this.makeRoom(this.bodyLength + taken);
    copyBytes(buf, start, start + taken, this.body, this.bodyLength);
    this.bodyLength += taken;
    return start + taken;
  }

  private makeRoom(length: number): void {
    if (length <= this.body.length) return;
    const room = Math.min(this.announced, Math.max(length, 2 * this.body.length));
    const larger = allocBytes(room);
    copyBytes(this.body, 0, this.bodyLength, larger, 0);
    this.body = larger;
  }

  private deliver(sink: MessageSink): void {
    if (this.refused) return;
    const message = this.body;
    this.body = nothing;
    this.bodyLength = 0;
    this.headerLength = 0;
    sink.onMessage(this.header[0]!, message);
  }
}
