import { checkRange } from "../../core/bytes.ts";
import type { NetError } from "../../core/errors.ts";
import type { Interface } from "../interface.ts";
import type { Fragmenting, IcmpError, IpLayer, NoPath, Path } from "../ip/ip-layer.ts";
import { anyOf, IPV6_ANY, type Ip } from "../ip-address.ts";
import type { StackLimits } from "../limits.ts";
import type { SourceFilter } from "../multicast/source-filter.ts";
import { sendDatagram, sendTrain, stopAfterTrain } from "./datagram-output.ts";
import { DatagramQueue } from "./datagram-queue.ts";
import type { UdpEndpoint, UdpHandler, UdpSender, UdpTarget, UdpVerdict } from "./endpoint.ts";
import { RecentPaths } from "./recent-paths.ts";
import { SocketGroups } from "./socket-groups.ts";
import type { Binding } from "./socket-table.ts";

/** What a socket needs of its layer. */
export interface UdpHost {
  readonly ip: IpLayer;
  readonly limits: StackLimits;
  /** A handler threw. */
  fault(error: unknown): void;
  /** Calls `onRoom` of the socket once the interface has room. */
  awaitRoom(socket: UdpSocket, on: Interface): void;
  release(socket: UdpSocket): void;
}

/** How a socket sends, beside what it is bound to. */
export interface SendingOptions {
  readonly broadcast: boolean;
  readonly transparent: boolean;
  readonly fragmenting: Fragmenting;
  /** Where a connected one sends to. */
  readonly target: UdpTarget | null;
}

/** A UDP socket; made by `UdpLayer.open`. */
export class UdpSocket {
  handler: UdpHandler;
  readonly binding: Binding;
  readonly fragmenting: Fragmenting;
  /** TTL or hop limit; 0: the interface's. For groups `multicastHopLimit` counts instead. */
  hopLimit = 0;
  /** DSCP and ECN of what is sent. */
  trafficClass = 0;
  /** IP_MULTICAST_TTL: 1 unless set (RFC 1112 §6.1). */
  multicastHopLimit = 1;
  /** SO_BROADCAST. */
  broadcast: boolean;
  /** With the same flow hash; the table's. */
  next: UdpSocket | null = null;
  /** Of the last `sendSegments`: the bytes that went. */
  segmentBytesSent = 0;
  readonly groups = new SocketGroups();
  readonly #host: UdpHost;
  readonly #paths: RecentPaths;
  readonly #target: UdpTarget | null;
  readonly #transparent: boolean;
  readonly #queue: DatagramQueue;
  /** Not where it is bound to a group or a broadcast address: those are no sources. */
  readonly #boundSource: Ip | null;
  #multicastInterface: Interface | null = null;
  #multicastLoop = true;
  #paused = false;
  #draining = false;
  #closed = false;

  constructor(host: UdpHost, binding: Binding, options: SendingOptions, handler: UdpHandler) {
    this.#host = host;
    this.binding = binding;
    this.handler = handler;
    this.broadcast = options.broadcast;
    this.fragmenting = options.fragmenting;
    this.#transparent = options.transparent;
    this.#target = options.target;
    this.#paths = new RecentPaths(host.ip);
    this.#queue = new DatagramQueue(host.limits.datagramBytes);
    const { localIp } = binding;
    const isSource = localIp !== null && !localIp.isMulticast && !host.ip.isBroadcast(localIp);
    this.#boundSource = isSource ? localIp : null;
  }

  /** An unspecified address where it is bound to none: `::` stands for both versions. */
  get local(): UdpEndpoint {
    const { localIp, localPort, ipv6 } = this.binding;
    return { ip: localIp ?? (ipv6 ? IPV6_ANY : anyOf(4)), port: localPort };
  }

  get remote(): UdpEndpoint | null {
    const { remoteIp, remotePort } = this.binding;
    return remoteIp === null ? null : { ip: remoteIp, port: remotePort };
  }

  /** Datagrams lost because the queue of the paused socket was full. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Bytes of payload that wait while the socket is paused. */
  get queued(): number {
    return this.#queue.bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** IP_MULTICAST_IF; null: by the routing table. */
  get multicastInterface(): Interface | null {
    return this.#multicastInterface;
  }

  set multicastInterface(on: Interface | null) {
    this.#multicastInterface = on;
    this.#paths.clear();
  }

  /** IP_MULTICAST_LOOP: members on this host get what we send to the group. */
  get multicastLoop(): boolean {
    return this.#multicastLoop;
  }

  set multicastLoop(loop: boolean) {
    this.#multicastLoop = loop;
    this.#paths.clear();
  }

  /**
   * Sends bytes[start, end) as one datagram; they may be used again when it returns. A connected
   * socket needs no `to`. Throws a RangeError for bytes that are not there.
   */
  send(bytes: Uint8Array, start: number, end: number, to?: UdpTarget): UdpVerdict {
    checkRange(bytes, start, end);
    const path = this.#pathTo(to);
    if (typeof path === "string") return path;
    const port = (to ?? this.#target!).port;
    const verdict = sendDatagram(this.#host.ip, this, path, port, bytes, start, end);
    if (verdict === "full") this.#host.awaitRoom(this, path.interface);
    return verdict;
  }

  /**
   * Sends bytes[start, end) as datagrams of `size` bytes, the last with the rest: many of them in one
   * pass through the layers. Where it does not say `sent`, the first `segmentBytesSent` bytes went.
   * Throws a RangeError for bytes that are not there, and for a size below 1.
   */
  sendSegments(
    bytes: Uint8Array,
    start: number,
    end: number,
    size: number,
    to?: UdpTarget,
  ): UdpVerdict {
    checkRange(bytes, start, end);
    if (!(size >= 1)) throw new RangeError(`datagrams of ${size} bytes`);
    this.segmentBytesSent = 0;
    const path = this.#pathTo(to);
    if (typeof path === "string") return path;
    const port = (to ?? this.#target!).port;
    let at = start;
    do {
      const stop = stopAfterTrain(path, at, end, size);
      const verdict = sendTrain(this.#host.ip, this, path, port, bytes, at, stop, size);
      if (verdict !== "sent") {
        if (verdict === "full") this.#host.awaitRoom(this, path.interface);
        return verdict;
      }
      this.segmentBytesSent = stop - start;
      at = stop;
    } while (at < end);
    return "sent";
  }

  /** False when the interface has no room for the group, or the socket is a member already. */
  joinGroup(group: Ip, on: Interface, filter?: SourceFilter): boolean {
    return !this.#closed && this.groups.join(group, on, filter);
  }

  /** Whose packets to a group that was joined are wanted from now on. */
  setGroupFilter(group: Ip, on: Interface, filter: SourceFilter): boolean {
    return this.groups.setFilter(group, on, filter);
  }

  leaveGroup(group: Ip, on: Interface): boolean {
    return this.groups.leave(group, on);
  }

  /** No `onMessage` until `resume`; datagrams queue up to `limits.datagramBytes`, later ones are lost. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#draining) return;
    this.#draining = true;
    try {
      while (!this.#paused && !this.#queue.isEmpty) {
        const { bytes, from } = this.#queue.shift();
        this.#tell(bytes, 0, bytes.length, from);
      }
    } finally {
      this.#draining = false;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#paused = true;
    this.#queue.clear();
    this.#paths.clear();
    this.groups.leaveAll();
    this.#host.release(this);
  }

  /** The layer's: a datagram came. */
  deliver(bytes: Uint8Array, start: number, end: number, from: UdpSender): void {
    if (this.#closed) return;
    if (this.#paused || !this.#queue.isEmpty) this.#queue.push(bytes, start, end, from);
    else this.#tell(bytes, start, end, from);
  }

  /** The layer's: an ICMP error about what was sent; `reason`: what a connected socket hears of it. */
  onIcmpError(error: IcmpError, reason: NetError | null): void {
    try {
      this.handler.onIcmpError?.(error);
      if (reason !== null && !this.#closed) this.handler.onError(reason);
    } catch (fault) {
      this.#host.fault(fault);
    }
  }

  /** The layer's: an interface that said `full` has room. */
  onRoom(): void {
    if (this.#closed) return;
    try {
      this.handler.onWritable?.();
    } catch (error) {
      this.#host.fault(error);
    }
  }

  /** Whether this socket has sent there lately: what an ICMP error has to be about (RFC 5927 §4). */
  hasSentTo(destination: Ip): boolean {
    return this.#paths.has(destination);
  }

  #tell(bytes: Uint8Array, start: number, end: number, from: UdpSender): void {
    try {
      this.handler.onMessage(bytes, start, end, from);
    } catch (error) {
      this.#host.fault(error);
    }
  }

  #pathTo(to: UdpTarget | undefined): Path | UdpVerdict {
    if (this.#closed) return "closed";
    const target = to ?? this.#target;
    if (target === null) return "no-destination";
    const { ip } = target;
    if (ip.version === 4 ? !this.binding.ipv4 : !this.binding.ipv6) return "mismatch";
    const group = ip.isMulticast;
    const on =
      target.interface ?? this.binding.interface ?? (group ? this.#multicastInterface : null);
    const source = target.source ?? this.#boundSource;
    const path = this.#paths.known(ip, on, source) ?? this.#resolve(ip, on, source, group);
    if (typeof path === "string") return path;
    return path.nextHop.isLimitedBroadcast && !this.broadcast ? "denied" : path;
  }

  #resolve(ip: Ip, on: Interface | null, source: Ip | null, group: boolean): Path | NoPath {
    return this.#paths.find(ip, on, source, {
      ...(on === null ? {} : { interface: on }),
      ...(source === null ? {} : { source }),
      ...(this.#transparent ? { anySource: true } : {}),
      ...(group && !this.#multicastLoop ? { multicastLoop: false } : {}),
    });
  }
}
