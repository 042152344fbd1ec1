import type { Rng } from "../../core/random.ts";
import type { Stream } from "../../core/transport.ts";
import { FrameTracker } from "../../http/websocket/frame-tracker.ts";
import { UNMASKED, writeClose } from "../../http/websocket/frame-writer.ts";
import { type Goodbye, OtherFull, TunnelSide } from "../tunnel.ts";

/**
 * One direction of a WebSocket that passes as bytes. It knows where frames end, and nothing else of
 * them: so a Close frame can be put behind one when the proxy leaves.
 */
export class TrackedSide extends TunnelSide {
  override readonly polite = true;
  private readonly tracker = new FrameTracker();
  private readonly rng: Rng;
  private readonly from: "client" | "upstream";
  /** The Close frame that is due at the next boundary. */
  private goodbye: Goodbye | null = null;
  /** Our goodbye was said: what follows is not passed on. */
  private silent = false;

  constructor(stream: Stream, from: "client" | "upstream", rng: Rng) {
    super(stream);
    this.from = from;
    this.rng = rng;
  }

  override onData(buf: Uint8Array, start: number, end: number): void {
    this.bytes += end - start;
    this.tunnel.touch();
    const { tracker } = this;
    if (this.goodbye === null && !this.silent) {
      tracker.pass(buf, start, end);
      if (tracker.closed) this.closeSeen();
      this.forward(buf, start, end);
      if (this.finished) this.tunnel.settle();
      return;
    }
    let at = start;
    if (this.goodbye !== null) {
      at = tracker.passToBoundary(buf, start, end);
      if (at > start) this.forward(buf, start, at);
      if (tracker.closed) this.closeSeen();
      this.sayGoodbye();
    }
    tracker.pass(buf, at, end);
    if (tracker.closed) this.closeSeen();
    // Behind our goodbye only the answer to the other one is looked for.
    if (!this.silent && at < end) this.forward(buf, at, end);
    this.tunnel.settle();
  }

  private closeSeen(): void {
    this.closing = true;
    this.finished = true;
    this.told = true;
    this.goodbye = null;
  }

  override leave(goodbye: Goodbye): void {
    if (this.told) return;
    this.goodbye = goodbye;
    this.sayGoodbye();
  }

  private sayGoodbye(): void {
    const { goodbye, other } = this;
    if (goodbye === null || this.told || !this.tracker.atBoundary) return;
    this.goodbye = null;
    this.silent = true;
    this.told = true;
    // RFC 6455 §5.3: to the upstream we are a client, whose frames are masked.
    const mask = this.from === "client" ? this.rng.u32() : UNMASKED;
    writeClose(other.stream, goodbye.code, goodbye.reason, mask);
    this.release(OtherFull);
  }
}
