import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";

/**
 * How to get to a destination: found once, kept by sockets, shared. It holds until routes, rules,
 * addresses or interfaces change; `valid` says so, and then it has to be resolved again.
 */
export interface Path {
  readonly destination: Ip;
  /** Ours; what the packets carry. */
  readonly source: Ip;
  readonly interface: Interface;
  /** A neighbour on `interface`: the router, or the destination itself. */
  readonly nextHop: Ip;
  readonly valid: boolean;
  /** The path MTU as known now, in bytes of IP packet: the interface's, or less. */
  readonly mtu: number;
  /** The peer has shown that it receives us (RFC 4861 §7.3.1): keeps the neighbour reachable. */
  confirm(): void;
}

export interface PathConstraint {
  /** Use this source, which has to be ours unless `anySource`. */
  readonly source?: Ip;
  /** Leave by this interface (SO_BINDTODEVICE, or the zone of a link-local address). */
  readonly interface?: Interface;
  readonly anySource?: boolean;
  /** Whether members on this host get what is sent to a group (IP_MULTICAST_LOOP). Default true. */
  readonly multicastLoop?: boolean;
}

export type NoPath = "no-route" | "no-source" | "prohibited";

/**
 * - `sent`: on its way, or waiting for the neighbour's address;
 * - `full`: the device has no room; nothing was taken. `Interface.onReady` hears when it has;
 * - `too-big`: longer than the path MTU, and it may not be fragmented here;
 * - `unreachable`: no path any more, interface down, or the neighbour has failed lately.
 */
export type SendVerdict = "sent" | "full" | "too-big" | "unreachable";

/** `never`: DF set, or IPv6 without a fragment header; `allowed`: fragmented here when too long. */
export type Fragmenting = "never" | "allowed";

/** What transports need of IP. */
export interface IpLayer {
  /** One way from here to `destination`, or why there is none. Allocates only for a new path. */
  resolve(destination: Ip, constraint?: PathConstraint): Path | NoPath;
  /**
   * The stack's packet for sending, reset: write the transport's header and payload from `start` on,
   * set `end`, and call `send`. One at a time.
   */
  scratch(): Packet;
  /**
   * Puts an IP header before packet[start, end) and sends it. The transport has filled in its checksum
   * (`complete`), or the pseudo header's sum where `path.interface.device.offload` allows it
   * (`partial`); with `gsoType` set, the packet may be longer than the MTU.
   * @param hopLimit 0 for the interface's default
   * @param trafficClass DSCP and ECN
   */
  send(
    path: Path,
    packet: Packet,
    protocol: number,
    hopLimit: number,
    trafficClass: number,
    fragmenting: Fragmenting,
  ): SendVerdict;
  /**
   * Past the routing table: to a neighbour or group on that interface, with any source (also the
   * unspecified one). For ARP's and NDP's kin, IGMP, MLD and DHCP. With `routerAlert`, RFC 2113 or 2711.
   */
  sendOn(
    out: Interface,
    source: Ip,
    destination: Ip,
    packet: Packet,
    protocol: number,
    hopLimit: number,
    routerAlert: boolean,
  ): SendVerdict;
  /** Whether the address is assigned to an interface and usable as a source (not tentative). */
  isLocal(ip: Ip): boolean;
  /** Whether it means all hosts on a link of ours: 255.255.255.255, and the last of each prefix. */
  isBroadcast(ip: Ip): boolean;
  /** Takes the packets of one IP protocol; the last one registered has it. */
  register(upper: UpperLayer): void;
  /**
   * Takes ICMPv6 messages of a type that is not the IP layer's own business: NDP and MLD. The checksum
   * has been verified; `inbound.payloadStart` is at the ICMPv6 header. Hop limits are the taker's to check.
   */
  onIcmpv6(type: number, taker: (inbound: Inbound) => void): void;
  /** The same of ICMPv4: echo replies are told so. */
  onIcmpv4(type: number, taker: (inbound: Inbound) => void): void;
  /**
   * Hears of ICMP errors about packets of a protocol that is no `UpperLayer`'s: ICMP itself, and what
   * raw sockets send. Returns as `UpperLayer.handleIcmpError` does.
   */
  onIcmpError(protocol: number, taker: (error: IcmpError) => boolean): void;
  /**
   * Shows every whole packet for one of our addresses or groups, of any protocol, before its upper layer
   * has it; true: somebody wanted it, and no "protocol unreachable" is owed. For raw sockets; null: none
   * is open, which costs nothing.
   */
  onInbound(taker: ((inbound: Inbound) => boolean) | null): void;
  /**
   * Sends packet[start, end) that begins with a whole IP header: fragmented where too long and allowed
   * (IPv4 without DF). For raw sockets that bring their own header.
   */
  sendWhole(path: Path, packet: Packet): SendVerdict;
}

/**
 * - `taken`: delivered, or dropped for the transport's own reasons;
 * - `port-unreachable`: nobody listens; IP answers with an ICMP error where that is allowed.
 */
export type Delivery = "taken" | "port-unreachable";

/** A transport protocol above IP. */
export interface UpperLayer {
  /** The IP protocol number. */
  readonly protocol: number;
  /** A packet for one of our addresses or groups; its checksum has not been looked at. */
  handlePacket(inbound: Inbound): Delivery;
  /**
   * An ICMP error about a packet of ours. Returns whether it can be about something that was really
   * sent (RFC 5927 §4: known connection, sequence number in flight); only then does IP believe a new
   * path MTU.
   */
  handleIcmpError(error: IcmpError): boolean;
  /**
   * A packet to a unicast address that is not ours, on the interface where it came in, before it is
   * forwarded or dropped: true when it was taken nevertheless. UDP's for DHCP, whose server may send to
   * the address that it offers (RFC 2131 §4.1).
   */
  takeUnassigned?(inbound: Inbound): boolean;
}

export type IcmpErrorKind =
  | "network-unreachable"
  | "host-unreachable"
  | "protocol-unreachable"
  | "port-unreachable"
  | "packet-too-big"
  | "prohibited"
  | "time-exceeded"
  | "reassembly-time-exceeded"
  | "parameter-problem";

/** An ICMP error as received. One object per stack: valid until the callee returns. */
export interface IcmpError {
  readonly version: 4 | 6;
  readonly kind: IcmpErrorKind;
  /** ICMP type and code as on the wire. */
  readonly type: number;
  readonly code: number;
  /** Who says so. */
  readonly from: Ip;
  /** Source and destination of our packet, as quoted. */
  readonly source: Ip;
  readonly destination: Ip;
  readonly protocol: number;
  /** The quoted transport header: view[transportStart, transportEnd), possibly just 8 bytes. */
  readonly view: DataView;
  readonly transportStart: number;
  readonly transportEnd: number;
  /** The next hop's MTU for `packet-too-big`, in bytes of IP packet; 0 when it was not told. */
  readonly mtu: number;
}
