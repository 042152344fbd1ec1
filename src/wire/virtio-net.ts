import { checksum16 } from "./checksum.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/**
 * The header before each frame of a virtio-net queue, or of a TAP device opened with IFF_VNET_HDR
 * (Virtual I/O Device 1.2 §5.1.6). Its fields are little-endian; a TAP device uses the machine's
 * order, which is the same on all that Node runs on but s390x.
 */
const FLAGS = 0;
const GSO_TYPE = 1;
const HEADER_LENGTH = 2;
const GSO_SIZE = 4;
const CHECKSUM_START = 6;
const CHECKSUM_OFFSET = 8;
/** Where the checksum of a UDP header is. */
const UDP_CHECKSUM = 6;
const BUFFERS = 10;

/** A TAP device's, unless TUNSETVNETHDRSZ said 12. */
export const VIRTIO_NET_HEADER_LENGTH = 10;
/** With the number of buffers, which virtio 1.0 always has. */
export const VIRTIO_NET_HEADER_LENGTH_V1 = 12;

export const VirtioNetFlag = {
  /** The checksum is left out, but the pseudo header's sum is in its place. */
  needsChecksum: 1,
  /** The checksum was verified already. */
  dataValid: 2,
} as const;

/** With 0x80 for TCP with explicit congestion notification. */
export const GsoType = { none: 0, tcpV4: 1, udp: 3, tcpV6: 4, udpSegments: 5, ecn: 0x80 } as const;

export class VirtioNetView {
  dv: DataView = NO_DATA;
  start = 0;
  payloadStart = 0;
  payloadEnd = 0;

  /** `length` is 10 or 12, as the device was told. */
  wrap(dv: DataView, start: number, end: number, length = VIRTIO_NET_HEADER_LENGTH): WireStatus {
    if (end - start < length) return "truncated";
    this.dv = dv;
    this.start = start;
    this.payloadStart = start + length;
    this.payloadEnd = end;
    return "ok";
  }

  get needsChecksum(): boolean {
    return (this.dv.getUint8(this.start + FLAGS) & VirtioNetFlag.needsChecksum) !== 0;
  }

  get dataValid(): boolean {
    return (this.dv.getUint8(this.start + FLAGS) & VirtioNetFlag.dataValid) !== 0;
  }

  /** One of `GsoType`, with the bit for ECN. */
  get gsoType(): number {
    return this.dv.getUint8(this.start + GSO_TYPE);
  }

  /** Octets of headers in the frame: a hint. */
  get headerLength(): number {
    return this.dv.getUint16(this.start + HEADER_LENGTH, true);
  }

  /** Octets of payload in each segment. */
  get gsoSize(): number {
    return this.dv.getUint16(this.start + GSO_SIZE, true);
  }

  /** From the start of the frame to where summing starts. */
  get checksumFrom(): number {
    return this.dv.getUint16(this.start + CHECKSUM_START, true);
  }

  /** From there to the checksum field. */
  get checksumOffset(): number {
    return this.dv.getUint16(this.start + CHECKSUM_OFFSET, true);
  }

  /**
   * Computes the checksum that the sender left out, in place, and clears the flag: for frames that go
   * where nobody else will. False when the header points out of the frame.
   */
  completeChecksum(): boolean {
    if (!this.needsChecksum) return true;
    const from = this.payloadStart + this.checksumFrom;
    const field = from + this.checksumOffset;
    if (field + 2 > this.payloadEnd) return false;
    const checksum = checksum16(this.dv, from, this.payloadEnd);
    // For UDP zero means "none", its other spelling is sent (RFC 768); for TCP that spelling is odd.
    const isUdp = this.checksumOffset === UDP_CHECKSUM;
    this.dv.setUint16(field, checksum === 0 && isUdp ? 0xffff : checksum);
    const flags = this.dv.getUint8(this.start + FLAGS);
    this.dv.setUint8(this.start + FLAGS, flags & ~VirtioNetFlag.needsChecksum);
    return true;
  }
}

export interface VirtioNetRepr {
  /** Of `VirtioNetFlag`. */
  readonly flags: number;
  /** Of `GsoType`. */
  readonly gsoType: number;
  readonly headerLength: number;
  readonly gsoSize: number;
  readonly checksumFrom: number;
  readonly checksumOffset: number;
  /** Null where the header has 10 octets. */
  readonly buffers: number | null;
}

export function parseVirtioNet(view: VirtioNetView): VirtioNetRepr {
  const { dv, start, payloadStart } = view;
  const long = payloadStart - start >= VIRTIO_NET_HEADER_LENGTH_V1;
  return {
    flags: dv.getUint8(start + FLAGS),
    gsoType: view.gsoType,
    headerLength: view.headerLength,
    gsoSize: view.gsoSize,
    checksumFrom: view.checksumFrom,
    checksumOffset: view.checksumOffset,
    buffers: long ? dv.getUint16(start + BUFFERS, true) : null,
  };
}

export const virtioNetLength = (repr: VirtioNetRepr): number =>
  repr.buffers === null ? VIRTIO_NET_HEADER_LENGTH : VIRTIO_NET_HEADER_LENGTH_V1;

/** Returns where the frame goes, or -1 without room. */
export function emitVirtioNet(repr: VirtioNetRepr, dv: DataView, start: number): number {
  const length = virtioNetLength(repr);
  if (!hasRoom(dv, start, length)) return -1;
  dv.setUint8(start + FLAGS, repr.flags);
  dv.setUint8(start + GSO_TYPE, repr.gsoType);
  dv.setUint16(start + HEADER_LENGTH, repr.headerLength, true);
  dv.setUint16(start + GSO_SIZE, repr.gsoSize, true);
  dv.setUint16(start + CHECKSUM_START, repr.checksumFrom, true);
  dv.setUint16(start + CHECKSUM_OFFSET, repr.checksumOffset, true);
  if (repr.buffers !== null) dv.setUint16(start + BUFFERS, repr.buffers, true);
  return start + length;
}
