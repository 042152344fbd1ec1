import { NetError } from "../../core/errors.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Fragmenting, IcmpError, NoPath, SendVerdict } from "../ip/ip-layer.ts";
import { Ip } from "../ip-address.ts";

/** One end of a flow; unspecified address: any of ours. */
export interface UdpEndpoint {
  readonly ip: Ip;
  readonly port: number;
}

/** Where a datagram goes to. */
export interface UdpTarget extends UdpEndpoint {
  /** By which interface: needed for link-local addresses where there are several. */
  readonly interface?: Interface;
  /** The source, where the socket is bound to no address: what `UdpSender.destination` said. */
  readonly source?: Ip;
}

export interface UdpOptions {
  /** Where to be bound; no address: all of them, of both versions. Port 0 or none: one is chosen. */
  readonly local?: { readonly ip?: Ip; readonly port?: number };
  /** Connected: only this peer is heard, and its ICMP errors are told. */
  readonly remote?: UdpTarget;
  /** Only this interface, both ways (SO_BINDTODEVICE). */
  readonly interface?: Interface;
  /** Several sockets share address and port, flows are spread over them (SO_REUSEPORT). */
  readonly reusePort?: boolean;
  /** Several sockets share address and port; each gets what is sent to a group or to all (SO_REUSEADDR). */
  readonly reuseAddress?: boolean;
  /** A socket bound to `::` takes no IPv4 (IPV6_V6ONLY). */
  readonly ipv6Only?: boolean;
  /** `local.ip` need not be ours (IP_TRANSPARENT). */
  readonly transparent?: boolean;
  /** May send to broadcast addresses (SO_BROADCAST). */
  readonly broadcast?: boolean;
  /** `never` sets DF and refuses what is longer than the path MTU. */
  readonly fragmenting?: Fragmenting;
}

/**
 * Whence a datagram came and how. One object per layer, filled anew for each: valid until
 * `onMessage` returns.
 */
export class UdpSender {
  version: 4 | 6 = 4;
  /** The peer's address in the words of `Ip`, and ours (or the group) that it was sent to. */
  s0 = 0;
  s1 = 0;
  s2 = 0;
  s3 = 0;
  d0 = 0;
  d1 = 0;
  d2 = 0;
  d3 = 0;
  port = 0;
  hopLimit = 0;
  /** DSCP and ECN. */
  trafficClass = 0;
  interface!: Interface;

  fill(inbound: Inbound, port: number): void {
    this.version = inbound.version;
    this.s0 = inbound.s0;
    this.s1 = inbound.s1;
    this.s2 = inbound.s2;
    this.s3 = inbound.s3;
    this.d0 = inbound.d0;
    this.d1 = inbound.d1;
    this.d2 = inbound.d2;
    this.d3 = inbound.d3;
    this.port = port;
    this.hopLimit = inbound.hopLimit;
    this.trafficClass = inbound.trafficClass;
    this.interface = inbound.interface;
  }

  /** A copy to keep. */
  clone(): UdpSender {
    return Object.assign(new UdpSender(), this);
  }

  /** The peer; allocates. */
  get ip(): Ip {
    return Ip.fromWords(this.version, this.s0, this.s1, this.s2, this.s3);
  }

  /** What it was sent to; allocates. */
  get destination(): Ip {
    return Ip.fromWords(this.version, this.d0, this.d1, this.d2, this.d3);
  }
}

/** Who uses a socket. It may call any command of the socket from within. */
export interface UdpHandler {
  /** A datagram: bytes[start, end), borrowed until the call returns. */
  onMessage(bytes: Uint8Array, start: number, end: number, from: UdpSender): void;
  /** Connected: an ICMP error says that the peer will not have what was sent. The socket lives on. */
  onError(error: NetError): void;
  /** There is room again, after `send` said `full`. */
  onWritable?(): void;
  /** Any ICMP error about what this socket sent, connected or not (RFC 1122 §4.1.3.3); comes first. */
  onIcmpError?(error: IcmpError): void;
}

/**
 * - as IP's `SendVerdict` and `NoPath`;
 * - `denied`: to a broadcast address without `broadcast` (EACCES);
 * - `no-destination`: not connected, and none was given (EDESTADDRREQ);
 * - `mismatch`: the address is of a version that the socket does not do;
 * - `closed`.
 */
export type UdpVerdict = SendVerdict | NoPath | "denied" | "no-destination" | "mismatch" | "closed";

/** The error that a verdict stands for, or null for `sent` and `full`, which are none. */
export function udpError(verdict: UdpVerdict): NetError | null {
  switch (verdict) {
    case "sent":
    case "full":
      return null;
    case "too-big":
      return new NetError("EMSGSIZE", "datagram longer than the path takes", DOWNSTREAM);
    case "no-route":
      return new NetError("ENETUNREACH", "no route to the destination", UPSTREAM);
    case "unreachable":
      return new NetError("EHOSTUNREACH", "the destination cannot be reached", UPSTREAM);
    case "no-source":
      return new NetError("EADDRNOTAVAIL", "no address of ours to send from", DOWNSTREAM);
    case "prohibited":
    case "denied":
      return new NetError("EACCES", "sending there is not allowed", DOWNSTREAM);
    case "no-destination":
    case "mismatch":
      return new NetError("EINVAL", `no destination that fits the socket: ${verdict}`, DOWNSTREAM);
    case "closed":
      return new NetError("ABORTED", "the socket is closed", DOWNSTREAM);
    default:
      return verdict satisfies never;
  }
}

/**
 * The error of a connected socket that an ICMP message stands for, in the codes of Linux; null for one
 * that may pass (RFC 1122 §3.2.2.1).
 */
export function icmpNetError(error: IcmpError): NetError | null {
  const text = `${error.kind} (ICMPv${error.version} type ${error.type} code ${error.code})`;
  switch (error.kind) {
    case "port-unreachable":
      return new NetError("ECONNREFUSED", text, UPSTREAM);
    case "protocol-unreachable":
      return new NetError("EHOSTUNREACH", text, UPSTREAM);
    case "prohibited":
      return new NetError("EACCES", text, UPSTREAM);
    default:
      return null;
  }
}

const DOWNSTREAM = { source: "downstream" } as const;
const UPSTREAM = { source: "upstream" } as const;
