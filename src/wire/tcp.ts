import { checksum16, verifies } from "./checksum.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import { type Seq, seq } from "./seq.ts";
import type { WireStatus } from "./status.ts";
import { TcpOptionIndex, type TcpOptions } from "./tcp-options.ts";
import { emitTcpOptions, tcpOptionsLength } from "./tcp-options-emit.ts";

/** RFC 9293 §3.1: the header's fields. */
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
/** Four bits of header length in words, four reserved ones, eight of control. */
const OFFSET_AND_FLAGS = 12;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT_POINTER = 18;
export const TCP_HEADER_LENGTH = 20;
export const TCP_PROTOCOL = 6;

/** Control bits: RFC 9293 §3.1; the ninth is AE (RFC 9768 §3.1, formerly NS). */
export const TcpFlag = {
  fin: 0x001,
  syn: 0x002,
  rst: 0x004,
  psh: 0x008,
  ack: 0x010,
  urg: 0x020,
  ece: 0x040,
  cwr: 0x080,
  ae: 0x100,
} as const;

const FLAGS = 0x1ff;
/** A TCP segment in somebody else's bytes; valid until those change. */
export class TcpView {
  #dv: DataView = NO_DATA;
  #start = 0;
  payloadStart = 0;
  payloadEnd = 0;
  /** What the segment's options say; good as long as the view is. */
  readonly options = new TcpOptionIndex();

  /** dv[start, end) is exactly what the IP packet carries: TCP has no length of its own. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < TCP_HEADER_LENGTH) return "truncated";
    const headerLength = (dv.getUint8(start + OFFSET_AND_FLAGS) >>> 4) * 4;
    if (headerLength < TCP_HEADER_LENGTH) return "malformed";
    if (headerLength > end - start) return "truncated";
    if (!this.options.read(dv, start + TCP_HEADER_LENGTH, start + headerLength)) return "malformed";
    this.#dv = dv;
    this.#start = start;
    this.payloadStart = start + headerLength;
    this.payloadEnd = end;
    return "ok";
  }

  get sourcePort(): number {
    return this.#dv.getUint16(this.#start + SOURCE_PORT);
  }

  get destinationPort(): number {
    return this.#dv.getUint16(this.#start + DESTINATION_PORT);
  }

  /** SEG.SEQ: the number of the SYN, or else of the first byte. */
  get sequence(): Seq {
    return seq(this.#dv.getUint32(this.#start + SEQUENCE));
  }

  /** SEG.ACK; means something only with the ACK bit. */
  get acknowledgment(): Seq {
    return seq(this.#dv.getUint32(this.#start + ACKNOWLEDGMENT));
  }

  /** In bytes, 20 to 60. */
  get headerLength(): number {
    return this.payloadStart - this.#start;
  }

  /** The nine control bits, see `TcpFlag`. */
  get flags(): number {
    return this.#dv.getUint16(this.#start + OFFSET_AND_FLAGS) & FLAGS;
  }

  get syn(): boolean {
    return (this.flags & TcpFlag.syn) !== 0;
  }

  get ack(): boolean {
    return (this.flags & TcpFlag.ack) !== 0;
  }

  get fin(): boolean {
    return (this.flags & TcpFlag.fin) !== 0;
  }

  get rst(): boolean {
    return (this.flags & TcpFlag.rst) !== 0;
  }

  /** SEG.WND as sent, not scaled. */
  get window(): number {
    return this.#dv.getUint16(this.#start + WINDOW);
  }

  get checksum(): number {
    return this.#dv.getUint16(this.#start + CHECKSUM);
  }

  get urgentPointer(): number {
    return this.#dv.getUint16(this.#start + URGENT_POINTER);
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /** Header and payload in bytes: the length of the pseudo header. */
  get length(): number {
    return this.payloadEnd - this.#start;
  }

  /** SEG.LEN: what the segment takes of the sequence space, SYN and FIN counted. */
  get sequenceLength(): number {
    const flags = this.flags;
    const syn = (flags & TcpFlag.syn) >>> 1;
    return this.payloadLength + syn + (flags & TcpFlag.fin);
  }

  /** Whether the checksum is right, given the sum of the pseudo header with `length` in it. */
  checksumHolds(pseudo: number): boolean {
    return verifies(this.#dv, this.#start, this.payloadEnd, pseudo);
  }

  set sourcePort(port: number) {
    this.#dv.setUint16(this.#start + SOURCE_PORT, port);
  }

  set destinationPort(port: number) {
    this.#dv.setUint16(this.#start + DESTINATION_PORT, port);
  }

  set checksum(value: number) {
    this.#dv.setUint16(this.#start + CHECKSUM, value);
  }
}

export interface TcpRepr {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: Seq;
  readonly acknowledgment: Seq;
  /** Bits of `TcpFlag`. */
  readonly flags: number;
  /** As on the wire, already scaled down. */
  readonly window: number;
  readonly urgentPointer: number;
  readonly options: TcpOptions;
  /** In bytes. */
  readonly payloadLength: number;
}

/** MD5 signatures, TCP-AO and unknown options are not part of a repr. */
export const parseTcp = (view: TcpView): TcpRepr => ({
  sourcePort: view.sourcePort,
  destinationPort: view.destinationPort,
  sequence: view.sequence,
  acknowledgment: view.acknowledgment,
  flags: view.flags,
  window: view.window,
  urgentPointer: view.urgentPointer,
  options: view.options.toOptions(),
  payloadLength: view.payloadLength,
});

/** Header with options, and payload, in bytes. */
export const tcpLength = (repr: TcpRepr): number =>
  TCP_HEADER_LENGTH + tcpOptionsLength(repr.options) + repr.payloadLength;

/**
 * Writes the header, with no checksum yet; returns where the payload goes, or -1 when header and
 * payload do not fit into the view.
 */
export function emitTcp(repr: TcpRepr, dv: DataView, start: number): number {
  const headerLength = TCP_HEADER_LENGTH + tcpOptionsLength(repr.options);
  if (!hasRoom(dv, start, headerLength + repr.payloadLength)) return -1;
  dv.setUint16(start + SOURCE_PORT, repr.sourcePort);
  dv.setUint16(start + DESTINATION_PORT, repr.destinationPort);
  dv.setUint32(start + SEQUENCE, repr.sequence);
  dv.setUint32(start + ACKNOWLEDGMENT, repr.acknowledgment);
  dv.setUint16(start + OFFSET_AND_FLAGS, (headerLength << 10) | (repr.flags & FLAGS));
  dv.setUint16(start + WINDOW, repr.window);
  dv.setUint16(start + CHECKSUM, 0);
  dv.setUint16(start + URGENT_POINTER, repr.urgentPointer);
  return emitTcpOptions(repr.options, dv, start + TCP_HEADER_LENGTH);
}

/** Fills in the checksum of the segment dv[start, end) once its payload is in place. */
export function fillTcpChecksum(dv: DataView, start: number, end: number, pseudo: number): void {
  dv.setUint16(start + CHECKSUM, 0);
  dv.setUint16(start + CHECKSUM, checksum16(dv, start, end, pseudo));
}
