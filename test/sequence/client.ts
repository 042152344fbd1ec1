import type { SocketAddress } from "../../src/core/address.ts";
import { after, type Instant } from "../../src/core/time.ts";
import type { TimerTarget, Transport } from "../../src/core/transport.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Draw } from "./draw.ts";
import { Outcome } from "./outcome.ts";
import type { ClientPlan } from "./scenario.ts";

/** More connections than this mean that the proxy closes without ever answering. */
const mostConnections = 40;

/** One client: sends its requests in order, on as many connections one after another as it takes. */
export class Client implements TimerTarget {
  readonly plan: ClientPlan;
  readonly transport: Transport;
  readonly outcomes: readonly Outcome[];
  readonly draw: Draw;
  private readonly proxy: SocketAddress;
  private next = 0;
  private connections = 0;
  private current: ClientConnection | null = null;
  done = false;

  constructor(plan: ClientPlan, transport: Transport, proxy: SocketAddress, draw: Draw) {
    this.plan = plan;
    this.transport = transport;
    this.proxy = proxy;
    this.draw = draw;
    this.outcomes = plan.requests.map((request) => new Outcome(request));
  }

  start(): void {
    this.transport.schedule(this, after(this.transport.now(), this.plan.startsAt));
  }

  onTimer(_now: Instant): void {
    this.connect();
  }

  /** The next request to send, or null. */
  peek(): Outcome | null {
    return this.outcomes[this.next] ?? null;
  }

  take(): Outcome | null {
    const outcome = this.peek();
    if (outcome !== null) this.next++;
    return outcome;
  }

  /** The last `count` that were taken were told not to be served (RFC 9112 §9.6): they go once more. */
  putBack(count: number): void {
    this.next -= count;
  }

  /** A connection is gone; what it sent is answered or lost. */
  closed(refused: boolean): void {
    this.current = null;
    const again = this.peek() !== null && !refused && this.connections < mostConnections;
    if (again) this.connect();
    else this.done = true;
  }

  /** Gives everything up. */
  abort(): void {
    this.next = this.outcomes.length;
    this.current?.stream.abort();
  }

  private connect(): void {
    if (this.peek() === null) {
      this.done = true;
      return;
    }
    this.connections++;
    const connection = new ClientConnection(this, this.connections === 1 ? this.plan.leaves : null);
    this.current = connection;
    connection.stream = this.transport.connect(this.proxy, {}, connection);
  }
}
