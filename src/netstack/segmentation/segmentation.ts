import { copyBytes } from "../../core/bytes.ts";
import { checksum16, pseudoSumV4, pseudoSumV6, sum16 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv6Walker } from "../../wire/ipv6-walker.ts";
import { TcpFlag } from "../../wire/tcp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { Packet } from "../packet.ts";
import { completeChecksum } from "./checksum-completion.ts";

export { completeChecksum } from "./checksum-completion.ts";

const NOTHING = new Packet(new Uint8Array(0));
const TCP_CHECKSUM = 16;
const UDP_CHECKSUM = 6;
const UDP_HEADER = 8;

/**
 * Cuts a packet with `gsoType` into segments, for devices that do not (generic segmentation offload):
 * `begin`, then `next` until it says false. One at a time. TCP of both families and UDP segments; UFO
 * (`GsoType.udp`), which nobody sends any more, is not supported.
 */
export class Segmenter {
  #packet: Packet = NOTHING;
  #version: 4 | 6 = 4;
  #protocol = 0;
  /** Absolute, in the packet: IP header, transport header, its payload. */
  #networkStart = 0;
  #transportStart = 0;
  #payloadStart = 0;
  #size = 0;
  #at = 0;
  #index = 0;
  #keepPartial = false;
  readonly #walker = new Ipv6Walker();

  /**
   * packet[start, networkStart) is a link header or empty; it goes before each segment. The packet
   * stays as it is until the last `next`, but for a partial checksum of one that is not cut, which is
   * completed in place. `keepPartial`: the device takes partial checksums. A packet without `gsoType`
   * is one segment. False when the packet contradicts its metadata: it cannot be sent.
   */
  begin(packet: Packet, networkStart = packet.start, keepPartial = false): boolean {
    this.#packet = NOTHING;
    this.#networkStart = networkStart;
    this.#keepPartial = keepPartial;
    this.#index = 0;
    const type = packet.gsoType & ~GsoType.ecn;
    if (type === GsoType.none) {
      if (!keepPartial && !completeChecksum(packet)) return false;
      this.#packet = packet;
      this.#size = 0;
      return true;
    }
    if (packet.gsoSize === 0 || !this.#locateTransport(packet)) return false;
    const { view, end } = packet;
    const transport = this.#transportStart;
    if (type === GsoType.udpSegments) {
      if (this.#protocol !== IpProtocol.udp || end - transport < UDP_HEADER) return false;
      this.#payloadStart = transport + UDP_HEADER;
    } else {
      const version = type === GsoType.tcpV4 ? 4 : type === GsoType.tcpV6 ? 6 : 0;
      if (this.#protocol !== IpProtocol.tcp || this.#version !== version) return false;
      if (end - transport < 20) return false;
      const headerLength = (view.getUint8(transport + 12) >>> 4) * 4;
      if (headerLength < 20 || end - transport < headerLength) return false;
      this.#payloadStart = transport + headerLength;
    }
    this.#packet = packet;
    this.#size = packet.gsoSize;
    this.#at = this.#payloadStart;
    return true;
  }

  /** Writes the next segment into `out`, headroom in front; false when there is none left. */
  next(out: Packet): boolean {
    const packet = this.#packet;
    if (packet === NOTHING) return false;
    if (this.#size === 0) {
      this.#packet = NOTHING;
      return out.copyFrom(packet);
    }
    const { start, end, bytes } = packet;
    const from = this.#at;
    const stop = end - from <= this.#size ? end : from + this.#size;
    const headers = this.#payloadStart - start;
    out.reset();
    copyBytes(bytes, start, this.#payloadStart, out.bytes, out.start);
    copyBytes(bytes, from, stop, out.bytes, out.start + headers);
    out.end = out.start + headers + stop - from;
    const shift = out.start - start;
    this.#finishNetwork(out, this.#networkStart + shift);
    const transport = this.#transportStart + shift;
    if (this.#protocol === IpProtocol.tcp) this.#finishTcp(out, transport, stop === end);
    else out.view.setUint16(transport + 4, out.end - transport);
    this.#finishChecksum(out, this.#networkStart + shift, transport);
    this.#at = stop;
    this.#index++;
    if (stop === end) this.#packet = NOTHING;
    return true;
  }

  #locateTransport(packet: Packet): boolean {
    const { view, end } = packet;
    const at = this.#networkStart;
    const version = end - at >= 20 ? view.getUint8(at) >>> 4 : 0;
    if (version === 4) {
      const headerLength = (view.getUint8(at) & 0x0f) * 4;
      this.#version = 4;
      this.#protocol = view.getUint8(at + 9);
      this.#transportStart = at + headerLength;
      return headerLength >= 20 && this.#transportStart <= end;
    }
    if (version !== 6 || end - at < 40) return false;
    this.#version = 6;
    const walker = this.#walker;
    if (walker.wrap(view, at + 40, end, view.getUint8(at + 6)) !== "ok") return false;
    this.#protocol = walker.protocol;
    this.#transportStart = walker.payloadStart;
    return !walker.isFragment;
  }

  #finishNetwork(out: Packet, at: number): void {
    const { view } = out;
    if (this.#version === 6) {
      view.setUint16(at + 4, out.end - at - 40);
      return;
    }
    view.setUint16(at + 2, out.end - at);
    view.setUint16(at + 4, view.getUint16(at + 4) + this.#index);
    view.setUint16(at + 10, 0);
    view.setUint16(at + 10, checksum16(view, at, at + (view.getUint8(at) & 0x0f) * 4));
  }

  #finishTcp(out: Packet, at: number, last: boolean): void {
    const { view } = out;
    view.setUint32(at + 4, view.getUint32(at + 4) + this.#index * this.#size);
    let flags = view.getUint8(at + 13);
    // What ends the data is said with the last of them; RFC 3168 §6.1.2: CWR with the first new one.
    if (!last) flags &= ~(TcpFlag.fin | TcpFlag.psh);
    if (this.#index > 0) flags &= ~TcpFlag.cwr;
    view.setUint8(at + 13, flags);
  }

  #finishChecksum(out: Packet, network: number, transport: number): void {
    const { view, end } = out;
    const offset = this.#protocol === IpProtocol.tcp ? TCP_CHECKSUM : UDP_CHECKSUM;
    const length = end - transport;
    const pseudo =
      this.#version === 4
        ? pseudoSumV4(
            view.getInt32(network + 12),
            view.getInt32(network + 16),
            this.#protocol,
            length,
          )
        : pseudoSumV6(view, network + 8, this.#protocol, length);
    if (this.#keepPartial) {
      view.setUint16(transport + offset, pseudo);
      out.checksum = "partial";
      out.checksumStart = transport;
      out.checksumOffset = offset;
      return;
    }
    view.setUint16(transport + offset, 0);
    const checksum = ~sum16(view, transport, end, pseudo) & 0xffff;
    // RFC 768: a zero would mean that a datagram has none.
    const spare = offset === UDP_CHECKSUM ? 0xffff : 0;
    view.setUint16(transport + offset, checksum === 0 ? spare : checksum);
  }
}
