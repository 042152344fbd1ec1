import { allocBytes, copyBytes } from "../../core/bytes.ts";
import { CloseCode, isCloseCode } from "./close-code.ts";
import type { MessageDeflate } from "./deflate.ts";
import { FrameHeader } from "./frame-header.ts";
import { maskInto } from "./mask.ts";
import { CONTROL, CONTROL_PAYLOAD, Opcode } from "./opcode.ts";
import { Utf8Check } from "./utf8.ts";

/** What came; "need-data": all input is consumed. */
export type WebSocketEvent = "message" | "ping" | "pong" | "close" | "need-data" | "error";

/** What the peer did wrong, with the code that it is told. */
export interface WebSocketFault {
  readonly code: number;
  readonly message: string;
}

/** RSV1, by which permessage-deflate marks a message (RFC 7692 §6). */
const COMPRESSED = 4;

const nothing = new Uint8Array(0);

/**
 * The receiving half of a WebSocket (RFC 6455). Call `receive` with what is left of the input until it
 * returns "need-data" or "error"; each call returns one event:
 *
 *     (message | ping | pong)* close  — or error, for good
 *
 * Messages come whole, however they were fragmented, unmasked and inflated; memory grows with what has
 * arrived, not with what was announced.
 */
export class WebSocketReceiver {
  /** After `receive`: the input was consumed up to here. */
  pos: number;
  /** Of a "message". */
  kind: "text" | "binary";
  /** Of a "message", the taker's to keep; of "ping", "pong" and "close" valid until the next call. */
  payload: Uint8Array;
  /** Of a "message" that was compressed, its payload as it came; else null. */
  deflated: Uint8Array | null;
  /** Of a "close"; 1005 when it named none. The reason is in `payload`, behind two octets of code. */
  code: number;
  fault: WebSocketFault | null;
  readonly #masked: boolean;
  readonly #limit: number;
  readonly #deflate: MessageDeflate | null;
  readonly #header: FrameHeader;
  readonly #utf8: Utf8Check;
  readonly #control: Uint8Array;
  #state: "header" | "payload" | "closed" | "failed";
  /** Octets of the frame's payload that came. */
  #taken: number;
  /** A message's first frame came, its last has not. */
  #inMessage: boolean;
  #compressed: boolean;
  #message: Uint8Array;
  #length: number;

  /**
   * `from`: who sends, which decides whether frames are to be masked. `limit`: octets of a message, also
   * (but for what deflating may add) before it is inflated. `deflate`: null where permessage-deflate was not agreed on.
   */
  constructor(from: "client" | "server", limit: number, deflate: MessageDeflate | null) {
    this.pos = 0;
    this.kind = "binary";
    this.payload = nothing;
    this.deflated = null;
    this.code = CloseCode.none;
    this.fault = null;
    this.#masked = from === "client";
    this.#limit = limit;
    this.#deflate = deflate;
    this.#header = new FrameHeader();
    this.#utf8 = new Utf8Check();
    this.#control = allocBytes(CONTROL_PAYLOAD);
    this.#state = "header";
    this.#taken = 0;
    this.#inMessage = false;
    this.#compressed = false;
    this.#message = nothing;
    this.#length = 0;
  }

  /** The next event of buf[start, end). */
  receive(buf: Uint8Array, start: number, end: number): WebSocketEvent {
    const header = this.#header;
    this.pos = start;
    for (;;) {
      if (this.#state === "failed") return "error";
      if (this.#state === "closed") {
        // §5.5.1: nothing follows a Close frame.
        this.pos = end;
        return "need-data";
      }
      if (this.#state === "header") {
        this.pos = header.read(buf, this.pos, end);
        if (!header.complete && !header.invalid) return "need-data";
        this.fault = this.#judge(header);
        if (this.fault !== null) return this.#fail();
        this.#begin(header);
      }
      const taken = Math.min(header.length - this.#taken, end - this.pos);
      if (!this.#take(buf, this.pos, this.pos + taken)) return this.#fail();
      this.pos += taken;
      if (this.#taken < header.length) return "need-data";
      header.reset();
      this.#state = "header";
      const event = this.#frameEnd(header);
      if (event !== null) return event;
    }
  }

  #fail(): "error" {
    this.#state = "failed";
    this.#message = nothing;
    return "error";
  }

  /** What of the header is against the rules. */
  #judge(header: FrameHeader): WebSocketFault | null {
    const { length, opcode, reserved } = header;
    if (header.invalid) return Fault.length;
    if (header.padded) return Fault.length;
    if (header.masked !== this.#masked) return this.#masked ? Fault.unmasked : Fault.masked;
    if ((opcode & CONTROL) !== 0) {
      if (opcode > Opcode.pong) return Fault.opcode;
      if (reserved !== 0) return Fault.reserved;
      if (!header.fin || length > CONTROL_PAYLOAD) return Fault.control;
      return opcode === Opcode.close && length === 1 ? Fault.closeFrame : null;
    }
    if (opcode > Opcode.binary) return Fault.opcode;
    const first = opcode !== Opcode.continuation;
    const mayCompress = first && this.#deflate !== null;
    if (reserved !== 0 && (reserved !== COMPRESSED || !mayCompress)) return Fault.reserved;
    if (first === this.#inMessage) return Fault.fragment;
    const compressed = first ? reserved === COMPRESSED : this.#compressed;
    const most = compressed ? deflatedAtMost(this.#limit) : this.#limit;
    return this.#length + length > most ? Fault.tooBig : null;
  }

  #begin({ opcode, reserved }: FrameHeader): void {
    this.#state = "payload";
    this.#taken = 0;
    if (opcode === Opcode.text || opcode === Opcode.binary) {
      this.#inMessage = true;
      this.#compressed = reserved === COMPRESSED;
      this.kind = opcode === Opcode.text ? "text" : "binary";
    }
  }

  /** Takes a piece of the frame's payload; false when it cannot be what it says. */
  #take(buf: Uint8Array, start: number, end: number): boolean {
    const { key, length, opcode } = this.#header;
    const control = (opcode & CONTROL) !== 0;
    const at = control ? this.#taken : this.#length;
    if (!control) this.#reserve(end - start, length - this.#taken);
    const target = control ? this.#control : this.#message;
    if (this.#masked) maskInto(buf, start, end, target, at, key, this.#taken);
    else copyBytes(buf, start, end, target, at);
    this.#taken += end - start;
    if (control) return true;
    this.#length += end - start;
    if (this.kind !== "text" || this.#compressed) return true;
    if (this.#utf8.takes(target, at, this.#length)) return true;
    this.fault = Fault.utf8;
    return false;
  }

  /** Makes room for a piece; `left` octets of the frame come, if its sender speaks the truth. */
  #reserve(piece: number, left: number): void {
    const needed = this.#length + piece;
    if (needed <= this.#message.length) return;
    const most = this.#length + left;
    const grown = allocBytes(Math.min(most, Math.max(needed, 2 * this.#message.length)));
    copyBytes(this.#message, 0, this.#length, grown, 0);
    this.#message = grown;
  }

  #frameEnd({ fin, opcode }: FrameHeader): WebSocketEvent | null {
    switch (opcode) {
      case Opcode.ping:
      case Opcode.pong:
        this.payload = this.#control.subarray(0, this.#taken);
        return opcode === Opcode.ping ? "ping" : "pong";
      case Opcode.close:
        return this.#close();
      default:
        return fin ? this.#messageEnd() : null;
    }
  }

  #messageEnd(): WebSocketEvent {
    const bytes = this.#message.subarray(0, this.#length);
    this.#message = nothing;
    this.#length = 0;
    this.#inMessage = false;
    if (this.#compressed) return this.#inflate(bytes);
    if (!this.#utf8.complete) {
      this.fault = Fault.utf8;
      return this.#fail();
    }
    this.payload = bytes;
    this.deflated = null;
    return "message";
  }

  #inflate(bytes: Uint8Array): WebSocketEvent {
    const message = this.#deflate!.inflate(bytes, this.#limit);
    if (typeof message === "string") {
      this.fault = message === "too-large" ? Fault.tooBig : Fault.deflated;
      return this.#fail();
    }
    if (this.kind === "text" && !this.#isUtf8(message, 0)) return this.#fail();
    this.payload = message;
    this.deflated = bytes;
    return "message";
  }

  #isUtf8(bytes: Uint8Array, start: number): boolean {
    const check = new Utf8Check();
    if (check.takes(bytes, start, bytes.length) && check.complete) return true;
    this.fault = Fault.utf8;
    return false;
  }

  #close(): WebSocketEvent {
    const payload = this.#control.subarray(0, this.#taken);
    this.payload = payload;
    this.code = payload.length === 0 ? CloseCode.none : (payload[0]! << 8) | payload[1]!;
    if (payload.length > 0 && !isCloseCode(this.code)) {
      this.fault = Fault.closeFrame;
      return this.#fail();
    }
    if (payload.length > 0 && !this.#isUtf8(payload, 2)) return this.#fail();
    this.#state = "closed";
    this.#message = nothing;
    return "close";
  }
}

/** What does not compress grows, by the headers of blocks that are stored. */
const deflatedAtMost = (octets: number): number => octets + Math.ceil(octets / 1024) + 64;

const protocol = (message: string): WebSocketFault => ({ code: CloseCode.protocolError, message });

const Fault = {
  length: protocol("a frame's length is not as it must be written"),
  unmasked: protocol("a client's frame is not masked"),
  masked: protocol("a server's frame is masked"),
  opcode: protocol("a frame of an unknown kind"),
  reserved: protocol("a reserved bit is set without an extension for it"),
  control: protocol("a control frame is too long, or a fragment"),
  closeFrame: protocol("a Close frame with a code that must not be sent"),
  fragment: protocol("fragments of messages out of order"),
  utf8: { code: CloseCode.invalidPayload, message: "text that is not UTF-8" },
  deflated: { code: CloseCode.invalidPayload, message: "a message that cannot be inflated" },
  tooBig: { code: CloseCode.tooBig, message: "a message beyond the limit" },
} satisfies Record<string, WebSocketFault>;
