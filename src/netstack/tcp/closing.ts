import type { TcpFlow } from "./tcp-flow.ts";
import { expire } from "./time-wait.ts";

/** Flows in the order in which they came, of which there may be so many: then the first is closed. */
export class FlowList {
  #first: TcpFlow | null = null;
  #last: TcpFlow | null = null;
  #size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get first(): TcpFlow | null {
    return this.#first;
  }

  /** Appends the flow, taking it off the list that it is on; returns who has to go, or null. */
  add(flow: TcpFlow): TcpFlow | null {
    flow.list?.remove(flow);
    flow.list = this;
    flow.previous = this.#last;
    if (this.#last === null) this.#first = flow;
    else this.#last.next = flow;
    this.#last = flow;
    this.#size++;
    return this.#size > this.#limit ? this.#first : null;
  }

  remove(flow: TcpFlow): void {
    if (flow.list !== this) return;
    if (flow.previous === null) this.#first = flow.next;
    else flow.previous.next = flow.next;
    if (flow.next === null) this.#last = flow.previous;
    else flow.next.previous = flow.previous;
    flow.previous = null;
    flow.next = null;
    flow.list = null;
    this.#size--;
  }
}

/**
 * Connections that only wait: in TIME_WAIT, and in FIN_WAIT_2 after their user has gone. Both lists are
 * bounded, as a peer can fill them; the oldest goes first, since it has waited longest.
 */
export class ClosingFlows {
  readonly timeWait: FlowList;
  readonly orphans: FlowList;

  constructor(timeWait: number, orphans: number) {
    this.timeWait = new FlowList(Math.max(timeWait, 1));
    this.orphans = new FlowList(Math.max(orphans, 1));
  }

  /** RFC 9293 §3.6.1; Linux: tcp_max_tw_buckets. */
  waits(flow: TcpFlow): void {
    const oldest = this.timeWait.add(flow)?.connection ?? null;
    if (oldest !== null) expire(oldest);
  }

  /** RFC 9293 §3.10.7.4 leaves it open how long FIN_WAIT_2 lasts; Linux: tcp_max_orphans. */
  orphaned(flow: TcpFlow): void {
    this.orphans.add(flow)?.connection?.abort();
  }
}
