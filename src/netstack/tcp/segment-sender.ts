import { addSums, sum16 } from "../../wire/checksum.ts";
import { TCP_HEADER_LENGTH, TCP_PROTOCOL } from "../../wire/tcp.ts";
import type { Fragmenting, IpLayer, Path, SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { OutgoingSegment } from "./outgoing-segment.ts";

/** Of the TCP header. */
const CHECKSUM = 16;
const MAX_PACKET = 65_535;

/** The last steps of a segment on its way to IP. */
export class SegmentSender {
  readonly #ip: IpLayer;

  constructor(ip: IpLayer) {
    this.#ip = ip;
  }

  scratch(): Packet {
    return this.#ip.scratch();
  }

  /**
   * Sends packet[start, end), a TCP segment whose checksum field is 0.
   * @param pseudo `pseudoSum` of the path's addresses
   */
  send(path: Path, packet: Packet, pseudo: number, ecn: number): SendVerdict {
    const { start, end, view } = packet;
    const sum = addSums(pseudo, end - start);
    if (path.interface.device.offload.checksum) {
      packet.checksum = "partial";
      packet.checksumStart = start;
      packet.checksumOffset = CHECKSUM;
      view.setUint16(start + CHECKSUM, sum);
    } else {
      view.setUint16(start + CHECKSUM, ~sum16(view, start, end, sum) & 0xffff);
    }
    return this.#ip.send(path, packet, TCP_PROTOCOL, 0, ecn, FRAGMENTING);
  }
}

/** RFC 1191 §3, RFC 8201: TCP sends what fits, with DF. */
const FRAGMENTING: Fragmenting = "never";

/** IP and TCP header in bytes, without options. */
export const headersOf = (version: 4 | 6): number => (version === 4 ? 20 : 40) + TCP_HEADER_LENGTH;

/** What a path's packets leave for TCP options and payload. */
export const segmentRoom = (path: Path): number =>
  Math.max(path.mtu - headersOf(path.source.version), 8);

/** RFC 9293 §3.7.1: what we can receive goes by the interface; what the path takes is the other direction. */
export const receivableRoom = (path: Path): number =>
  Math.max(path.interface.mtu - headersOf(path.source.version), 8);

/** Tells the connection's composer what one packet may carry on this path. */
export function offer(segment: OutgoingSegment, path: Path): void {
  const { version } = path.source;
  const { offload } = path.interface.device;
  segment.gso = version === 4 ? offload.tcpV4 : offload.tcpV6;
  segment.maxSegment = segment.gso ? MAX_PACKET - headersOf(version) : segmentRoom(path);
}

/** The sum of the pseudo header (RFC 9293 §3.1, RFC 8200 §8.1), without the length. */
export function pseudoSum(a: Ip, b: Ip): number {
  return addSums(addSums(addressSum(a), addressSum(b)), TCP_PROTOCOL);
}

function addressSum(ip: Ip): number {
  if (ip.version === 4) return addSums(ip.w3 >>> 16, ip.w3 & 0xffff);
  let sum = 0;
  for (const word of [ip.w0, ip.w1, ip.w2, ip.w3]) sum += (word >>> 16) + (word & 0xffff);
  return addSums(sum, 0);
}
