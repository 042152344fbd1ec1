import { latin1 } from "../../../src/core/bytes.ts";
import { below, type Rng, unit } from "../../../src/core/random.ts";
import { after, micros } from "../../../src/core/time.ts";
import type { ConnectHandler, Stream, Transport } from "../../../src/core/transport.ts";
import { WebSocketReceiver } from "../../../src/http/websocket/receiver.ts";
import { rawFrame } from "../../../src/http/websocket/testing/frames.ts";

const UPGRADE =
  "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/** One end of a WebSocket in virtual time: it writes its frames in pieces, and judges strictly what it gets. */
export class SimulatedPeer implements ConnectHandler {
  stream!: Stream;
  /** Messages of which all frames were written, and those that came. */
  readonly said: string[] = [];
  readonly heard: string[] = [];
  /** Of the Close frame that came; 0 before. */
  code = 0;
  fault = "";
  closed = false;
  /** Answers a Close … */
  polite = true;
  /** … and ends its stream. */
  ends = true;
  private readonly role: "client" | "server";
  private readonly transport: Transport;
  private readonly rng: Rng;
  private readonly receiver: WebSocketReceiver;
  private head = "";
  private upgraded = false;
  private closing = false;
  /** Frames to be written, the first of them in part; each with the message that ends with it. */
  private frames: { bytes: Buffer; message: string | null }[] = [];
  private written = 0;

  constructor(role: "client" | "server", transport: Transport, rng: Rng) {
    this.role = role;
    this.transport = transport;
    this.rng = rng;
    this.receiver = new WebSocketReceiver(role === "client" ? "server" : "client", 1 << 20, null);
  }

  /** Adds a message of random size in random fragments, now and then with a ping between. */
  add(text: string): void {
    const { rng } = this;
    const size = unit(rng) < 0.2 ? below(rng, 90_000) : below(rng, 300);
    const message = `${text} ${"x".repeat(size)}`;
    const pieces = 1 + below(rng, 3);
    for (let i = 0; i < pieces; i++) {
      const from = Math.floor((message.length * i) / pieces);
      const to = Math.floor((message.length * (i + 1)) / pieces);
      const last = i === pieces - 1;
      const payload = Buffer.from(message.slice(from, to));
      this.push(i === 0 ? 1 : 0, payload, last, last ? message : null);
      if (unit(rng) < 0.2) this.push(9, Buffer.from("ping"), true, null);
    }
  }

  /** Adds a Close frame; nothing follows it. */
  addClose(code: number): void {
    this.closing = true;
    this.push(8, Buffer.from([code >> 8, code & 0xff]), true, null);
  }

  private push(opcode: number, payload: Buffer, fin: boolean, message: string | null): void {
    const word = this.rng.u32();
    const key = this.role === "client" ? Buffer.from(Uint32Array.of(word).buffer) : null;
    this.frames.push({ bytes: rawFrame({ opcode, payload, fin, key }), message });
  }

  onConnect(): void {
    this.write(Buffer.from(UPGRADE));
  }

  private write(bytes: Uint8Array): void {
    if (!this.closed) this.stream.write(bytes, 0, bytes.length);
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    if (this.upgraded) return this.receive(buf, start, end);
    this.head += latin1(buf, start, end);
    const at = this.head.indexOf("\r\n\r\n");
    if (at < 0) return;
    this.upgraded = true;
    if (this.role === "server") this.write(Buffer.from(SWITCHED));
    this.talkSoon();
    const rest = Buffer.from(this.head.slice(at + 4), "latin1");
    this.receive(rest, 0, rest.length);
  }

  private receive(buf: Uint8Array, start: number, end: number): void {
    const { receiver } = this;
    for (let at = start; ; at = receiver.pos) {
      const event = receiver.receive(buf, at, end);
      if (event === "need-data") return;
      if (event === "error") {
        this.fault = receiver.fault!.message;
        return;
      }
      if (event === "message")
        this.heard.push(latin1(receiver.payload, 0, receiver.payload.length));
      if (event === "close") this.answer(receiver.code);
    }
  }

  /** RFC 6455 §5.5.1: the frame under way is finished, then a Close goes out. */
  private answer(code: number): void {
    this.code = code;
    if (!this.polite || this.closing) return;
    this.frames.length = Math.min(this.frames.length, this.written > 0 ? 1 : 0);
    this.addClose(code);
  }

  private talkSoon(): void {
    const at = after(this.transport.now(), micros(below(this.rng, 3_000)));
    this.transport.schedule({ onTimer: () => this.talk() }, at);
  }

  private talk(): void {
    if (this.closed) return;
    const frame = this.frames[0];
    if (frame !== undefined) {
      const size = 1 + below(this.rng, unit(this.rng) < 0.5 ? 20 : 40_000);
      const end = Math.min(frame.bytes.length, this.written + size);
      this.write(frame.bytes.subarray(this.written, end));
      this.written = end;
      if (end === frame.bytes.length) {
        this.frames.shift();
        this.written = 0;
        if (frame.message !== null) this.said.push(frame.message);
        if (this.closing && this.frames.length === 0 && this.role === "server") this.end();
      }
    }
    this.talkSoon();
  }

  onWritable(): void {}

  private end(): void {
    if (this.ends) this.stream.end();
  }

  onEnd(): void {
    if (this.polite) this.end();
  }

  onClose(): void {
    this.closed = true;
  }
}
