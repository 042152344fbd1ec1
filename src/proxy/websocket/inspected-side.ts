import { messageDeflate } from "../../compression/message-deflate.ts";
import { NetError } from "../../core/errors.ts";
import type { Stream } from "../../core/transport.ts";
import { isCloseCode } from "../../http/websocket/close-code.ts";
import { UNMASKED, writeClose, writeFrame } from "../../http/websocket/frame-writer.ts";
import { Opcode } from "../../http/websocket/opcode.ts";
import type { DeflateAgreement } from "../../http/websocket/permessage-deflate.ts";
import { type WebSocketEvent, WebSocketReceiver } from "../../http/websocket/receiver.ts";
import { Utf8Check } from "../../http/websocket/utf8.ts";
import type { Exchange } from "../exchange.ts";
import { hookError } from "../failure.ts";
import { HeldInput } from "../held-input.ts";
import { brokenDown, type Goodbye, goingAway, HookBusy, OtherFull, TunnelSide } from "../tunnel.ts";
import type { WebSocketTerms } from "./handshake.ts";
import { type MessageVerdict, WebSocketMessage } from "./message.ts";

/** Shorter messages are not worth deflating. */
const worthDeflating = 64;

/** Bits of the window that any of our peers keeps, unless it said otherwise. */
const fullWindow = 15;

/**
 * One direction of a WebSocket of which the program sees the messages. It takes them one at a time: while
 * the hook, or the other side, is not ready for the next, the stream is paused.
 */
export class InspectedSide extends TunnelSide {
  override readonly polite = true;
  private readonly exchange: Exchange;
  private readonly from: "client" | "upstream";
  private readonly receiver: WebSocketReceiver;
  /** What was agreed on with the side that is written to. */
  private readonly sending: DeflateAgreement | null;
  private readonly held = new HeldInput(null);
  private processing = false;
  /** The sender's end waits for what is held. */
  private endDue = false;
  /** The sender broke the rules: what it still says means nothing. */
  private broken = false;
  /** Our goodbye was said: what follows is not passed on. */
  private silent = false;

  constructor(
    stream: Stream,
    from: "client" | "upstream",
    exchange: Exchange,
    terms: WebSocketTerms,
  ) {
    super(stream);
    this.exchange = exchange;
    this.from = from;
    const receiving = from === "client" ? terms.client : terms.upstream;
    this.sending = from === "client" ? terms.upstream : terms.client;
    this.receiver = new WebSocketReceiver(
      from === "client" ? "client" : "server",
      exchange.downstream.settings.limits.webSocketMessage,
      receiving === null ? null : messageDeflate,
    );
  }

  // ---- what comes --------------------------------------------------------------------------------

  override onData(buf: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    this.tunnel.touch();
    this.process(buf, start, end);
  }

  private process(buf: Uint8Array, start: number, end: number): void {
    const { receiver } = this;
    let at = start;
    this.processing = true;
    while (this.holds === 0 && !this.broken) {
      const event = receiver.receive(buf, at, end);
      at = receiver.pos;
      if (event === "need-data") break;
      this.take(event);
    }
    this.processing = false;
    if (this.holds !== 0) this.held.keep(buf, at, end);
  }

  protected override flow(): void {
    this.stream.resume();
    if (this.processing) return;
    const { held } = this;
    const { bytes, start, end } = held;
    held.take();
    if (bytes !== null) this.process(bytes, start, end);
    held.settle();
    if (this.holds !== 0 || !this.endDue) return;
    this.endDue = false;
    super.onEnd();
  }

  override onEnd(): void {
    if (this.holds !== 0) this.endDue = true;
    else super.onEnd();
  }

  private take(event: WebSocketEvent): void {
    const { kind, payload } = this.receiver;
    switch (event) {
      case "message":
        if (!this.silent) this.ask(new WebSocketMessage(kind, payload));
        return;
      case "ping":
      case "pong":
        if (!this.silent) this.write(event === "ping" ? Opcode.ping : Opcode.pong, payload);
        return;
      case "close":
        this.closing = true;
        this.finished = true;
        if (!this.silent) {
          this.told = true;
          this.write(Opcode.close, payload);
        }
        return this.tunnel.settle();
      default:
        return this.refuse();
    }
  }

  /** RFC 6455 §7.1.7: the connection fails, and its sender is told why. */
  private refuse(): void {
    const { code, message } = this.receiver.fault!;
    this.broken = true;
    const fromClient = this.from === "client";
    const told: Goodbye = { code, reason: message };
    const other = fromClient ? goingAway : brokenDown;
    const error = new NetError("MALFORMED_MESSAGE", `websocket: ${message}`, {
      source: fromClient ? "downstream" : "upstream",
    });
    if (fromClient) this.tunnel.leave(told, other, error);
    else this.tunnel.leave(other, told, error);
    // What it goes on sending is read and thrown away, so that it gets the goodbye and not a reset.
    this.stream.end();
  }

  // ---- the program -------------------------------------------------------------------------------

  private ask(message: WebSocketMessage): void {
    const { exchange, from } = this;
    const { context, ctx, program } = exchange;
    const direction = from === "client" ? "from-client" : "from-upstream";
    context.observer.webSocketMessage(exchange.listener, direction, message.bytes.length);
    const deflated = this.receiver.deflated;
    try {
      const verdict = program.webSocketMessage?.(exchange, direction, message, ctx);
      if (!(verdict instanceof Promise)) return this.apply(verdict, message, deflated);
      this.hold(HookBusy);
      exchange.await("webSocketMessage", verdict, (value) => {
        this.apply(value, message, deflated);
        this.release(HookBusy);
      });
    } catch (cause) {
      this.hookFailed(cause);
    }
  }

  private hookFailed(cause: unknown): void {
    const error = hookError("webSocketMessage", cause);
    if (error.source === "internal")
      this.exchange.context.observer.fault("webSocketMessage", cause);
    this.tunnel.fail(brokenDown, error);
  }

  /** `deflated`: the message as it came, where it may go on as it is. */
  private apply(
    verdict: MessageVerdict,
    message: WebSocketMessage,
    deflated: Uint8Array | null,
  ): void {
    if (verdict === null || this.silent) return;
    if (verdict === undefined) this.pass(message, deflated);
    else if (typeof verdict === "string") this.send(Opcode.text, encoder.encode(verdict));
    else if (verdict instanceof Uint8Array) this.send(opcodeOf(message), checked(message, verdict));
    else {
      const goodbye = { code: verdict.close, reason: verdict.reason ?? "" };
      if (!isCloseCode(goodbye.code)) throw new TypeError(`not a close code: ${goodbye.code}`);
      this.tunnel.leave(goodbye, goodbye, null);
    }
  }

  private pass(message: WebSocketMessage, deflated: Uint8Array | null): void {
    const opcode = opcodeOf(message);
    if (deflated !== null && this.sending?.windowBits === fullWindow) {
      this.write(opcode, deflated, true);
    } else this.send(opcode, message.bytes);
  }

  // ---- what goes out -----------------------------------------------------------------------------

  private send(opcode: Opcode, bytes: Uint8Array): void {
    if (this.sending !== null && bytes.length >= worthDeflating) {
      const deflated = messageDeflate.deflate(bytes, this.sending.windowBits);
      if (deflated.length < bytes.length) return this.write(opcode, deflated, true);
    }
    this.write(opcode, bytes);
  }

  private write(opcode: Opcode, payload: Uint8Array, compressed = false): void {
    const { stream } = this.other;
    if (writeFrame(stream, opcode, compressed, payload, this.mask())) this.hold(OtherFull);
  }

  /** RFC 6455 §5.3: to the upstream we are a client, whose frames are masked. */
  private mask(): number {
    return this.from === "client" ? this.exchange.context.transport.rng.u32() : UNMASKED;
  }

  override leave({ code, reason }: Goodbye): void {
    if (this.told) return;
    this.silent = true;
    this.told = true;
    writeClose(this.other.stream, code, reason, this.mask());
    // The answer is looked for, whatever the hook is still busy with.
    this.release(OtherFull | HookBusy);
  }
}

const encoder = new TextEncoder();

const opcodeOf = ({ kind }: WebSocketMessage): Opcode =>
  kind === "text" ? Opcode.text : Opcode.binary;

/** TypeError for what no text may be. */
function checked({ kind }: WebSocketMessage, bytes: Uint8Array): Uint8Array {
  const check = new Utf8Check();
  if (kind === "text" && !(check.takes(bytes, 0, bytes.length) && check.complete)) {
    throw new TypeError("bytes for a text message that are not UTF-8");
  }
  return bytes;
}
