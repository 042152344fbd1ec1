import type { Rng } from "../../core/random.ts";
import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { Interface } from "../interface.ts";
import type { Path } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { MemoryAhead } from "./assembler.ts";
import type { FlowList } from "./closing.ts";
import type { TcpConnection } from "./connection.ts";
import type { TcpEndpoints, TcpHost } from "./host.ts";
import type { TcpListener } from "./listener.ts";
import type { TcpOwner } from "./owner.ts";
import type { QueueMemory } from "./queue-memory.ts";
import type { TcpStateKind } from "./state.ts";
import type { StreamLayer, TcpStream } from "./tcp-stream.ts";

/** What a flow needs of its layer: the connection's host, with the flow named. */
export interface FlowLayer extends StreamLayer {
  now(): Instant;
  readonly rng: Rng;
  readonly memoryAhead: MemoryAhead;
  readonly sendMemory: QueueMemory;
  readonly receiveMemory: QueueMemory;
  schedule(target: TimerTarget, at: Instant): Timer;
  enqueue(flow: TcpFlow): void;
  changed(flow: TcpFlow, before: TcpStateKind): void;
  accepted(flow: TcpFlow): void;
  challengeAllowed(now: Instant): boolean;
}

/**
 * What the layer keeps beside each connection: its place in the tables and lists, and its path. It
 * is the connection's host, so that the connection need not know of it, and while it is half open
 * its owner, so that a flood of SYNs makes no streams.
 */
export class TcpFlow implements TcpHost, TcpOwner {
  readonly layer: FlowLayer;
  readonly local: Ip;
  readonly localPort: number;
  readonly remote: Ip;
  readonly remotePort: number;
  /** Null where there never was one: an attempt to connect that knew no path. */
  connection: TcpConnection | null = null;
  /** What its user holds; null while it is half open. */
  stream: TcpStream | null = null;
  /** Of the 4-tuple; and the next flow of the same bucket. */
  hash = 0;
  chained: TcpFlow | null = null;
  /** In the connection table. */
  tabled = false;
  /** On the list of those that want to transmit, or waiting for a device to have room. */
  queued = false;
  nextQueued: TcpFlow | null = null;
  path: Path | null = null;
  /** The device by which it has to leave, or null. */
  readonly bound: Interface | null;
  /** The path MTU that the connection was told of. */
  mtu = 0;
  /** Sum of the pseudo header without the length. */
  pseudo = 0;
  /** Whose half-open connection this is. */
  listener: TcpListener | null = null;
  /** Its user has gone. */
  orphan = false;
  /** Which bounded list it is on, and its neighbours there. */
  list: FlowList | null = null;
  previous: TcpFlow | null = null;
  next: TcpFlow | null = null;

  constructor(layer: FlowLayer, endpoints: TcpEndpoints, bound: Interface | null) {
    this.layer = layer;
    this.local = endpoints.local;
    this.localPort = endpoints.localPort;
    this.remote = endpoints.remote;
    this.remotePort = endpoints.remotePort;
    this.bound = bound;
  }

  get rng(): Rng {
    return this.layer.rng;
  }

  get memoryAhead(): MemoryAhead {
    return this.layer.memoryAhead;
  }

  get sendMemory(): QueueMemory {
    return this.layer.sendMemory;
  }

  get receiveMemory(): QueueMemory {
    return this.layer.receiveMemory;
  }

  now(): Instant {
    return this.layer.now();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.layer.schedule(target, at);
  }

  wantsTransmit(connection: TcpConnection): void {
    this.connection = connection;
    if (!this.queued) this.layer.enqueue(this);
  }

  onStateChanged(connection: TcpConnection, before: TcpStateKind): void {
    this.connection = connection;
    this.layer.changed(this, before);
  }

  challengeAllowed(now: Instant): boolean {
    return this.layer.challengeAllowed(now);
  }

  onEstablished(): void {
    this.layer.accepted(this);
  }

  // A half-open connection has nothing to tell but that it is established, or over: see `changed`.
  onData(): void {}
  onEnd(): void {}
  onAcknowledged(): void {}
  onClosed(): void {}
}
