import { pseudoSumV4, pseudoSumV6, verifies } from "../../wire/checksum.ts";
import { EtherType } from "../../wire/ethernet.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { Packet } from "../packet.ts";
import { MergedSegments } from "./merged-segments.ts";
import { TCP_FLAGS_AND_WINDOW, TcpHeaders } from "./tcp-headers.ts";

/** Where packets go on. */
export interface PacketSink {
  /** Borrowed, as ever: the packet is used again after the call. */
  onPacket(packet: Packet): void;
}

const ACK = 0x10;
const PSH = 0x08;
const ETHERNET = 14;

/**
 * Merges TCP segments that follow one another in a flow into one packet of up to 64 KiB with `gsoType`
 * (generic receive offload), for devices that do not: `push` each frame of a batch, then `flush`. Merged
 * is only what the segmenter would cut up the same way: equal headers but for sequence number and PSH,
 * payloads of one size but for a shorter last one. All else goes on at once, after what is held of its
 * flow. Checksums are verified before. Bound: `flows` packets are held; the oldest goes on first.
 */
export class Coalescer {
  readonly #sink: PacketSink;
  readonly #linkLength: number;
  readonly #held: MergedSegments[] = [];
  readonly #limit: number;
  readonly #headers = new TcpHeaders();
  /** How many of `#held` are in use: the first ones. */
  #used = 0;

  /** `ethernet`: frames begin with an Ethernet header; tagged ones are not merged. */
  constructor(sink: PacketSink, ethernet: boolean, flows = 8) {
    this.#sink = sink;
    this.#linkLength = ethernet ? ETHERNET : 0;
    this.#limit = flows;
  }

  push(packet: Packet): void {
    const headers = this.#headers;
    const candidate = this.#isIp(packet) && headers.read(packet, packet.start + this.#linkLength);
    if (!candidate) {
      this.#sink.onPacket(packet);
      return;
    }
    const at = this.#find(packet);
    if (!this.#isPlain(packet)) {
      if (at >= 0) this.#release(at);
      this.#sink.onPacket(packet);
      return;
    }
    const pushed = (packet.view.getUint8(headers.transport + 13) & PSH) !== 0;
    if (at >= 0 && this.#held[at]!.append(packet, headers)) {
      // RFC 9293 §3.9.1.2: data are pushed to the user. A short one is the last of its train.
      if (pushed || headers.payloadLength < this.#held[at]!.size) this.#release(at);
      return;
    }
    if (at >= 0) this.#release(at);
    if (pushed) this.#sink.onPacket(packet);
    else this.#hold(packet);
  }

  /** The batch is over: all that is held goes on. */
  flush(): void {
    for (let i = 0; i < this.#used; i++) this.#sink.onPacket(this.#held[i]!.finish());
    this.#used = 0;
  }

  #isIp(packet: Packet): boolean {
    if (packet.gsoType !== 0) return false;
    if (this.#linkLength === 0) return true;
    if (packet.length < ETHERNET) return false;
    const type = packet.view.getUint16(packet.start + 12);
    return type === EtherType.ipv4 || type === EtherType.ipv6;
  }

  /** Data, no control bits but ACK and PSH, and as it was sent. */
  #isPlain(packet: Packet): boolean {
    const { transport, payloadLength, end } = this.#headers;
    const { view } = packet;
    const flags = view.getUint16(transport + TCP_FLAGS_AND_WINDOW) & 0x1ff & ~PSH;
    if (payloadLength === 0 || flags !== ACK) return false;
    if (packet.checksum !== "complete") return true;
    return verifies(view, transport, end, pseudoSum(view, this.#headers, end - transport));
  }

  #find(packet: Packet): number {
    for (let i = 0; i < this.#used; i++) {
      if (this.#held[i]!.isFlowOf(packet, this.#headers)) return i;
    }
    return -1;
  }

  #hold(packet: Packet): void {
    if (this.#used === this.#limit) this.#release(0);
    const slot = this.#used++;
    this.#held[slot] ??= new MergedSegments();
    this.#held[slot]!.begin(packet, this.#headers);
  }

  /** Lets one go on; those behind it move up, so that the order of their first segments stays. */
  #release(at: number): void {
    const released = this.#held[at]!;
    this.#used--;
    for (let i = at; i < this.#used; i++) this.#held[i] = this.#held[i + 1]!;
    this.#held[this.#used] = released;
    this.#sink.onPacket(released.finish());
  }
}

/** Of a TCP segment of `length` bytes. */
function pseudoSum(view: DataView, headers: TcpHeaders, length: number): number {
  const { network, version } = headers;
  if (version === 6) return pseudoSumV6(view, network + 8, IpProtocol.tcp, length);
  const source = view.getInt32(network + 12);
  return pseudoSumV4(source, view.getInt32(network + 16), IpProtocol.tcp, length);
}
