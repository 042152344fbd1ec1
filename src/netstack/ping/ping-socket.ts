import { checkRange, copyBytes } from "../../core/bytes.ts";
import { checksum16 } from "../../wire/checksum.ts";
import { Icmpv4Type } from "../../wire/icmpv4.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Fragmenting, IcmpError, IpLayer, NoPath, SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import { RecentPaths } from "../udp/recent-paths.ts";

const HEADER = 8;

export interface PingOptions {
  /** Whom to ask where `send` does not say; replies of others are not heard then. */
  readonly remote?: Ip;
  /** 0 to 65,535; drawn where left out. */
  readonly identifier?: number;
  readonly interface?: Interface;
  readonly source?: Ip;
  /** `never` finds out what the path takes. */
  readonly fragmenting?: Fragmenting;
}

export interface PingHandler {
  /**
   * An echo reply: `from.packet.bytes` [start, end) is its payload, borrowed until the call returns;
   * `from` has the sender and the hop limit.
   */
  onReply(sequence: number, from: Inbound, start: number, end: number): void;
  /** An ICMP error about a request: no host there, a hop limit that ran out, … */
  onError(sequence: number, error: IcmpError): void;
}

export type PingVerdict = SendVerdict | NoPath | "no-destination" | "closed";

/** What a socket needs of its layer. */
export interface PingHost {
  readonly ip: IpLayer;
  release(socket: PingSocket): void;
  /** A handler threw. */
  fault(error: unknown): void;
}

/** An echo socket; made by `PingLayer.open`. */
export class PingSocket {
  readonly identifier: number;
  readonly remote: Ip | null;
  /** TTL or hop limit; 0: the interface's. */
  hopLimit = 0;
  /** DSCP and ECN of what is sent. */
  trafficClass = 0;
  fragmenting: Fragmenting;
  readonly #host: PingHost;
  readonly #handler: PingHandler;
  readonly #interface: Interface | null;
  readonly #source: Ip | null;
  readonly #paths: RecentPaths;
  #closed = false;

  constructor(host: PingHost, identifier: number, options: PingOptions, handler: PingHandler) {
    this.#host = host;
    this.identifier = identifier;
    this.#handler = handler;
    this.remote = options.remote ?? null;
    this.fragmenting = options.fragmenting ?? "allowed";
    this.#interface = options.interface ?? null;
    this.#source = options.source ?? null;
    this.#paths = new RecentPaths(host.ip);
  }

  /**
   * Asks for an echo of bytes[start, end); `sequence` is 0 to 65,535. Throws a RangeError for another one, and
   * for bytes that are not there.
   */
  send(sequence: number, bytes: Uint8Array, start: number, end: number, to?: Ip): PingVerdict {
    checkRange(bytes, start, end);
    if (!(sequence >= 0 && sequence <= 65_535 && Number.isInteger(sequence))) {
      throw new RangeError(`a sequence number of echo requests is 0 to 65,535, not ${sequence}`);
    }
    const destination = to ?? this.remote;
    if (this.#closed) return "closed";
    if (destination === null) return "no-destination";
    const ipv4 = destination.version === 4;
    const length = HEADER + end - start;
    if (length > 65_535 - (ipv4 ? 20 : 0)) return "too-big";
    const path = this.#pathTo(destination);
    if (typeof path === "string") return path;
    const packet = this.#host.ip.scratch();
    const { view, start: at } = packet;
    packet.end = at + length;
    view.setUint16(at, (ipv4 ? Icmpv4Type.echoRequest : Icmpv6Type.echoRequest) << 8);
    view.setUint16(at + 2, 0);
    view.setUint16(at + 4, this.identifier);
    view.setUint16(at + 6, sequence);
    copyBytes(bytes, start, end, packet.bytes, at + HEADER);
    const protocol = ipv4 ? IpProtocol.icmp : IpProtocol.icmpv6;
    const pseudo = ipv4 ? 0 : pseudoSumOf(path.source, destination, protocol, length);
    view.setUint16(at + 2, checksum16(view, at, packet.end, pseudo));
    const { hopLimit, trafficClass, fragmenting } = this;
    return this.#host.ip.send(path, packet, protocol, hopLimit, trafficClass, fragmenting);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.release(this);
  }

  /** The layer's. */
  handleReply(inbound: Inbound, sequence: number): void {
    // A group answers with many addresses, none of which is the group's.
    const { remote } = this;
    if (remote !== null && !remote.isMulticast && !isFrom(inbound, remote)) return;
    try {
      this.#handler.onReply(sequence, inbound, inbound.payloadStart + HEADER, inbound.payloadEnd);
    } catch (error) {
      this.#host.fault(error);
    }
  }

  /** The layer's: whether the error is about something that was sent. */
  handleError(error: IcmpError, sequence: number): boolean {
    if (!this.#paths.has(error.destination)) return false;
    try {
      this.#handler.onError(sequence, error);
    } catch (fault) {
      this.#host.fault(fault);
    }
    return true;
  }

  #pathTo(destination: Ip) {
    const on = this.#interface;
    const source = this.#source;
    return (
      this.#paths.known(destination, on, source) ??
      this.#paths.find(destination, on, source, {
        ...(on === null ? {} : { interface: on }),
        ...(source === null ? {} : { source }),
      })
    );
  }
}

const isFrom = (inbound: Inbound, ip: Ip): boolean =>
  inbound.version === ip.version && (ip.isLimitedBroadcast || inbound.isFrom(ip));
