import { bytesOf, copyBytes } from "../core/bytes.ts";

/** The PCAP Next Generation file format: draft-ietf-opsawg-pcapng, §4 for the blocks. */
export const PcapngBlock = {
  interfaceDescription: 0x0000_0001,
  enhancedPacket: 0x0000_0006,
  sectionHeader: 0x0a0d_0d0a,
} as const;

/** §4.1: as it reads in the byte order of the section. */
export const PCAPNG_BYTE_ORDER = 0x1a2b_3c4d;

/** §3.5 and, block by block, §4. */
export const PcapngOption = {
  end: 0,
  sectionApplication: 4,
  interfaceName: 2,
  timestampResolution: 9,
  packetFlags: 2,
} as const;

/** The tcpdump group's registry of link types; others stay numbers. */
export const LinkType = { ethernet: 1, rawIp: 101 } as const;

/** §4.3.1, bits 0 and 1 of the flags. */
export const PacketDirection = { unknown: 0, inbound: 1, outbound: 2 } as const;

/** Where a capture goes: a file, a pipe, an array. */
export interface PcapngSink {
  /** buf[start, end) is borrowed: it changes once the call returns. */
  write(buf: Uint8Array, start: number, end: number): void;
}

export interface PcapngInterface {
  readonly name: string;
  /** See `LinkType`. */
  readonly linkType: number;
  /** Octets kept of a packet; 0 is all. */
  readonly snapLength: number;
  /** Timestamps count in 10^-n seconds (if_tsresol), 0 to 18. */
  readonly timestampDigits: number;
}

/** Microseconds, as `Instant` counts. */
export const MICROSECOND_DIGITS = 6;

/** Writes one section, little-endian, block by block. Memory: one buffer for the largest packet yet. */
export class PcapngWriter {
  readonly #sink: PcapngSink;
  readonly #snapLengths: number[] = [];
  #bytes = new Uint8Array(2048);
  #dv = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Writes the section header; `application` is for the reader's eyes. */
  constructor(sink: PcapngSink, application: string) {
    this.#sink = sink;
    this.#open(PcapngBlock.sectionHeader, 64 + application.length);
    this.#u32(PCAPNG_BYTE_ORDER);
    this.#u16(1);
    this.#u16(0);
    // §4.1: a section length of −1 is one that is not known beforehand.
    this.#u32(0xffff_ffff);
    this.#u32(0xffff_ffff);
    this.#option(PcapngOption.sectionApplication, bytesOf(application));
    this.#endOptions();
    this.#close();
  }

  /** Declares an interface and returns its number, which `packet` wants. */
  addInterface(declared: PcapngInterface): number {
    this.#open(PcapngBlock.interfaceDescription, 64 + declared.name.length);
    this.#u16(declared.linkType);
    this.#u16(0);
    this.#u32(declared.snapLength);
    this.#option(PcapngOption.interfaceName, bytesOf(declared.name));
    this.#option(PcapngOption.timestampResolution, Uint8Array.of(declared.timestampDigits));
    this.#endOptions();
    this.#close();
    return this.#snapLengths.push(declared.snapLength) - 1;
  }

  /**
   * Writes the packet in buf[start, end). `timestamp` counts from 1970 (or whatever zero the capture
   * has) in the interface's unit and is exact below 2⁵³; `direction` is of `PacketDirection`.
   */
  packet(
    interfaceId: number,
    timestamp: number,
    buf: Uint8Array,
    start: number,
    end: number,
    direction: number = PacketDirection.unknown,
  ): void {
    const length = end - start;
    const snap = this.#snapLengths[interfaceId] ?? 0;
    const kept = snap !== 0 && length > snap ? snap : length;
    this.#open(PcapngBlock.enhancedPacket, 64 + kept);
    this.#u32(interfaceId);
    this.#u32(Math.floor(timestamp / 0x1_0000_0000));
    this.#u32(timestamp % 0x1_0000_0000);
    this.#u32(kept);
    this.#u32(length);
    copyBytes(buf, start, start + kept, this.#bytes, this.#at);
    this.#at += kept;
    this.#pad();
    if (direction !== PacketDirection.unknown) {
      this.#u16(PcapngOption.packetFlags);
      this.#u16(4);
      this.#u32(direction);
      this.#endOptions();
    }
    this.#close();
  }

  /** Makes room for a block of at most `size` octets and writes its head. */
  #open(type: number, size: number): void {
    if (size > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * size);
      this.#dv = new DataView(this.#bytes.buffer);
    }
    this.#at = 0;
    this.#u32(type);
    this.#u32(0);
  }

  /** §3.1: the block's length stands at both of its ends. */
  #close(): void {
    const total = this.#at + 4;
    this.#dv.setUint32(4, total, true);
    this.#u32(total);
    this.#sink.write(this.#bytes, 0, total);
  }

  #option(code: number, value: Uint8Array): void {
    this.#u16(code);
    this.#u16(value.length);
    copyBytes(value, 0, value.length, this.#bytes, this.#at);
    this.#at += value.length;
    this.#pad();
  }

  #endOptions(): void {
    this.#u32(PcapngOption.end);
  }

  #pad(): void {
    while (this.#at % 4 !== 0) this.#bytes[this.#at++] = 0;
  }

  #u16(value: number): void {
    this.#dv.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  #u32(value: number): void {
    this.#dv.setUint32(this.#at, value, true);
    this.#at += 4;
  }
}
