import { copyBytes } from "../../core/bytes.ts";
import { MAX_FRAME, PACKET_HEADROOM, Packet } from "../../netstack/packet.ts";
import { Happening } from "./agenda.ts";

/** Where a frame is on its way to: a channel. */
export interface FrameCarrier {
  arrive(frame: Frame): void;
}

/** A frame on its way, in memory of its own; its arrival is the happening. */
export class Frame extends Happening {
  readonly packet: Packet;
  carrier: FrameCarrier | null = null;
  /** Of the link when it was sent: a link that went down since has lost it. */
  epoch = 0;
  /** What it costs the link. */
  cost = 0;
  /** Counted by its channel from 1. */
  number = 0;

  constructor(capacity: number) {
    super();
    this.packet = Packet.allocate(capacity);
  }

  happen(): void {
    this.carrier!.arrive(this);
  }
}

/** Memory of frames comes in three sizes: common, jumbo, and the longest segments. */
const CAPACITIES = [2_048, 12_288, PACKET_HEADROOM + MAX_FRAME] as const;
/** Bytes of unused frames that are kept of each size; beyond it they are left to the collector. */
const SPARE_BYTES = 16 << 20;

/** Frames that are used again and again. */
export class FramePool {
  readonly #spare: Frame[][] = CAPACITIES.map(() => []);

  /** A copy of the packet, with its metadata. Longer ones than `MAX_FRAME` are cut off. */
  copyOf(packet: Packet): Frame {
    const length = Math.min(packet.end - packet.start, MAX_FRAME);
    const size = sizeFor(PACKET_HEADROOM + length);
    const frame = this.#spare[size]!.pop() ?? new Frame(CAPACITIES[size]!);
    const copy = frame.packet;
    copyBytes(packet.bytes, packet.start, packet.start + length, copy.bytes, PACKET_HEADROOM);
    copy.start = PACKET_HEADROOM;
    copy.end = PACKET_HEADROOM + length;
    copy.checksum = packet.checksum;
    copy.checksumStart = packet.checksumStart - packet.start + PACKET_HEADROOM;
    copy.checksumOffset = packet.checksumOffset;
    copy.gsoType = packet.gsoType;
    copy.gsoSize = packet.gsoSize;
    return frame;
  }

  release(frame: Frame): void {
    const capacity = frame.packet.bytes.length;
    const spare = this.#spare[sizeFor(capacity)]!;
    if (spare.length * capacity < SPARE_BYTES) spare.push(frame);
  }
}

const sizeFor = (capacity: number): number =>
  capacity <= CAPACITIES[0] ? 0 : capacity <= CAPACITIES[1] ? 1 : 2;
