import { checksum16, verifies } from "./checksum.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** RFC 768: the header's fields. */
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const LENGTH = 4;
const CHECKSUM = 6;
export const UDP_HEADER_LENGTH = 8;
export const UDP_PROTOCOL = 17;

/** A UDP datagram in somebody else's bytes; valid until those change. */
export class UdpView {
  #dv: DataView = NO_DATA;
  #start = 0;
  payloadStart = 0;
  payloadEnd = 0;

  /**
   * dv[start, end) is what the IP packet carries. Bytes past the datagram's own length are left
   * alone. A length of zero (jumbograms, RFC 2675 §4) is malformed here.
   */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < UDP_HEADER_LENGTH) return "truncated";
    const length = dv.getUint16(start + LENGTH);
    if (length < UDP_HEADER_LENGTH) return "malformed";
    if (length > end - start) return "truncated";
    this.#dv = dv;
    this.#start = start;
    this.payloadStart = start + UDP_HEADER_LENGTH;
    this.payloadEnd = start + length;
    return "ok";
  }

  get sourcePort(): number {
    return this.#dv.getUint16(this.#start + SOURCE_PORT);
  }

  get destinationPort(): number {
    return this.#dv.getUint16(this.#start + DESTINATION_PORT);
  }

  /** Header and payload, in bytes. */
  get length(): number {
    return this.payloadEnd - this.#start;
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadStart;
  }

  get checksum(): number {
    return this.#dv.getUint16(this.#start + CHECKSUM);
  }

  /**
   * Whether the checksum is right; `pseudo` is the sum of the pseudo header with `length` as its
   * length. A datagram without checksum (0) is for the caller: IPv4 takes it (RFC 768), IPv6 drops it
   * (RFC 8200 §8.1).
   */
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

export interface UdpRepr {
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Bytes after the header, at most 65,527. */
  readonly payloadLength: number;
}

export const parseUdp = (view: UdpView): UdpRepr => ({
  sourcePort: view.sourcePort,
  destinationPort: view.destinationPort,
  payloadLength: view.payloadLength,
});

/** Header and payload, in bytes. */
export const udpLength = (repr: UdpRepr): number => UDP_HEADER_LENGTH + repr.payloadLength;

/**
 * Writes the header, with no checksum yet; returns where the payload goes, or -1 when header and
 * payload do not fit into the view or into a datagram.
 */
export function emitUdp(repr: UdpRepr, dv: DataView, start: number): number {
  const length = udpLength(repr);
  if (length > 0xffff || !hasRoom(dv, start, length)) return -1;
  dv.setUint16(start + SOURCE_PORT, repr.sourcePort);
  dv.setUint16(start + DESTINATION_PORT, repr.destinationPort);
  dv.setUint16(start + LENGTH, length);
  dv.setUint16(start + CHECKSUM, 0);
  return start + UDP_HEADER_LENGTH;
}

/** Fills in the checksum of the datagram dv[start, end) once its payload is in place. */
export function fillUdpChecksum(dv: DataView, start: number, end: number, pseudo: number): void {
  dv.setUint16(start + CHECKSUM, 0);
  const checksum = checksum16(dv, start, end, pseudo);
  // RFC 768: a computed zero goes out as all ones, for zero means that there is none.
  dv.setUint16(start + CHECKSUM, checksum === 0 ? 0xffff : checksum);
}
