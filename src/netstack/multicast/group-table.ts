import type { StackContext } from "../context.ts";
import { hashWords, IPV6_ALL_NODES, Ip } from "../ip-address.ts";
import {
  ANY_SOURCE,
  isNoSource,
  mergeFilters,
  NO_SOURCE,
  type SourceFilter,
  sameFilter,
} from "./source-filter.ts";

/** 224.0.0.1 (RFC 1112 §7.1). */
export const IPV4_ALL_HOSTS = Ip.v4(0xe000_0001);
/** ff01::1 (RFC 4291 §2.7.1). */
const IPV6_OWN_NODE = Ip.v6(0xff01_0000, 0, 0, 1);

/** Hears of what an interface wants of a group; `NO_SOURCE` before a join and after a leave. */
export interface GroupListener {
  onFilterChanged(group: Ip, before: SourceFilter, after: SourceFilter): void;
}

/**
 * The groups of one interface, of both families. A group is joined as often as there are memberships,
 * each with its own filter; the interface's is made of them. Beyond `limits.groupsPerInterface` groups
 * or `limits.sourcesPerFilter` sources a join is refused: nothing is evicted, since each was asked for
 * by a user of this stack.
 */
export class GroupTable {
  readonly #context: StackContext;
  readonly #interface: string;
  readonly #seed: number;
  readonly #buckets = new Map<number, Group>();
  readonly #listeners: GroupListener[] = [];
  readonly #owner: MembershipOwner;
  #size = 0;

  /** `name`: the interface's, for events. */
  constructor(context: StackContext, name: string) {
    this.#context = context;
    this.#interface = name;
    this.#seed = context.rng.u32() | 0;
    this.#owner = {
      leave: (membership) => this.#drop(membership),
      setFilter: (membership, filter) => this.#setFilter(membership, filter),
    };
    // Every node is a member, and says so to nobody (RFC 3376 §6, RFC 3810 §6).
    for (const group of [IPV4_ALL_HOSTS, IPV6_ALL_NODES, IPV6_OWN_NODE]) {
      this.#insert(group).permanent = true;
    }
  }

  /** Groups, without those of which every node is a member. */
  get size(): number {
    return this.#size;
  }

  watch(listener: GroupListener): void {
    this.#listeners.push(listener);
  }

  /** Null when there is no room, `group` is no group, or the filter wants nothing. */
  join(group: Ip, filter: SourceFilter = ANY_SOURCE): Membership | null {
    const { groupsPerInterface, sourcesPerFilter } = this.#context.limits;
    if (!group.isMulticast || isNoSource(filter) || filter.sources.length > sourcesPerFilter)
      return null;
    let entry = this.#find(group.w0, group.w1, group.w2, group.w3);
    const fresh = entry === null;
    if (entry === null) {
      if (this.#size >= groupsPerInterface) return null;
      entry = this.#insert(group);
      this.#size++;
    }
    const membership = new Membership(this.#owner, group, filter);
    entry.memberships.push(membership);
    if (fresh) this.#emit("group-joined", group);
    this.#merge(entry);
    return membership;
  }

  /** Undoes one plain `join` of that group; false when there is none. */
  leave(group: Ip): boolean {
    const entry = this.#find(group.w0, group.w1, group.w2, group.w3);
    const plain = entry?.memberships.find(({ filter }) => sameFilter(filter, ANY_SOURCE));
    if (plain === undefined) return false;
    plain.leave();
    return true;
  }

  has(group: Ip): boolean {
    return this.#find(group.w0, group.w1, group.w2, group.w3) !== null;
  }

  /** By the words of `Ip`: what every packet to a group asks. */
  hasWords(w0: number, w1: number, w2: number, w3: number): boolean {
    return this.#find(w0, w1, w2, w3) !== null;
  }

  /** What the interface wants of the group. */
  filterOf(group: Ip): SourceFilter {
    return this.#find(group.w0, group.w1, group.w2, group.w3)?.filter ?? NO_SOURCE;
  }

  /** Groups that routers are to know of: all but 224.0.0.1, ff02::1 and those that never leave the node. */
  *reported(version: 4 | 6): Generator<Ip> {
    for (const bucket of this.#buckets.values()) {
      for (let entry: Group | null = bucket; entry !== null; entry = entry.next) {
        if (!entry.permanent && entry.group.version === version && isReported(entry.group)) {
          yield entry.group;
        }
      }
    }
  }

  #insert(group: Ip): Group {
    const key = hashWords(this.#seed, group.w0, group.w1, group.w2, group.w3);
    const entry = new Group(group, this.#buckets.get(key) ?? null);
    this.#buckets.set(key, entry);
    return entry;
  }

  #find(w0: number, w1: number, w2: number, w3: number): Group | null {
    let entry = this.#buckets.get(hashWords(this.#seed, w0, w1, w2, w3)) ?? null;
    for (; entry !== null; entry = entry.next) {
      const { group } = entry;
      if (group.w3 === w3 && group.w2 === w2 && group.w1 === w1 && group.w0 === w0) return entry;
    }
    return null;
  }

  #drop(membership: Membership): void {
    const { group } = membership;
    const entry = this.#find(group.w0, group.w1, group.w2, group.w3);
    const at = entry?.memberships.indexOf(membership) ?? -1;
    if (entry === null || at < 0) return;
    entry.memberships.splice(at, 1);
    if (entry.memberships.length === 0 && !entry.permanent) {
      this.#remove(entry);
      this.#size--;
      this.#emit("group-left", group);
    }
    this.#merge(entry);
  }

  #remove(entry: Group): void {
    const { w0, w1, w2, w3 } = entry.group;
    const key = hashWords(this.#seed, w0, w1, w2, w3);
    let at = this.#buckets.get(key)!;
    if (at === entry) {
      if (entry.next === null) this.#buckets.delete(key);
      else this.#buckets.set(key, entry.next);
      return;
    }
    while (at.next !== entry) at = at.next!;
    at.next = entry.next;
  }

  #setFilter(membership: Membership, filter: SourceFilter): boolean {
    if (filter.sources.length > this.#context.limits.sourcesPerFilter) return false;
    const { group } = membership;
    const entry = this.#find(group.w0, group.w1, group.w2, group.w3);
    if (entry === null || !entry.memberships.includes(membership)) return false;
    // RFC 3376 §2: INCLUDE {} is to leave.
    if (isNoSource(filter)) {
      this.#drop(membership);
      return true;
    }
    membership.filter = filter;
    this.#merge(entry);
    return true;
  }

  #merge(entry: Group): void {
    const before = entry.filter;
    const { memberships } = entry;
    const after =
      memberships.length === 0 ? NO_SOURCE : mergeFilters(memberships.map(({ filter }) => filter));
    entry.filter = after;
    if (entry.permanent || !isReported(entry.group) || sameFilter(before, after)) return;
    for (const listener of this.#listeners) listener.onFilterChanged(entry.group, before, after);
  }

  #emit(kind: "group-joined" | "group-left", group: Ip): void {
    this.#context.emit({ kind, interface: this.#interface, group: group.toString() });
  }
}

/** One join. */
export class Membership {
  readonly group: Ip;
  filter: SourceFilter;
  readonly #owner: MembershipOwner;

  constructor(owner: MembershipOwner, group: Ip, filter: SourceFilter) {
    this.#owner = owner;
    this.group = group;
    this.filter = filter;
  }

  /** May be called again, to no effect. */
  leave(): void {
    this.#owner.leave(this);
  }

  /** INCLUDE {} leaves. False with too many sources, or after a leave: nothing changed. */
  setFilter(filter: SourceFilter): boolean {
    return this.#owner.setFilter(this, filter);
  }
}

interface MembershipOwner {
  leave(membership: Membership): void;
  setFilter(membership: Membership, filter: SourceFilter): boolean;
}

class Group {
  readonly group: Ip;
  readonly memberships: Membership[] = [];
  filter: SourceFilter = NO_SOURCE;
  /** Every node is a member of it. */
  permanent = false;
  /** With the same hash. */
  next: Group | null;

  constructor(group: Ip, next: Group | null) {
    this.group = group;
    this.next = next;
  }
}

/** Not for routers: IPv6 scopes 0 and 1 (RFC 3810 §6). All of IPv4 but all-hosts is reported. */
const isReported = (group: Ip): boolean => group.version === 4 || ((group.w0 >>> 16) & 0xf) > 1;
