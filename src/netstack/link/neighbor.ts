import type { Instant } from "../../core/time.ts";
import type { Timer, TimerTarget } from "../../core/transport.ts";
import type { Mac } from "../../wire/mac.ts";
import type { NeighborState } from "../events.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import type { NeighborList } from "./neighbor-list.ts";

/** Whom a neighbour's timer calls. */
export interface NeighborOwner {
  expire(neighbor: Neighbor, now: Instant): void;
}

/** An entry of the neighbour cache (RFC 4861 §5.1). The table alone changes it. */
export class Neighbor implements TimerTarget {
  readonly ip: Ip;
  state: NeighborState = "incomplete";
  /** Packets may go to its link address without further ado: reachable, delay, probe, permanent. */
  ready = false;
  /** The link address in two halves, as the frame header takes it; both 0 while it is not known. */
  macHigh = 0;
  macLow = 0;
  isRouter = false;
  /** Of ours: whom it was last asked for, so that it learns an address that it will need. */
  source: Ip | null = null;
  /** Solicitations sent in this state. */
  probes = 0;
  /** When it was last known to be reachable. */
  confirmedAt = 0 as Instant;
  /** Of a failed one: until then packets to it are refused at once. */
  refusedUntil = 0 as Instant;
  /** A packet was sent to it since its turn to be evicted last came. */
  used = false;
  waiting: Packet[] | null = null;
  timer: Timer | null = null;
  /** The next one in its bucket. */
  chained: Neighbor | null = null;
  /** The order of eviction. */
  list: NeighborList | null = null;
  older: Neighbor | null = null;
  newer: Neighbor | null = null;
  readonly #owner: NeighborOwner;

  constructor(owner: NeighborOwner, ip: Ip) {
    this.#owner = owner;
    this.ip = ip;
  }

  get hasMac(): boolean {
    return (this.macHigh | this.macLow) !== 0;
  }

  get mac(): Mac | null {
    return this.hasMac ? this.macHigh * 0x1_0000_0000 + (this.macLow >>> 0) : null;
  }

  isAt(mac: Mac): boolean {
    return this.macLow === (mac | 0) && this.macHigh === macHighOf(mac);
  }

  moveTo(mac: Mac): void {
    this.macHigh = macHighOf(mac);
    this.macLow = mac | 0;
  }

  forgetMac(): void {
    this.macHigh = 0;
    this.macLow = 0;
  }

  onTimer(now: Instant): void {
    this.#owner.expire(this, now);
  }
}

/** The first 16 bits; the other 32 are `mac | 0`. */
export const macHighOf = (mac: Mac): number => Math.floor(mac / 0x1_0000_0000);
