import type { Duration } from "../../core/time.ts";
import type { Mac } from "../../wire/mac.ts";
import type { NeighborState } from "../events.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";

/** What is known of a neighbour, as `list` tells it. */
export interface NeighborEntry {
  readonly ip: Ip;
  /** Null while it is not known. */
  readonly mac: Mac | null;
  readonly state: NeighborState;
  readonly isRouter: boolean;
}

/** Hears of neighbours after the change. */
export interface NeighborListener {
  /** A state or the IsRouter flag changed (RFC 4861 §5.1). */
  onState?(ip: Ip, state: NeighborState, isRouter: boolean): void;
  /**
   * An IP packet that waited for a neighbour who did not answer: packet[start, end), the caller's. IP
   * tells its sender (RFC 4861 §7.2.2: address unreachable, RFC 1812 §5.2.7.1: host unreachable).
   */
  onUnreachable?(packet: Packet): void;
}

/** The neighbours of an interface, of both families. */
export class NeighborTable {
  watch(_listener: NeighborListener): void {}

  list(): NeighborEntry[] {
    return [];
  }

  find(_ip: Ip): NeighborEntry | null {
    return null;
  }

  /** A static entry (`permanent`); false when there are as many as the limit allows. */
  addStatic(_ip: Ip, _mac: Mac): boolean {
    return false;
  }

  /** Removes an entry, static or learnt; false when there is none. */
  remove(_ip: Ip): boolean {
    return false;
  }

  /** Forward progress was seen through the neighbour (RFC 4861 §7.3.1). */
  confirm(_ip: Ip): void {}

  /**
   * A neighbour named its link address without being asked: the source link-layer option of a
   * solicitation or router advertisement, the target's of a redirect, an ARP request for us. An
   * unknown one becomes `stale`, a changed address makes it `stale` (RFC 4861 §6.2.6, §6.3.4, §7.2.3, §8.3).
   */
  observe(_ip: Ip, _mac: Mac): void {}

  /** Sets the IsRouter flag of a known neighbour: a router advertisement came from it, or a redirect names it. */
  setRouter(_ip: Ip, _isRouter: boolean): void {}

  /** BaseReachableTime for IPv6, from a router advertisement (RFC 4861 §6.3.4). */
  setReachableTime(_base: Duration): void {}

  /** RetransTimer for IPv6, likewise. */
  setRetransTimer(_time: Duration): void {}

  /** RetransTimer for IPv6 as it is now; duplicate address detection takes it, too. */
  get retransTimer(): Duration {
    return 1_000_000 as Duration;
  }
}
