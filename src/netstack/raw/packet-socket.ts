import { checkRange, copyBytes } from "../../core/bytes.ts";
import type { FrameTap, Interface } from "../interface.ts";
import { MAX_FRAME, Packet } from "../packet.ts";

export interface PacketHandler {
  /**
   * A frame as it is on the wire, packet[start, end), with its offload metadata: a checksum may be
   * partial, and a frame may stand for many. Borrowed, not to be changed.
   */
  onFrame(packet: Packet, direction: "in" | "out"): void;
}

/** - `full`: the device has no room; - `too-big`: longer than any frame; - `closed`. */
export type InjectVerdict = "sent" | "full" | "too-big" | "closed";

/** Frames of one interface, with their link headers (packet(7) of Linux): all that pass, and new ones. */
export class PacketSocket implements FrameTap {
  readonly interface: Interface;
  readonly #handler: PacketHandler;
  /** Of its own: injecting while IP builds a packet must not disturb that. */
  #scratch: Packet | null = null;
  #closed = false;

  constructor(on: Interface, handler: PacketHandler) {
    this.interface = on;
    this.#handler = handler;
    on.addTap(this);
  }

  onFrame(_from: Interface, packet: Packet, direction: "in" | "out"): void {
    if (!this.#closed) this.#handler.onFrame(packet, direction);
  }

  /**
   * Sends bytes[start, end), a whole frame with its checksums in place; taps see it, this one too. Throws
   * a RangeError for bytes that are not there.
   */
  inject(bytes: Uint8Array, start: number, end: number): InjectVerdict {
    checkRange(bytes, start, end);
    if (this.#closed) return "closed";
    if (end - start > MAX_FRAME) return "too-big";
    this.#scratch ??= Packet.allocate();
    const packet = this.#scratch;
    packet.reset();
    copyBytes(bytes, start, end, packet.bytes, packet.start);
    packet.end = packet.start + end - start;
    return this.interface.transmit(packet) ? "sent" : "full";
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.interface.removeTap(this);
  }
}
