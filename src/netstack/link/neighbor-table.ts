import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import { isGroupMac, type Mac } from "../../wire/mac.ts";
import type { StackContext } from "../context.ts";
import type { NeighborState } from "../events.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import { Neighbor, type NeighborOwner } from "./neighbor.ts";
import { NeighborFamily } from "./neighbor-family.ts";
import {
  DELAY_FIRST_PROBE_TIME,
  MAX_MULTICAST_SOLICIT,
  MAX_UNICAST_SOLICIT,
} from "./reachability.ts";
import { WaitingPackets } from "./waiting-packets.ts";

/** How long packets to a neighbour that did not answer are refused before it is asked again. */
const REFUSED = seconds(3);

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

/** The link's side of the table. */
export interface NeighborOutput {
  /** Asks for the neighbour's link address: all who listen, or itself at the address known. */
  solicit(neighbor: Neighbor, cast: "multicast" | "unicast"): void;
  /** Sends an IP packet to the neighbour's link address. */
  deliver(neighbor: Neighbor, packet: Packet): void;
}

/**
 * The neighbours of an interface, of both families, with the states of RFC 4861 §7.3; IPv4 has the
 * same ones over ARP (RFC 1122 §2.3.2.1 (2): unicast polls). What the RFC discards after too many
 * solicitations stays as `failed` for three seconds and then goes. Each family holds at most
 * `limits.neighbors`; `NeighborEviction` says who goes. Entries change in `#enter` alone.
 */
export class NeighborTable implements NeighborOwner {
  readonly #context: StackContext;
  readonly #interface: string;
  readonly #output: NeighborOutput;
  readonly #waiting: WaitingPackets;
  readonly #v4: NeighborFamily;
  readonly #v6: NeighborFamily;
  readonly #listeners: NeighborListener[] = [];

  /** `name`: the interface's, for events. */
  constructor(context: StackContext, name: string, output: NeighborOutput) {
    this.#context = context;
    this.#interface = name;
    this.#output = output;
    this.#waiting = new WaitingPackets(context.limits);
    this.#v4 = new NeighborFamily(context);
    this.#v6 = new NeighborFamily(context);
  }

  watch(listener: NeighborListener): void {
    this.#listeners.push(listener);
  }

  list(): NeighborEntry[] {
    return [...this.#v4.index.all(), ...this.#v6.index.all()].map(
      ({ ip, mac, state, isRouter }) => ({ ip, mac, state, isRouter }),
    );
  }

  /** For the table's users: to be read, not to be kept. */
  find(ip: Ip): Neighbor | null {
    return this.#family(ip).index.find(ip);
  }

  /** Entries of both families. */
  get size(): number {
    return this.#v4.index.size + this.#v6.index.size;
  }

  /** Bytes of memory of packets that wait. */
  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  /**
   * A static entry (`permanent`), in place of a learnt one; false when three quarters of the limit are
   * static already, or the address names a group.
   */
  addStatic(ip: Ip, mac: Mac): boolean {
    const family = this.#family(ip);
    if (!isUsable(mac) || ip.isMulticast) return false;
    const known = family.index.find(ip);
    if (known?.state !== "permanent" && family.eviction.fullOfPermanent) return false;
    const neighbor = known ?? this.#create(family, ip, family.eviction.forOutput());
    if (neighbor === null) return false;
    neighbor.moveTo(mac);
    if (neighbor.state === "permanent") this.#notify(neighbor);
    else this.#enter(neighbor, "permanent");
    this.#flush(neighbor);
    return true;
  }

  /** Removes an entry, static or learnt, and drops what waits for it; false when there is none. */
  remove(ip: Ip): boolean {
    const neighbor = this.find(ip);
    if (neighbor === null) return false;
    this.#discard(neighbor);
    return true;
  }

  /** Forgets all that was learnt. */
  reset(): void {
    for (const family of [this.#v4, this.#v6]) {
      for (const neighbor of family.index.all()) {
        if (neighbor.state !== "permanent") this.#discard(neighbor);
      }
    }
  }

  /**
   * A packet for a neighbour that is not `ready`, or not known (null): `ready` when it may go to the
   * link address after all, `waiting` when a copy waits, `unreachable` when the neighbour has failed
   * lately, or when there is no room for it.
   * @param source ours, of the packet; what the neighbour is asked from
   */
  admit(known: Neighbor | null, ip: Ip, packet: Packet, source: Ip | null): NeighborAdmission {
    const family = this.#family(ip);
    const neighbor = known ?? this.#create(family, ip, family.eviction.forOutput());
    if (neighbor === null) return "unreachable";
    switch (neighbor.state) {
      case "stale":
        // RFC 4861 §7.3.3: time for a hint from above, before it is asked.
        this.#enter(neighbor, "delay");
        return "ready";
      case "failed":
        if (this.#context.now() < neighbor.refusedUntil) return "unreachable";
        break;
      case "incomplete":
        if (known !== null) {
          this.#waiting.add(neighbor, packet);
          return "waiting";
        }
        break;
      default:
        return "ready";
    }
    neighbor.source = source;
    this.#waiting.add(neighbor, packet);
    this.#enter(neighbor, "incomplete");
    return "waiting";
  }

  /** Forward progress was seen through the neighbour (RFC 4861 §7.3.1). Cheap: once per segment. */
  confirm(ip: Ip): void {
    const neighbor = this.find(ip);
    if (neighbor === null) return;
    switch (neighbor.state) {
      case "reachable":
        neighbor.confirmedAt = this.#context.now();
        return;
      case "stale":
      case "delay":
      case "probe":
        this.#enter(neighbor, "reachable");
    }
  }

  /**
   * A neighbour named its link address without being asked: the source link-layer option of a
   * solicitation or router advertisement, the target's of a redirect, an ARP request for us. An
   * unknown one becomes `stale`, a changed address makes it `stale` (RFC 4861 §6.2.6, §6.3.4, §7.2.3, §8.3).
   */
  observe(ip: Ip, mac: Mac): void {
    if (!isUsable(mac) || ip.isMulticast || ip.isUnspecified) return;
    const family = this.#family(ip);
    const known = family.index.find(ip);
    const neighbor = known ?? this.#create(family, ip, family.eviction.forInput());
    if (neighbor === null || neighbor.state === "permanent") return;
    if (neighbor.hasMac && neighbor.isAt(mac)) return;
    this.#learn(neighbor, mac, "stale");
  }

  /** Like `observe`, but only of one that is known already: ARP packets for others (RFC 826). */
  merge(ip: Ip, mac: Mac): void {
    if (this.find(ip) !== null) this.observe(ip, mac);
  }

  /**
   * The rules for advertisements (RFC 4861 §7.2.5), and for ARP replies.
   * @param mac 0 when the advertisement has none
   * @param isRouter null: it does not say (ARP)
   */
  advertise(
    ip: Ip,
    mac: Mac,
    solicited: boolean,
    override: boolean,
    isRouter: boolean | null,
  ): void {
    const neighbor = this.find(ip);
    if (neighbor === null || neighbor.state === "permanent") return;
    if (mac !== 0 && !isUsable(mac)) return;
    if (!neighbor.hasMac) {
      if (mac === 0) return;
      // A late answer of one that has failed is news, but no answer to what is asked now.
      const answered = solicited && neighbor.state === "incomplete";
      if (isRouter !== null) neighbor.isRouter = isRouter;
      this.#learn(neighbor, mac, answered ? "reachable" : "stale");
      return;
    }
    const differs = mac !== 0 && !neighbor.isAt(mac);
    if (differs && !override) {
      if (neighbor.state === "reachable") this.#enter(neighbor, "stale");
      return;
    }
    const flagged = isRouter !== null && isRouter !== neighbor.isRouter;
    if (flagged) neighbor.isRouter = isRouter;
    if (differs) this.#learn(neighbor, mac, solicited ? "reachable" : "stale");
    else if (solicited) this.#enter(neighbor, "reachable", flagged);
    else if (flagged) this.#notify(neighbor);
  }

  /** Sets the IsRouter flag of a known neighbour: a router advertisement came from it, or a redirect names it. */
  setRouter(ip: Ip, isRouter: boolean): void {
    const neighbor = this.find(ip);
    if (neighbor === null || neighbor.isRouter === isRouter) return;
    neighbor.isRouter = isRouter;
    this.#notify(neighbor);
  }

  /** BaseReachableTime for IPv6, from a router advertisement (RFC 4861 §6.3.4). */
  setReachableTime(base: Duration): void {
    this.#v6.reachability.setBase(base, this.#context.now());
  }

  /** RetransTimer for IPv6, likewise. */
  setRetransTimer(time: Duration): void {
    this.#v6.reachability.setRetransTimer(time);
  }

  /** RetransTimer for IPv6 as it is now; duplicate address detection takes it, too. */
  get retransTimer(): Duration {
    return this.#v6.reachability.retransTimer;
  }

  /** The timer of a neighbour. */
  expire(neighbor: Neighbor, now: Instant): void {
    switch (neighbor.state) {
      case "incomplete":
        if (neighbor.probes < MAX_MULTICAST_SOLICIT) this.#solicit(neighbor, now);
        else this.#fail(neighbor, after(now, REFUSED));
        return;
      case "reachable": {
        const { reachability } = this.#family(neighbor.ip);
        const until = after(neighbor.confirmedAt, reachability.reachableTime(now));
        if (now < until) neighbor.timer!.reschedule(until);
        else this.#enter(neighbor, "stale");
        return;
      }
      case "delay":
        this.#enter(neighbor, "probe");
        return;
      case "probe":
        // The RFC discards it, and the next packet begins anew at once.
        if (neighbor.probes < MAX_UNICAST_SOLICIT) this.#solicit(neighbor, now);
        else this.#fail(neighbor, now);
        return;
      case "failed":
        this.#discard(neighbor);
    }
  }

  #family(ip: Ip): NeighborFamily {
    return ip.version === 4 ? this.#v4 : this.#v6;
  }

  /** Null when there is no room and nobody (`victim`) to go for it. Its state is still to be entered. */
  #create(family: NeighborFamily, ip: Ip, victim: Neighbor | null): Neighbor | null {
    if (family.eviction.full) {
      if (victim === null) return null;
      this.#discard(victim);
    }
    const neighbor = new Neighbor(this, ip);
    family.index.add(neighbor);
    return neighbor;
  }

  /** A link address for one that had none or another. */
  #learn(neighbor: Neighbor, mac: Mac, state: "reachable" | "stale"): void {
    neighbor.moveTo(mac);
    this.#enter(neighbor, state, true);
    this.#flush(neighbor);
  }

  #flush(neighbor: Neighbor): void {
    for (const packet of this.#waiting.take(neighbor)) this.#output.deliver(neighbor, packet);
  }

  #fail(neighbor: Neighbor, refusedUntil: Instant): void {
    const packets = this.#waiting.take(neighbor);
    neighbor.forgetMac();
    neighbor.refusedUntil = refusedUntil;
    this.#enter(neighbor, "failed");
    for (const packet of packets) {
      for (const listener of this.#listeners) listener.onUnreachable?.(packet);
    }
  }

  /** `changed`: something else than the state did, and is to be told. */
  #enter(neighbor: Neighbor, state: NeighborState, changed = false): void {
    const now = this.#context.now();
    const { eviction, reachability } = this.#family(neighbor.ip);
    const before = neighbor.state;
    const repeated = before === state && neighbor.list !== null;
    neighbor.state = state;
    neighbor.probes = 0;
    if (!repeated) eviction.place(neighbor);
    neighbor.ready = isReady(state);
    switch (state) {
      case "incomplete":
      case "probe":
        this.#solicit(neighbor, now);
        break;
      case "reachable":
        neighbor.confirmedAt = now;
        this.#setTimer(neighbor, after(now, reachability.reachableTime(now)));
        break;
      case "delay":
        this.#setTimer(neighbor, after(now, DELAY_FIRST_PROBE_TIME));
        break;
      case "failed":
        this.#setTimer(neighbor, after(now, REFUSED));
        break;
      default:
        neighbor.timer?.cancel();
    }
    if (changed || !repeated) this.#notify(neighbor);
  }

  #solicit(neighbor: Neighbor, now: Instant): void {
    neighbor.probes++;
    this.#setTimer(neighbor, after(now, this.#family(neighbor.ip).reachability.retransTimer));
    this.#output.solicit(neighbor, neighbor.state === "probe" ? "unicast" : "multicast");
  }

  #setTimer(neighbor: Neighbor, at: Instant): void {
    if (neighbor.timer === null) neighbor.timer = this.#context.schedule(neighbor, at);
    else neighbor.timer.reschedule(at);
  }

  #discard(neighbor: Neighbor): void {
    const { index, eviction } = this.#family(neighbor.ip);
    index.remove(neighbor);
    if (neighbor.state === "permanent") eviction.releasePermanent();
    eviction.remove(neighbor);
    this.#waiting.take(neighbor);
    neighbor.timer?.cancel();
    neighbor.ready = false;
    this.#context.emit({
      kind: "neighbor-removed",
      interface: this.#interface,
      address: neighbor.ip.toString(),
    });
  }

  #notify(neighbor: Neighbor): void {
    const { ip, state, mac, isRouter } = neighbor;
    this.#context.emit({
      kind: "neighbor-changed",
      interface: this.#interface,
      address: ip.toString(),
      state,
      mac,
    });
    for (const listener of this.#listeners) listener.onState?.(ip, state, isRouter);
  }
}

export type NeighborAdmission = "ready" | "waiting" | "unreachable";

/** A station's address: neither a group's nor missing. */
const isUsable = (mac: Mac): boolean => mac !== 0 && !isGroupMac(mac);

const isReady = (state: NeighborState): boolean =>
  state === "reachable" || state === "delay" || state === "probe" || state === "permanent";
