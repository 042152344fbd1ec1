import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Packet } from "../packet.ts";

/** From the TCP header's start: its length, nine control bits, and the window. */
export const TCP_FLAGS_AND_WINDOW = 12;

/** Where the headers of a TCP segment are, in absolute offsets. */
export class TcpHeaders {
  version: 4 | 6 = 4;
  network = 0;
  transport = 0;
  payload = 0;
  /** By IP's length: behind it there may be a frame's padding. */
  end = 0;

  get payloadLength(): number {
    return this.end - this.payload;
  }

  /** False for all but whole TCP segments without IPv4 options or IPv6 extension headers. */
  read(packet: Packet, network: number): boolean {
    const { view } = packet;
    const room = packet.end - network;
    if (room < 40) return false;
    const first = view.getUint8(network);
    if (first === 0x45) {
      // Not a fragment; the flag that may be set is DF.
      if (view.getUint8(network + 9) !== IpProtocol.tcp) return false;
      if ((view.getUint16(network + 6) & 0x3fff) !== 0) return false;
      this.version = 4;
      this.transport = network + 20;
      this.end = network + view.getUint16(network + 2);
    } else if (first >>> 4 === 6) {
      if (room < 60 || view.getUint8(network + 6) !== IpProtocol.tcp) return false;
      this.version = 6;
      this.transport = network + 40;
      this.end = this.transport + view.getUint16(network + 4);
    } else return false;
    if (this.end > packet.end || this.end - this.transport < 20) return false;
    const length = (view.getUint8(this.transport + TCP_FLAGS_AND_WINDOW) >>> 4) * 4;
    this.network = network;
    this.payload = this.transport + length;
    return length >= 20 && this.payload <= this.end;
  }
}
