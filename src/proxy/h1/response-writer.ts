import { bytesOf } from "../../core/bytes.ts";
import type { Stream } from "../../core/transport.ts";
import { FieldId } from "../../http/field-id.ts";
import type { Fields } from "../../http/fields.ts";
import { BodyWriter } from "../../http/h1/body-writer.ts";
import type { Framing, ResponseHead } from "../../http/head.ts";

const connectionClose = bytesOf("Connection: close\r\n");
const connectionKeepAlive = bytesOf("Connection: keep-alive\r\n");
const transferChunked = bytesOf("Transfer-Encoding: chunked\r\n");

/** What the head says of the connection: it ends, it stays (said to HTTP/1.0), or nothing. */
export type Persistence = "close" | "keep-alive" | "default";

/** The writing side of a client's connection: one response after another. */
export class ResponseWriter {
  /** The last write left more than the high-water mark: set until `drained`. */
  full = false;
  private readonly stream: Stream;
  private readonly body = new BodyWriter();

  constructor(stream: Stream) {
    this.stream = stream;
  }

  /** The stream fell under its low-water mark. */
  drained(): void {
    this.full = false;
  }

  informational(head: ResponseHead): boolean {
    this.full = head.writeTo(this.stream);
    return this.full;
  }

  head(head: ResponseHead, framing: Framing, contentLength: number, stays: Persistence): void {
    const { fields } = head;
    if (stays === "close") fields.appendLine(connectionClose, FieldId.connection);
    else if (stays === "keep-alive") fields.appendLine(connectionKeepAlive, FieldId.connection);
    if (framing === "chunked") fields.appendLine(transferChunked, FieldId.transferEncoding);
    this.body.begin(framing, contentLength);
    this.full = head.writeTo(this.stream);
  }

  data(buf: Uint8Array, start: number, end: number): boolean {
    if (this.body.data(this.stream, buf, start, end)) this.full = true;
    return this.full;
  }

  end(trailers: Fields | null): void {
    this.body.end(this.stream, trailers);
  }
}
