import { bytesOf, latin1 } from "../core/bytes.ts";
import type { ByteSink } from "../core/transport.ts";
import { Fields } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { removeHopByHop } from "./hop-by-hop.ts";
import { reasonPhrase } from "./status.ts";

/** Where the status code's first digit stands in a status line, and the reason behind it. */
const REASON_AT = 13;
const REASON_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * The head of a response. A received one keeps the octets that came; after `clear` it is "200 OK"
 * without fields, to be filled by a program.
 */
export class ResponseHead {
  readonly fields: Fields;
  /** The HTTP/1 minor version that the sender speaks; what is written is always 1.1. */
  minor: 0 | 1;
  framing: Framing;
  /** -1 unless framing is "length". */
  contentLength: number;
  keepAlive: boolean;
  #status: number;
  /** null while it lies in the start line in front of the fields, up to `#reasonEnd`. */
  #reason: string | null;
  #reasonEnd: number;
  /** The start line in front of the fields no longer holds. */
  #edited: boolean;

  constructor() {
    this.fields = new Fields();
    this.minor = 1;
    this.framing = "none";
    this.contentLength = -1;
    this.keepAlive = true;
    this.#status = 200;
    this.#reason = "OK";
    this.#reasonEnd = 0;
    this.#edited = true;
  }

  /** The fields, by the name that hooks use. */
  get headers(): Fields {
    return this.fields;
  }

  get status(): number {
    return this.#status;
  }

  /** An integer from 100 to 999, else TypeError; the reason becomes the usual one. */
  set status(status: number) {
    if (!Number.isInteger(status) || status < 100 || status > 999) {
      throw new TypeError(`not a status: ${String(status)}`);
    }
    this.#status = status;
    this.#reason = reasonPhrase(status);
    this.#edited = true;
  }

  get reason(): string {
    this.#reason ??= latin1(this.fields.bytes, REASON_AT, this.#reasonEnd);
    return this.#reason;
  }

  /** TypeError for controls or characters beyond latin1. */
  set reason(reason: string) {
    if (!REASON_TEXT.test(reason)) {
      throw new TypeError(`not a reason phrase: ${JSON.stringify(reason)}`);
    }
    this.#reason = reason;
    this.#edited = true;
  }

  /** See `removeHopByHop`. */
  removeHopByHop(keepUpgrade: boolean): void {
    removeHopByHop(this.fields, keepUpgrade);
  }

  clear(): void {
    this.fields.clear();
    this.minor = 1;
    this.framing = "none";
    this.contentLength = -1;
    this.keepAlive = true;
    this.#status = 200;
    this.#reason = "OK";
    this.#reasonEnd = 0;
    this.#edited = true;
  }

  /**
   * For receivers: the start line is what lies in front of the fields, its reason ending at `reasonEnd`.
   * A line without the space after the status has none, and is written anew.
   */
  startLineReceived(status: number, reasonEnd: number): void {
    this.#status = status;
    this.#reason = reasonEnd > REASON_AT ? null : "";
    this.#reasonEnd = reasonEnd;
    this.#edited = reasonEnd < REASON_AT;
  }

  copyFrom(other: ResponseHead): void {
    this.fields.copyFrom(other.fields);
    this.minor = other.minor;
    this.framing = other.framing;
    this.contentLength = other.contentLength;
    this.keepAlive = other.keepAlive;
    this.#status = other.#status;
    this.#reason = other.#reason;
    this.#reasonEnd = other.#reasonEnd;
    this.#edited = other.#edited;
  }

  /**
   * Writes the head as HTTP/1.1, with its live fields and the empty line; an unedited one is a single
   * write. Returns what the last write said.
   */
  writeTo(sink: ByteSink): boolean {
    if (this.#edited) {
      const line = bytesOf(`HTTP/1.1 ${this.#status} ${this.reason}\r\n`);
      sink.write(line, 0, line.length);
      return this.fields.writeSection(sink, this.fields.start);
    }
    this.fields.bytes[7] = 0x31; // the minor version
    return this.fields.writeSection(sink, 0);
  }
}
