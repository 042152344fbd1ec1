import { GsoType } from "../wire/virtio-net.ts";

/**
 * Bytes kept free in front of what a layer writes, for the headers of those below: a virtio-net header,
 * Ethernet with two VLAN tags, IPv6 with a fragment header.
 */
export const PACKET_HEADROOM = 128;
/** The longest IP packet without jumbograms, and an Ethernet header with two tags. */
export const MAX_FRAME = 65_535 + 22;

/**
 * - `complete`: the transport's checksum is in its field, and nobody has looked at it;
 * - `verified`: in its field, and the device vouches for it;
 * - `partial`: the field holds the sum of the pseudo header alone; the device (or whoever comes last)
 *   sums from `checksumStart` to the end. Received, it came from this machine and needs no check.
 */
export type ChecksumState = "complete" | "verified" | "partial";

/**
 * A packet on its way through the layers, and the memory it lies in. Going down, each layer puts its
 * header in front and moves `start`; going up, each moves `start` behind its own or leaves it and
 * passes offsets. Whoever calls `receive` or `transmit` keeps it: the callee is done when it returns,
 * and copies what it wants to keep.
 */
export class Packet {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where bytes[0] lies for native code, when the memory is pinned; else 0. */
  readonly address: number;
  start = PACKET_HEADROOM;
  end = PACKET_HEADROOM;
  checksum: ChecksumState = "complete";
  /** Absolute offset where summing starts (the transport header), for `partial`. */
  checksumStart = 0;
  /** From there to the 16-bit field. */
  checksumOffset = 0;
  /** A `GsoType`: the payload is to be cut into segments of `gsoSize` by the device, or was merged. */
  gsoType: number = GsoType.none;
  /** Bytes of transport payload in each segment. */
  gsoSize = 0;

  constructor(bytes: Uint8Array, address = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.address = address;
  }

  /** Memory for the longest frame. */
  static allocate(capacity = PACKET_HEADROOM + MAX_FRAME): Packet {
    return new Packet(new Uint8Array(capacity));
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Empty, headroom in front, no metadata. */
  reset(): void {
    this.start = PACKET_HEADROOM;
    this.end = PACKET_HEADROOM;
    this.clearOffload();
  }

  clearOffload(): void {
    this.checksum = "complete";
    this.checksumStart = 0;
    this.checksumOffset = 0;
    this.gsoType = GsoType.none;
    this.gsoSize = 0;
  }

  /** Takes bytes and metadata of another packet; false when they do not fit behind the headroom. */
  copyFrom(other: Packet): boolean {
    if (PACKET_HEADROOM + other.length > this.bytes.length) return false;
    this.bytes.set(other.bytes.subarray(other.start, other.end), PACKET_HEADROOM);
    this.start = PACKET_HEADROOM;
    this.end = PACKET_HEADROOM + other.length;
    this.checksum = other.checksum;
    this.checksumStart = other.checksumStart - other.start + PACKET_HEADROOM;
    this.checksumOffset = other.checksumOffset;
    this.gsoType = other.gsoType;
    this.gsoSize = other.gsoSize;
    return true;
  }

  /** A copy in memory just large enough, for queues. */
  clone(): Packet {
    const copy = Packet.allocate(PACKET_HEADROOM + this.length);
    copy.copyFrom(this);
    return copy;
  }
}
