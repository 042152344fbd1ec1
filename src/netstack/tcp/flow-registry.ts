import type { Rng } from "../../core/random.ts";
import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { MemoryAhead } from "./assembler.ts";
import { ClosingFlows } from "./closing.ts";
import { ConnectionTable } from "./connection-table.ts";
import { type Deferred, DeferredList } from "./deferred.ts";
import type { TcpEndpoints } from "./host.ts";
import { QueueMemory } from "./queue-memory.ts";
import { RateLimit } from "./rate-limit.ts";
import type { TcpStateKind } from "./state.ts";
import { type FlowLayer, TcpFlow } from "./tcp-flow.ts";
import { type StreamKeeper, TcpStream } from "./tcp-stream.ts";
import type { TransmitQueue } from "./transmit-queue.ts";

/** All flows of a stack: makes them, follows their states, and forgets them. */
export class FlowRegistry implements FlowLayer {
  readonly rng: Rng;
  readonly memoryAhead: MemoryAhead;
  readonly sendMemory: QueueMemory;
  readonly receiveMemory: QueueMemory;
  readonly table: ConnectionTable;
  readonly closing: ClosingFlows;
  readonly #context: StackContext;
  readonly #queue: TransmitQueue;
  readonly #keeper: StreamKeeper;
  readonly #deferred = new DeferredList();
  readonly #challenges: RateLimit;

  constructor(context: StackContext, queue: TransmitQueue, keeper: StreamKeeper) {
    const { limits, rng } = context;
    this.rng = rng;
    this.memoryAhead = new MemoryAhead(limits.aheadBytes);
    this.sendMemory = new QueueMemory(limits.sendBytes);
    this.receiveMemory = new QueueMemory(limits.receiveBytes);
    this.#context = context;
    this.#queue = queue;
    this.#keeper = keeper;
    this.table = new ConnectionTable(rng);
    this.closing = new ClosingFlows(limits.timeWait, limits.orphans);
    this.#challenges = new RateLimit(rng, limits.challengeAcksPerSecond);
  }

  /** Whether one more connection is allowed; those in TIME_WAIT do not count. */
  get hasRoom(): boolean {
    return this.table.size - this.closing.timeWait.size < this.#context.limits.connections;
  }

  create(endpoints: TcpEndpoints, bound: Interface | null): TcpFlow {
    const flow = new TcpFlow(this, endpoints, bound);
    this.table.add(flow);
    return flow;
  }

  /** Forgets a flow that never came to have a connection. */
  discard(flow: TcpFlow): void {
    this.table.remove(flow);
  }

  // StreamLayer

  defer(what: Deferred): void {
    this.#deferred.add(what);
    this.#context.wake();
  }

  get hasDeferred(): boolean {
    return this.#deferred.size > 0;
  }

  runDeferred(): void {
    this.#deferred.run();
  }

  orphaned(flow: TcpFlow): void {
    flow.orphan = true;
    if (flow.connection?.state.kind === "FinWait2") this.closing.orphaned(flow);
  }

  // FlowLayer

  now(): Instant {
    return this.#context.now();
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#context.schedule(target, at);
  }

  enqueue(flow: TcpFlow): void {
    this.#queue.add(flow);
  }

  challengeAllowed(now: Instant): boolean {
    return this.#challenges.allows(now);
  }

  changed(flow: TcpFlow, before: TcpStateKind): void {
    switch (flow.connection!.state.kind) {
      case "Established":
        // The peer has answered us: the neighbour is reachable (RFC 4861 §7.3.1).
        flow.path?.confirm();
        break;
      case "FinWait2":
        if (flow.orphan) this.closing.orphaned(flow);
        break;
      case "TimeWait":
        this.closing.waits(flow);
        break;
      case "Closed":
        flow.list?.remove(flow);
        flow.listener = null;
        this.table.remove(flow);
        break;
      default:
        if (before === "FinWait2") flow.list?.remove(flow);
    }
  }

  /** A connection that a listener began is established. */
  accepted(flow: TcpFlow): void {
    const { listener, connection } = flow;
    flow.list?.remove(flow);
    flow.listener = null;
    if (connection === null) return;
    if (listener === null || listener.closed) {
      connection.abort();
      return;
    }
    const stream = new TcpStream(this.#keeper, flow, null);
    flow.stream = stream;
    connection.owner = stream;
    listener.onEstablished(stream);
  }
}
