import { checkRange, copyBytes } from "../../core/bytes.ts";
import { checksum16 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Fragmenting, IpLayer, NoPath, Path, SendVerdict } from "../ip/ip-layer.ts";
import { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import { RecentPaths } from "../udp/recent-paths.ts";

export interface RawOptions {
  readonly version: 4 | 6;
  /** The last "next header"; every protocol where left out, and then sending needs `headerIncluded`. */
  readonly protocol?: number;
  /** What is sent begins with an IP header (IP_HDRINCL). */
  readonly headerIncluded?: boolean;
  readonly interface?: Interface;
  /** Only what is sent to that address, and the source of what is sent. */
  readonly local?: Ip;
  /** Only what that peer sends. */
  readonly remote?: Ip;
  /** Of ICMP, only these types (ICMP_FILTER, RFC 3542 §3.2). */
  readonly icmpTypes?: ReadonlySet<number>;
  /**
   * Where the transport has its checksum, in bytes from its start, to be computed with the pseudo header
   * (RFC 3542 §3.1); of ICMPv6 always.
   */
  readonly checksumOffset?: number;
  readonly fragmenting?: Fragmenting;
}

export interface RawHandler {
  /**
   * A packet for us, also given to its transport: bytes from `inbound.headerStart` (the IP header) or
   * `inbound.payloadStart` to `inbound.payloadEnd`. Borrowed until the call returns, not to be changed.
   */
  onPacket(inbound: Inbound): void;
}

export type RawVerdict = SendVerdict | NoPath | "no-destination" | "malformed" | "closed";

/** What a socket needs of its layer. */
export interface RawHost {
  readonly ip: IpLayer;
  release(socket: RawSocket): void;
  /** A handler threw. */
  fault(error: unknown): void;
}

/** A raw IP socket; made by `RawLayer.open`. */
export class RawSocket {
  readonly version: 4 | 6;
  /** Null: all. */
  readonly protocol: number | null;
  /** TTL or hop limit; 0: the interface's. */
  hopLimit = 0;
  /** DSCP and ECN. */
  trafficClass = 0;
  readonly #host: RawHost;
  readonly #options: RawOptions;
  readonly #handler: RawHandler;
  readonly #paths: RecentPaths;
  readonly #checksumOffset: number;
  #closed = false;

  constructor(host: RawHost, options: RawOptions, handler: RawHandler) {
    this.#host = host;
    this.#options = options;
    this.#handler = handler;
    this.version = options.version;
    this.protocol = options.protocol ?? null;
    this.#paths = new RecentPaths(host.ip);
    const icmpv6 = options.version === 6 && options.protocol === IpProtocol.icmpv6;
    this.#checksumOffset = icmpv6 ? 2 : (options.checksumOffset ?? -1);
  }

  /**
   * Sends bytes[start, end) to `to` behind an IP header; with `headerIncluded`, as they are, to where
   * their header says: total length and checksum are filled in, and of IPv4 the source where it is zero
   * (raw(7) of Linux). Throws a RangeError for bytes that are not there.
   */
  send(bytes: Uint8Array, start: number, end: number, to?: Ip): RawVerdict {
    checkRange(bytes, start, end);
    if (this.#closed) return "closed";
    if (this.#options.headerIncluded === true) return this.#sendWhole(bytes, start, end);
    const destination = to ?? this.#options.remote;
    if (destination === undefined || this.protocol === null) return "no-destination";
    if (destination.version !== this.version) return "malformed";
    if (end - start > 65_535 - (this.version === 4 ? 20 : 0)) return "too-big";
    const path = this.#pathTo(destination, this.#options.local ?? null, false);
    if (typeof path === "string") return path;
    const packet = this.#host.ip.scratch();
    place(packet, bytes, start, end);
    if (!this.#sum(packet, path)) return "malformed";
    const fragmenting = this.#options.fragmenting ?? "allowed";
    const { hopLimit, trafficClass } = this;
    return this.#host.ip.send(path, packet, this.protocol, hopLimit, trafficClass, fragmenting);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.release(this);
  }

  /** The layer's. */
  wants(inbound: Inbound): boolean {
    const { interface: on, local, remote, icmpTypes } = this.#options;
    if (inbound.version !== this.version) return false;
    if (this.protocol !== null && inbound.protocol !== this.protocol) return false;
    if (on !== undefined && on !== inbound.interface) return false;
    if (local !== undefined && !inbound.isTo(local)) return false;
    if (remote !== undefined && !inbound.isFrom(remote)) return false;
    if (icmpTypes === undefined) return true;
    const { protocol, payloadStart, payloadEnd, packet } = inbound;
    if (protocol !== (this.version === 4 ? IpProtocol.icmp : IpProtocol.icmpv6)) return true;
    return payloadEnd > payloadStart && icmpTypes.has(packet.view.getUint8(payloadStart));
  }

  /** The layer's. */
  deliver(inbound: Inbound): void {
    if (this.#closed) return;
    try {
      this.#handler.onPacket(inbound);
    } catch (error) {
      this.#host.fault(error);
    }
  }

  /** False when the checksum's place is not in the packet. */
  #sum(packet: Packet, path: Path): boolean {
    const { start, end, view } = packet;
    const field = start + this.#checksumOffset;
    if (field < start) return true;
    if (field + 2 > end) return false;
    const pseudo = pseudoSumOf(path.source, path.destination, this.protocol!, end - start);
    view.setUint16(field, 0);
    view.setUint16(field, checksum16(view, start, end, pseudo));
    return true;
  }

  #sendWhole(bytes: Uint8Array, start: number, end: number): RawVerdict {
    const length = end - start;
    if (length < (this.version === 4 ? 20 : 40)) return "malformed";
    if (length > 65_535 + (this.version === 4 ? 0 : 40)) return "too-big";
    const header = new DataView(bytes.buffer, bytes.byteOffset + start, length);
    if (header.getUint8(0) >>> 4 !== this.version) return "malformed";
    const ipv4 = this.version === 4;
    const destination = ipv4 ? Ip.read4(header, 16) : Ip.read6(header, 24);
    const source = ipv4 ? Ip.read4(header, 12) : Ip.read6(header, 8);
    const path = this.#pathTo(destination, source.isUnspecified ? null : source, true);
    if (typeof path === "string") return path;
    const packet = this.#host.ip.scratch();
    place(packet, bytes, start, end);
    if (ipv4 && !finishIpv4(packet, path.source)) return "malformed";
    if (!ipv4) packet.view.setUint16(packet.start + 4, length - 40);
    return this.#host.ip.sendWhole(path, packet);
  }

  #pathTo(destination: Ip, source: Ip | null, anySource: boolean): Path | NoPath {
    const on = this.#options.interface ?? null;
    return (
      this.#paths.known(destination, on, source) ??
      this.#paths.find(destination, on, source, {
        ...(on === null ? {} : { interface: on }),
        ...(source === null ? {} : { source }),
        ...(anySource ? { anySource } : {}),
      })
    );
  }
}

function place(packet: Packet, bytes: Uint8Array, start: number, end: number): void {
  copyBytes(bytes, start, end, packet.bytes, packet.start);
  packet.end = packet.start + end - start;
}

/** False when the header's own length is not one. */
function finishIpv4({ view, start, end }: Packet, source: Ip): boolean {
  const headerLength = (view.getUint8(start) & 0x0f) * 4;
  if (headerLength < 20 || start + headerLength > end) return false;
  view.setUint16(start + 2, end - start);
  if (view.getUint32(start + 12) === 0) source.write(view, start + 12);
  view.setUint16(start + 10, 0);
  view.setUint16(start + 10, checksum16(view, start, start + headerLength));
  return true;
}
