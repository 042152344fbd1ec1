import { copyBytes } from "../../../src/core/bytes.ts";
import { type Duration, millis } from "../../../src/core/time.ts";
import type { ConnectHandler, Stream } from "../../../src/core/transport.ts";
import { Flag, FrameType, PREFACE } from "../../../src/http/h2/frame-type.ts";
import { frame, framesOf, SETTINGS, type SentFrame } from "../../../src/http/h2/testing/frames.ts";
import { proxyAddress, type World } from "../simulated.ts";

/** A client of the simulated proxy that sends the frames it is told to, and answers nothing by itself. */
export class RawPeer implements ConnectHandler {
  stream!: Stream;
  ended = false;
  closed = false;
  private readonly world: World;
  private received = Buffer.alloc(0);

  private constructor(world: World) {
    this.world = world;
  }

  static connect(world: World): RawPeer {
    const peer = new RawPeer(world);
    peer.stream = world.clients.connect(proxyAddress, {}, peer);
    return peer;
  }

  /** With preface and SETTINGS exchanged. */
  static async ready(world: World, ...settings: readonly Buffer[]): Promise<RawPeer> {
    const peer = RawPeer.connect(world);
    await world.pass(millis(50));
    const acknowledged = frame(FrameType.settings, Flag.ack, 0);
    const own = settings.length === 0 ? [SETTINGS] : settings;
    await peer.say(Buffer.from(PREFACE), ...own, acknowledged);
    peer.heard();
    return peer;
  }

  /** Sends the frames in one piece and lets some time pass. */
  async say(...frames: readonly Uint8Array[]): Promise<void> {
    const all = Buffer.concat(frames);
    if (!this.closed) this.stream.write(all, 0, all.length);
    await this.pass(millis(50));
  }

  pass(time: Duration): Promise<void> {
    return this.world.pass(time);
  }

  /** Whole frames that came since the last call. */
  frames(): SentFrame[] {
    let end = 0;
    while (end + 9 <= this.received.length) {
      const next = end + 9 + this.received.readUIntBE(end, 3);
      if (next > this.received.length) break;
      end = next;
    }
    const whole = framesOf(this.received.subarray(0, end));
    this.received = this.received.subarray(end);
    return whole;
  }

  /** The same in words. */
  heard(): string[] {
    return this.frames().map(({ type, flags, stream, payload }) => {
      const end = (flags & Flag.endStream) !== 0 ? " end" : "";
      switch (type) {
        case FrameType.goaway:
          return `goaway ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`;
        case FrameType.rstStream:
          return `reset ${stream} ${payload.readUInt32BE(0)}`;
        case FrameType.windowUpdate:
          return `window ${stream} ${payload.readUInt32BE(0)}`;
        case FrameType.settings:
          return (flags & Flag.ack) !== 0 ? "settings ack" : "settings";
        case FrameType.ping:
          return (flags & Flag.ack) !== 0 ? "ping ack" : "ping";
        case FrameType.headers:
          return `head ${stream}${end}`;
        case FrameType.data:
          return `data ${stream} ${payload.length}${end}`;
        default:
          return `type ${type} on ${stream}`;
      }
    });
  }

  onConnect(): void {}

  onData(buf: Uint8Array, start: number, end: number): void {
    const piece = Buffer.alloc(end - start);
    copyBytes(buf, start, end, piece, 0);
    this.received = Buffer.concat([this.received, piece]);
  }

  onWritable(): void {}

  onEnd(): void {
    this.ended = true;
    this.stream.end();
  }

  onClose(): void {
    this.closed = true;
  }
}
