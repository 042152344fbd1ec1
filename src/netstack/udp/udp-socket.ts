import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { SourceFilter } from "../multicast/source-filter.ts";
import type { UdpEndpoint, UdpVerdict } from "./endpoint.ts";

/** A UDP socket; made by `UdpLayer.open`. */
export interface UdpSocket {
  readonly local: UdpEndpoint;
  readonly remote: UdpEndpoint | null;
  /** TTL or hop limit; 0: the interface's. For groups the next two count instead. */
  hopLimit: number;
  /** DSCP and ECN of what is sent. */
  trafficClass: number;
  /** IP_MULTICAST_TTL: 1 unless set. */
  multicastHopLimit: number;
  /** IP_MULTICAST_IF; null: by the routing table. */
  multicastInterface: Interface | null;
  /** IP_MULTICAST_LOOP: members on this host get what we send to the group. */
  multicastLoop: boolean;
  broadcast: boolean;
  /** Datagrams lost because the queue of a paused socket was full. */
  readonly dropped: number;
  /** Bytes of payload that wait while the socket is paused. */
  readonly queued: number;
  readonly closed: boolean;
  /** Sends bytes[start, end) as one datagram; they may be used again when it returns. */
  send(bytes: Uint8Array, start: number, end: number, to?: UdpEndpoint): UdpVerdict;
  /**
   * Sends bytes[start, end) as datagrams of `size` bytes, the last with the rest. `full`: the first
   * `segmentBytesSent` bytes went, the rest did not.
   */
  sendSegments(
    bytes: Uint8Array,
    start: number,
    end: number,
    size: number,
    to?: UdpEndpoint,
  ): UdpVerdict;
  readonly segmentBytesSent: number;
  /** False when the interface has no room for the group, or the socket is a member already. */
  joinGroup(group: Ip, on: Interface, filter?: SourceFilter): boolean;
  /** Whose packets to a group that was joined are wanted from now on. */
  setGroupFilter(group: Ip, on: Interface, filter: SourceFilter): boolean;
  leaveGroup(group: Ip, on: Interface): boolean;
  /** No `onMessage` until `resume`; datagrams queue up to `limits.datagramBytes`, later ones are lost. */
  pause(): void;
  resume(): void;
  close(): void;
}
