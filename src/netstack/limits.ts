import { type Duration, seconds } from "../core/time.ts";

/** Upper bounds of all that peers can make grow. What goes first is said beside each. */
export interface StackLimits {
  /** Neighbours of an interface and family; the least recently used unreferenced one goes. */
  readonly neighbors: number;
  /**
   * Packets that wait for one neighbour's address; the oldest goes (RFC 4861 §7.2.2). No less than the
   * fragments of one datagram, or a long one would never arrive first.
   */
  readonly packetsPerNeighbor: number;
  /** Bytes of packets that wait for addresses, of one interface; beyond it new ones are dropped. */
  readonly bytesAwaitingNeighbors: number;
  /** Bytes of fragments of the whole stack; the oldest datagram goes. */
  readonly fragmentBytes: number;
  readonly fragmentedDatagrams: number;
  /** Of one datagram; beyond it the datagram is dropped. */
  readonly fragmentsPerDatagram: number;
  readonly fragmentTimeout: Duration;
  readonly routes: number;
  readonly defaultRouters: number;
  readonly addressesPerInterface: number;
  readonly groupsPerInterface: number;
  /** Of one membership of a group; a join with more is refused. */
  readonly sourcesPerFilter: number;
  /** Name servers, and search domains, as learnt; the one that would expire first goes. */
  readonly nameServers: number;
  readonly searchDomains: number;
  /** Prefixes that routers announce, of one interface; new ones are ignored. */
  readonly prefixesPerInterface: number;
  /** Host routes made by redirects, of one interface and family; the oldest goes. */
  readonly redirectsPerInterface: number;
  /** Of one DHCP lease; further ones are left out. */
  readonly dhcpRoutes: number;
  /** Paths and path MTUs that are remembered; the oldest goes. */
  readonly paths: number;
  /** ICMP errors, and redirects: of each so many per second, and in one burst. */
  readonly icmpErrorsPerSecond: number;
  readonly icmpErrorBurst: number;
  /** Many, since each answers a packet as long: whoever pings as fast as he is answered loses none. */
  readonly echoRepliesPerSecond: number;
  readonly echoReplyBurst: number;
  /**
   * Connections of the stack, without TIME_WAIT; beyond it SYNs are dropped, `connect` fails. An idle one costs
   * 2 KB. Whatever the common bounds below say, each may queue 16 KiB and one write to send, and 16 KiB
   * that nobody reads, in blocks of up to 18 KiB: so 16,384 connections of which no peer reads cost 0.3 GiB
   * beside `sendBytes` where writes are small, 1.3 GiB where they are of 64 KiB.
   */
  readonly connections: number;
  /** Half-open connections of one listener; beyond it SYN cookies are sent. */
  readonly synBacklog: number;
  /** The oldest is closed early. */
  readonly timeWait: number;
  /** FIN_WAIT_2 without an owner; the oldest is closed early. */
  readonly orphans: number;
  /**
   * Bytes that arrived ahead of gaps, of all connections, and the memory of so many gaps; beyond it such
   * segments are dropped, and have to be sent again.
   */
  readonly aheadBytes: number;
  /**
   * Bytes that are written and not acknowledged, of all connections. As they come near it, each says
   * "full" sooner, down to 16 KiB; what is written all the same is kept.
   */
  readonly sendBytes: number;
  /**
   * Bytes that have arrived in order while their readers are paused, of all connections. As they come near
   * it, each advertises a smaller window, down to 16 KiB for what it has not read; a window that was advertised
   * is not taken back, but beyond the bound only those with less than 16 KiB get more: others' segments are
   * dropped, and have to be sent again.
   */
  readonly receiveBytes: number;
  /** Challenge ACKs a second, of the whole stack (RFC 5961 §10). */
  readonly challengeAcksPerSecond: number;
  /** RSTs to strangers, a second; beyond it such segments are dropped in silence. */
  readonly resetsPerSecond: number;
  readonly sockets: number;
  /** Bytes of datagrams that a socket queues while it is paused; new ones are dropped. */
  readonly datagramBytes: number;
  /** Packets that an interface queues while its device has no room; new ones are dropped. */
  readonly transmitQueue: number;
  /** Packets that wait on the loopback interface; new ones are dropped. */
  readonly loopbackQueue: number;
}

export const DEFAULT_LIMITS: StackLimits = Object.freeze({
  neighbors: 1024,
  packetsPerNeighbor: 256,
  bytesAwaitingNeighbors: 1 << 20,
  fragmentBytes: 4 << 20,
  fragmentedDatagrams: 256,
  fragmentsPerDatagram: 128,
  fragmentTimeout: seconds(30),
  routes: 4096,
  defaultRouters: 16,
  addressesPerInterface: 64,
  groupsPerInterface: 256,
  sourcesPerFilter: 64,
  nameServers: 16,
  searchDomains: 16,
  prefixesPerInterface: 16,
  redirectsPerInterface: 64,
  dhcpRoutes: 64,
  paths: 4096,
  icmpErrorsPerSecond: 1000,
  icmpErrorBurst: 50,
  echoRepliesPerSecond: 50_000,
  echoReplyBurst: 1000,
  connections: 16_384,
  synBacklog: 1024,
  timeWait: 16_384,
  orphans: 4096,
  aheadBytes: 128 << 20,
  sendBytes: 256 << 20,
  receiveBytes: 256 << 20,
  challengeAcksPerSecond: 1000,
  resetsPerSecond: 1000,
  sockets: 65_536,
  datagramBytes: 1 << 20,
  transmitQueue: 1024,
  loopbackQueue: 1024,
});
