import type { Clock } from "../../core/time.ts";
import {
  LinkType,
  MICROSECOND_DIGITS,
  PacketDirection,
  type PcapngSink,
  PcapngWriter,
} from "../../wire/pcapng.ts";
import type { FrameTap, Interface } from "../interface.ts";
import { Packet } from "../packet.ts";
import { completeChecksum } from "../segmentation/checksum-completion.ts";

export interface CaptureOptions {
  /** Microseconds since 1970 at the clock's zero; 0: timestamps are those of the clock. */
  readonly epoch?: number;
  /** Bytes kept of a frame; 0 or none: all. */
  readonly snapLength?: number;
  /** After so many frames, or bytes of file, no more are written, and `dropped` counts. */
  readonly maxPackets?: number;
  readonly maxBytes?: number;
}

/**
 * Frames of one or more interfaces as a pcapng file, as Wireshark and tshark read it. Checksums that are
 * left to a device are completed in what is written; frames that a device cuts or has merged are written
 * as they are, longer than the MTU.
 */
export class Capture implements FrameTap {
  readonly #clock: Clock;
  readonly #epoch: number;
  readonly #snapLength: number;
  readonly #maxPackets: number;
  readonly #maxBytes: number;
  readonly #writer: PcapngWriter;
  readonly #numbers = new Map<Interface, number>();
  readonly #attached = new Set<Interface>();
  #copy: Packet | null = null;
  /** Frames written, and bytes of file so far. */
  packets = 0;
  bytes = 0;
  /** Frames that came when the file was full. */
  dropped = 0;

  constructor(clock: Clock, sink: PcapngSink, options: CaptureOptions = {}) {
    this.#clock = clock;
    this.#epoch = options.epoch ?? 0;
    this.#snapLength = options.snapLength ?? 0;
    this.#maxPackets = options.maxPackets ?? Number.POSITIVE_INFINITY;
    this.#maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    const counting: PcapngSink = {
      write: (buf, start, end) => {
        this.bytes += end - start;
        sink.write(buf, start, end);
      },
    };
    this.#writer = new PcapngWriter(counting, "millrace");
  }

  /** Begins, or goes on, to write that interface's frames. */
  add(on: Interface): void {
    if (this.#attached.has(on)) return;
    this.#attached.add(on);
    if (!this.#numbers.has(on)) this.#numbers.set(on, this.#declare(on));
    on.addTap(this);
  }

  remove(on: Interface): void {
    if (this.#attached.delete(on)) on.removeTap(this);
  }

  /** Writes no more frames of any interface. The file is complete after each frame. */
  stop(): void {
    for (const on of [...this.#attached]) this.remove(on);
  }

  onFrame(from: Interface, packet: Packet, direction: "in" | "out"): void {
    const number = this.#numbers.get(from);
    if (number === undefined) return;
    if (this.packets >= this.#maxPackets || this.bytes >= this.#maxBytes) {
      this.dropped++;
      return;
    }
    this.packets++;
    const { bytes, start, end } = packet.checksum === "partial" ? this.#summed(packet) : packet;
    const side = direction === "in" ? PacketDirection.inbound : PacketDirection.outbound;
    this.#writer.packet(number, this.#clock.now() + this.#epoch, bytes, start, end, side);
  }

  #declare(on: Interface): number {
    return this.#writer.addInterface({
      name: on.name,
      linkType: on.device.medium === "ethernet" ? LinkType.ethernet : LinkType.rawIp,
      snapLength: this.#snapLength,
      timestampDigits: MICROSECOND_DIGITS,
    });
  }

  /** A copy with the whole checksum; the packet itself where that is not possible. */
  #summed(packet: Packet): Packet {
    this.#copy ??= Packet.allocate();
    return this.#copy.copyFrom(packet) && completeChecksum(this.#copy) ? this.#copy : packet;
  }
}
