import { copyBytes } from "../../core/bytes.ts";
import { checksum16, pseudoSumV4, pseudoSumV6 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { Packet } from "../packet.ts";
import { TCP_FLAGS_AND_WINDOW, type TcpHeaders } from "./tcp-headers.ts";

const PSH = 0x08;
const CHECKSUM = 16;
const DONT_FRAGMENT = 0x4000;
/** The word of header length, control bits and window without PSH. */
const STEADY = ~(PSH << 16);

/** Segments of one flow that were merged so far, in memory of its own. */
export class MergedSegments {
  readonly packet = Packet.allocate();
  #version: 4 | 6 = 4;
  #network = 0;
  #transport = 0;
  #payload = 0;
  #count = 0;
  #sequence = 0;
  /** Payload of each but the last. */
  size = 0;

  /** Starts with that segment. */
  begin(from: Packet, headers: TcpHeaders): void {
    const { packet } = this;
    packet.reset();
    const shift = packet.start - from.start;
    copyBytes(from.bytes, from.start, headers.end, packet.bytes, packet.start);
    packet.end = headers.end + shift;
    // Whoever vouched for it, it is known to be good.
    packet.checksum = from.checksum === "partial" ? "partial" : "verified";
    packet.checksumStart = from.checksumStart + shift;
    packet.checksumOffset = from.checksumOffset;
    this.#version = headers.version;
    this.#network = headers.network + shift;
    this.#transport = headers.transport + shift;
    this.#payload = headers.payload + shift;
    this.#count = 1;
    this.size = headers.payloadLength;
    this.#sequence = (from.view.getInt32(headers.transport + 4) + this.size) | 0;
  }

  isFlowOf(other: Packet, headers: TcpHeaders): boolean {
    const a = this.packet.view;
    const b = other.view;
    if (this.#version !== headers.version) return false;
    if (a.getInt32(this.#transport) !== b.getInt32(headers.transport)) return false;
    const words = this.#version === 4 ? 2 : 8;
    const i = this.#network + (this.#version === 4 ? 12 : 8);
    const j = headers.network + (this.#version === 4 ? 12 : 8);
    for (let k = 0; k < words; k++) {
      if (a.getInt32(i + 4 * k) !== b.getInt32(j + 4 * k)) return false;
    }
    return true;
  }

  /** Takes a segment of the same flow; false when it cannot follow what is here. */
  append(from: Packet, headers: TcpHeaders): boolean {
    const length = headers.payloadLength;
    const { packet } = this;
    if (length > this.size || packet.end - this.#network + length > 65_535) return false;
    if (from.view.getInt32(headers.transport + 4) !== this.#sequence) return false;
    if (!this.#sameNetwork(from, headers) || !this.#sameTransport(from, headers)) return false;
    copyBytes(from.bytes, headers.payload, headers.end, packet.bytes, packet.end);
    packet.end += length;
    this.#sequence = (this.#sequence + length) | 0;
    this.#count++;
    const flags = from.view.getUint8(headers.transport + 13) & PSH;
    if (flags !== 0) {
      const at = this.#transport + 13;
      packet.view.setUint8(at, packet.view.getUint8(at) | flags);
    }
    return true;
  }

  /** The packet with its lengths and metadata; valid until the next `begin`. */
  finish(): Packet {
    const { packet } = this;
    if (this.#count === 1) return packet;
    const { view, end } = packet;
    const network = this.#network;
    const transport = this.#transport;
    const length = end - transport;
    let pseudo: number;
    if (this.#version === 4) {
      view.setUint16(network + 2, end - network);
      view.setUint16(network + 10, 0);
      view.setUint16(network + 10, checksum16(view, network, transport));
      const source = view.getInt32(network + 12);
      pseudo = pseudoSumV4(source, view.getInt32(network + 16), IpProtocol.tcp, length);
    } else {
      view.setUint16(network + 4, length);
      pseudo = pseudoSumV6(view, network + 8, IpProtocol.tcp, length);
    }
    view.setUint16(transport + CHECKSUM, pseudo);
    packet.checksum = "partial";
    packet.checksumStart = transport;
    packet.checksumOffset = CHECKSUM;
    packet.gsoType = this.#version === 4 ? GsoType.tcpV4 : GsoType.tcpV6;
    packet.gsoSize = this.size;
    return packet;
  }

  #sameNetwork(from: Packet, headers: TcpHeaders): boolean {
    const a = this.packet.view;
    const b = from.view;
    const i = this.#network;
    const j = headers.network;
    // Traffic class and flow label; hop limit.
    if (this.#version === 6) {
      return a.getInt32(i) === b.getInt32(j) && a.getUint8(i + 7) === b.getUint8(j + 7);
    }
    if (a.getUint16(i) !== b.getUint16(j) || a.getUint8(i + 8) !== b.getUint8(j + 8)) return false;
    const flags = a.getUint16(i + 6);
    if (flags !== b.getUint16(j + 6)) return false;
    // RFC 6864 §4.1: with DF the identification means nothing; without, cut up again it counts on.
    const expected = (a.getUint16(i + 4) + this.#count) & 0xffff;
    return (flags & DONT_FRAGMENT) !== 0 || b.getUint16(j + 4) === expected;
  }

  /** Acknowledgment, control bits, window and options. */
  #sameTransport(from: Packet, headers: TcpHeaders): boolean {
    const a = this.packet.view;
    const b = from.view;
    const i = this.#transport;
    const j = headers.transport;
    if (a.getInt32(i + 8) !== b.getInt32(j + 8)) return false;
    const steady = a.getInt32(i + TCP_FLAGS_AND_WINDOW) ^ b.getInt32(j + TCP_FLAGS_AND_WINDOW);
    if ((steady & STEADY) !== 0) return false;
    const length = this.#payload - i;
    for (let k = 20; k < length; k += 4) {
      if (a.getInt32(i + k) !== b.getInt32(j + k)) return false;
    }
    return true;
  }
}
