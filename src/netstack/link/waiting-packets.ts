import type { StackLimits } from "../limits.ts";
import { PACKET_HEADROOM, type Packet } from "../packet.ts";
import type { Neighbor } from "./neighbor.ts";

/**
 * Copies of packets that wait for link addresses (RFC 4861 §7.2.2), of one interface. A neighbour's
 * queue drops its oldest; once all of them hold too many bytes, new packets are dropped.
 */
export class WaitingPackets {
  /** Bytes of memory of all copies. */
  bytes = 0;
  readonly #limits: StackLimits;

  constructor(limits: StackLimits) {
    this.#limits = limits;
  }

  /** False: no room for it, not even in place of the neighbour's oldest. */
  add(neighbor: Neighbor, packet: Packet): boolean {
    const { packetsPerNeighbor, bytesAwaitingNeighbors } = this.#limits;
    const queue = (neighbor.waiting ??= []);
    if (queue.length >= packetsPerNeighbor) this.#dropOldest(queue);
    if (this.bytes + PACKET_HEADROOM + packet.length > bytesAwaitingNeighbors) return false;
    const copy = packet.clone();
    this.bytes += copy.bytes.length;
    queue.push(copy);
    return true;
  }

  /** Takes a neighbour's packets out, oldest first; the array is the caller's. */
  take(neighbor: Neighbor): readonly Packet[] {
    const queue = neighbor.waiting;
    if (queue === null) return NONE;
    neighbor.waiting = null;
    for (const packet of queue) this.bytes -= packet.bytes.length;
    return queue;
  }

  #dropOldest(queue: Packet[]): void {
    const oldest = queue.shift();
    if (oldest !== undefined) this.bytes -= oldest.bytes.length;
  }
}

const NONE: readonly Packet[] = Object.freeze([]);
