import { latin1 } from "../core/bytes.ts";
import { copyOctets } from "./octets.ts";
import {
  MICROSECOND_DIGITS,
  PCAPNG_BYTE_ORDER,
  PcapngBlock,
  type PcapngInterface,
  PcapngOption,
} from "./pcapng.ts";
import type { WireStatus } from "./status.ts";

export interface PcapngPacket {
  readonly interfaceId: number;
  /** In the interface's unit. */
  readonly timestamp: bigint;
  /** What was kept of the packet. */
  readonly octets: Uint8Array;
  /** On the wire, in octets. */
  readonly originalLength: number;
  /** 0 where the packet does not say, else of `PacketDirection`. */
  readonly direction: number;
}

export interface PcapngSection {
  readonly application: string;
  readonly interfaces: readonly PcapngInterface[];
  readonly packets: readonly PcapngPacket[];
}

export interface PcapngFile {
  /** `ok` when everything was read; else why reading stopped after what is here. */
  readonly status: WireStatus;
  readonly sections: readonly PcapngSection[];
}

/**
 * Reads a whole file in either byte order. Blocks of other types are skipped; resolutions that are
 * powers of two are `unsupported`.
 */
export function readPcapng(bytes: Uint8Array): PcapngFile {
  const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sections: Section[] = [];
  for (let at = 0; at < bytes.length; ) {
    const status = sectionStatus(dv, at, sections);
    if (status !== "ok") return { status, sections };
    const section = sections.at(-1)!;
    const length = dv.getUint32(at + 4, section.little);
    // §3.1: a multiple of four, and the same at both ends.
    if (length < 12 || length % 4 !== 0) return { status: "malformed", sections };
    if (at + length > bytes.length) return { status: "truncated", sections };
    if (dv.getUint32(at + length - 4, section.little) !== length) {
      return { status: "malformed", sections };
    }
    const read = readBlock(new BlockReader(dv, section.little, at, at + length - 4), section);
    if (read !== "ok") return { status: read, sections };
    at += length;
  }
  return { status: "ok", sections };
}

interface Section {
  readonly little: boolean;
  application: string;
  readonly interfaces: PcapngInterface[];
  readonly packets: PcapngPacket[];
}

/** A block of dv[start, end), its trailing length left out. */
class BlockReader {
  readonly dv: DataView;
  readonly little: boolean;
  readonly start: number;
  readonly end: number;

  constructor(dv: DataView, little: boolean, start: number, end: number) {
    this.dv = dv;
    this.little = little;
    this.start = start;
    this.end = end;
  }

  /** The field at an offset from the block's start. */
  u16(offset: number): number {
    return this.dv.getUint16(this.start + offset, this.little);
  }

  u32(offset: number): number {
    return this.dv.getUint32(this.start + offset, this.little);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** Options from `offset` on, the last of a code; null when one leads out of the block. */
  options(offset: number): Map<number, Uint8Array> | null {
    const found = new Map<number, Uint8Array>();
    for (let at = offset; at < this.length; ) {
      if (this.length - at < 4) return null;
      const code = this.u16(at);
      if (code === PcapngOption.end) break;
      const end = at + 4 + this.u16(at + 2);
      if (end > this.length) return null;
      found.set(code, copyOctets(this.dv, this.start + at + 4, this.start + end));
      at = aligned(end);
    }
    return found;
  }
}

const aligned = (n: number): number => n + ((4 - (n % 4)) % 4);

/** Opens a section when one begins at `at`; says whether a block's head may be read there. */
function sectionStatus(dv: DataView, at: number, sections: Section[]): WireStatus {
  if (dv.byteLength - at < 12) return "truncated";
  // The type of a section header reads the same in both orders.
  if (dv.getUint32(at) !== PcapngBlock.sectionHeader) {
    return sections.length === 0 ? "unsupported" : "ok";
  }
  const little = dv.getUint32(at + 8, true) === PCAPNG_BYTE_ORDER;
  if (!little && dv.getUint32(at + 8) !== PCAPNG_BYTE_ORDER) return "malformed";
  sections.push({ little, application: "", interfaces: [], packets: [] });
  return "ok";
}

function readBlock(block: BlockReader, section: Section): WireStatus {
  switch (block.u32(0)) {
    case PcapngBlock.sectionHeader:
      return readSectionHeader(block, section);
    case PcapngBlock.interfaceDescription:
      return readInterface(block, section);
    case PcapngBlock.enhancedPacket:
      return readPacket(block, section);
    default:
      return "ok";
  }
}

function readSectionHeader(block: BlockReader, section: Section): WireStatus {
  const options = block.length < 24 ? null : block.options(24);
  if (options === null) return "malformed";
  // §4.1: a reader of version 1 must not read another.
  if (block.u16(12) !== 1) return "unsupported";
  section.application = textOf(options.get(PcapngOption.sectionApplication));
  return "ok";
}

function readInterface(block: BlockReader, section: Section): WireStatus {
  const options = block.length < 16 ? null : block.options(16);
  if (options === null) return "malformed";
  const timestampDigits = options.get(PcapngOption.timestampResolution)?.[0] ?? MICROSECOND_DIGITS;
  if (timestampDigits > 18) return "unsupported";
  section.interfaces.push({
    name: textOf(options.get(PcapngOption.interfaceName)),
    linkType: block.u16(8),
    snapLength: block.u32(12),
    timestampDigits,
  });
  return "ok";
}

function readPacket(block: BlockReader, section: Section): WireStatus {
  if (block.length < 28) return "malformed";
  const kept = block.u32(20);
  const interfaceId = block.u32(8);
  if (28 + kept > block.length || interfaceId >= section.interfaces.length) return "malformed";
  const options = block.options(aligned(28 + kept));
  if (options === null) return "malformed";
  const flags = options.get(PcapngOption.packetFlags);
  section.packets.push({
    interfaceId,
    timestamp: (BigInt(block.u32(12)) << 32n) | BigInt(block.u32(16)),
    octets: copyOctets(block.dv, block.start + 28, block.start + 28 + kept),
    originalLength: block.u32(24),
    direction: flags?.length === 4 ? flags[block.little ? 0 : 3]! & 3 : 0,
  });
  return "ok";
}

const textOf = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "" : latin1(bytes, 0, bytes.length);
