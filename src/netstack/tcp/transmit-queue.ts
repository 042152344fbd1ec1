import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import type { IpLayer, NoPath, Path, SendVerdict } from "../ip/ip-layer.ts";
import type { TcpConnection } from "./connection.ts";
import { OutgoingSegment } from "./outgoing-segment.ts";
import { offer, pseudoSum, type SegmentSender, segmentRoom } from "./segment-sender.ts";
import { codeOfNoPath, connectError } from "./socket-errors.ts";
import type { TcpFlow } from "./tcp-flow.ts";

/** Packets of one connection before it is the next one's turn: of 64 KiB each with offload. */
const BURST = 4;
/** Flows that wait for devices, from which on those that have closed meanwhile are looked for. */
const MANY_BLOCKED = 256;
/** Packets in one run; then the driver has its turn. */
const MOST_PACKETS = 4_096;

/**
 * The connections that want to transmit, in turn. One whose device has no room waits until it has.
 * Finds the path of each, again when it is no longer valid, and tells it of a changed MTU.
 */
export class TransmitQueue implements TimerTarget {
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #sender: SegmentSender;
  readonly #segment = new OutgoingSegment();
  #first: TcpFlow | null = null;
  #last: TcpFlow | null = null;
  readonly #blocked: TcpFlow[] = [];
  #blockedLimit = MANY_BLOCKED;
  readonly #watched = new WeakSet<Interface>();
  #again: Timer | null = null;

  constructor(context: StackContext, ip: IpLayer, sender: SegmentSender) {
    this.#context = context;
    this.#ip = ip;
    this.#sender = sender;
  }

  get empty(): boolean {
    return this.#first === null;
  }

  /** Flows whose device has no room. */
  get blocked(): number {
    return this.#blocked.length;
  }

  /** The flow is polled in the next run; once, however often it is said. */
  add(flow: TcpFlow): void {
    if (flow.queued) return;
    flow.queued = true;
    this.#append(flow);
    this.#context.wake();
  }

  /** Sends what the connections let out, as far as devices have room. */
  flush(now: Instant): void {
    let left = MOST_PACKETS;
    while (this.#first !== null && left > 0) {
      const flow = this.#first;
      this.#first = flow.nextQueued;
      if (this.#first === null) this.#last = null;
      flow.nextQueued = null;
      left -= this.#transmit(flow, now);
    }
    if (this.#first !== null) this.runAgain();
  }

  /** Has the driver call `run` at once, also from within one. */
  runAgain(): void {
    const at = this.#context.now();
    if (this.#again === null) this.#again = this.#context.schedule(this, at);
    else this.#again.reschedule(at);
  }

  /** The run itself is all that was wanted. */
  onTimer(): void {}

  /** The flow's path, as it is now. */
  pathOf(flow: TcpFlow): Path | NoPath {
    if (flow.path?.valid) return flow.path;
    const found = this.#ip.resolve(
      flow.remote,
      flow.bound === null ? { source: flow.local } : { source: flow.local, interface: flow.bound },
    );
    flow.path = typeof found === "string" ? null : found;
    return found;
  }

  /** A turn of one flow; returns how many packets it took. */
  #transmit(flow: TcpFlow, now: Instant): number {
    const connection = flow.connection!;
    const path = this.pathOf(flow);
    for (let count = 0; count < BURST; count++) {
      if (typeof path === "string") {
        if (!this.#drop(flow, connection, now)) return this.#done(flow, count);
        this.#noPath(flow, path);
        continue;
      }
      if (flow.mtu !== path.mtu) this.#mtuChanged(flow, path);
      const verdict = this.#sendOne(flow, connection, path, now);
      if (verdict === "full") {
        this.#block(flow, path.interface);
        return count + 1;
      }
      if (verdict === null) return this.#done(flow, count);
      if (verdict === "unreachable") break; // perhaps there is another path: asked for in its next turn
    }
    this.#append(flow);
    return BURST;
  }

  /** Null when there was nothing to send. */
  #sendOne(flow: TcpFlow, connection: TcpConnection, path: Path, now: Instant): SendVerdict | null {
    const packet = this.#sender.scratch();
    const segment = this.#segment;
    offer(segment, path);
    if (!connection.pollTransmit(now, packet, segment)) return null;
    const verdict = this.#sender.send(path, packet, flow.pseudo, segment.ecn);
    if (verdict === "full") return verdict;
    // Too big: the path MTU has shrunk meanwhile. It counts as lost, and `setMss` brings it back.
    connection.committed(now, segment);
    if (verdict === "unreachable" && connection.state.kind === "SynSent") {
      flow.stream?.failConnect(connectError("EHOSTUNREACH", flow.remote, flow.remotePort));
    }
    return verdict;
  }

  /** Without a path a segment is as good as lost: the connection goes on by its timers. */
  #drop(flow: TcpFlow, connection: TcpConnection, now: Instant): boolean {
    const packet = this.#sender.scratch();
    this.#segment.gso = false;
    this.#segment.maxSegment = Math.max(flow.mtu - 60, 8);
    if (!connection.pollTransmit(now, packet, this.#segment)) return false;
    connection.committed(now, this.#segment);
    return true;
  }

  #noPath(flow: TcpFlow, reason: NoPath): void {
    if (flow.connection?.state.kind !== "SynSent") return;
    flow.stream?.failConnect(connectError(codeOfNoPath(reason), flow.remote, flow.remotePort));
  }

  /** RFC 1191 §6.4, RFC 8201 §5.4. */
  #mtuChanged(flow: TcpFlow, path: Path): void {
    flow.mtu = path.mtu;
    flow.connection!.setMss(segmentRoom(path));
  }

  /** Notes the path of a flow whose connection is about to be made, with `receivableRoom`. */
  adopt(flow: TcpFlow, path: Path): void {
    flow.path = path;
    flow.mtu = path.interface.mtu;
    flow.pseudo = pseudoSum(flow.local, flow.remote);
  }

  #done(flow: TcpFlow, count: number): number {
    flow.queued = false;
    return count + 1;
  }

  #append(flow: TcpFlow): void {
    if (this.#last === null) this.#first = flow;
    else this.#last.nextQueued = flow;
    this.#last = flow;
  }

  /** The flow stays `queued`, so that it is nowhere else while it waits. */
  #block(flow: TcpFlow, by: Interface): void {
    if (this.#blocked.length >= this.#blockedLimit) this.#forgetClosed();
    this.#blocked.push(flow);
    if (this.#watched.has(by)) return;
    this.#watched.add(by);
    const release = () => this.#release(by);
    by.watch({ onReady: release, onDown: release });
  }

  /** So that no more wait than there are connections, however long a device is full. */
  #forgetClosed(): void {
    let kept = 0;
    for (const flow of this.#blocked) {
      if (flow.tabled) this.#blocked[kept++] = flow;
      else flow.queued = false;
    }
    this.#blocked.length = kept;
    this.#blockedLimit = Math.max(MANY_BLOCKED, 2 * kept);
  }

  #release(by: Interface): void {
    let kept = 0;
    let released = 0;
    for (const flow of this.#blocked) {
      if (flow.path !== null && flow.path.interface !== by) this.#blocked[kept++] = flow;
      else {
        this.#append(flow);
        released++;
      }
    }
    this.#blocked.length = kept;
    if (released > 0) this.#context.wake();
  }
}
