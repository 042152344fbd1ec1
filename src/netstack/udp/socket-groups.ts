import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Membership } from "../multicast/group-table.ts";
import { ANY_SOURCE, isNoSource, type SourceFilter } from "../multicast/source-filter.ts";
import type { UdpSender } from "./endpoint.ts";

/** The groups that one socket has joined. Bounded by the interfaces' own tables. */
export class SocketGroups {
  readonly #joined: Joined[] = [];

  join(group: Ip, on: Interface, filter: SourceFilter = ANY_SOURCE): boolean {
    if (this.#find(group, on) !== undefined) return false;
    const membership = on.groups.join(group, filter);
    if (membership === null) return false;
    this.#joined.push({ on, membership });
    return true;
  }

  setFilter(group: Ip, on: Interface, filter: SourceFilter): boolean {
    if (isNoSource(filter)) return this.leave(group, on);
    return this.#find(group, on)?.membership.setFilter(filter) ?? false;
  }

  leave(group: Ip, on: Interface): boolean {
    const joined = this.#find(group, on);
    if (joined === undefined) return false;
    this.#joined.splice(this.#joined.indexOf(joined), 1);
    joined.membership.leave();
    return true;
  }

  leaveAll(): void {
    for (const { membership } of this.#joined) membership.leave();
    this.#joined.length = 0;
  }

  /**
   * Whether the socket wants what came from there for that group: it is a member and its filter has no
   * objection (RFC 3376 §3.1), or the group is one of which every node is a member.
   */
  wants(from: UdpSender): boolean {
    for (const { on, membership } of this.#joined) {
      const { group, filter } = membership;
      if (on !== from.interface || !isTo(from, group)) continue;
      return listed(filter.sources, from) === (filter.mode === "include");
    }
    return isAllNodes(from);
  }

  #find(group: Ip, on: Interface): Joined | undefined {
    return this.#joined.find((one) => one.on === on && one.membership.group.equals(group));
  }
}

interface Joined {
  readonly on: Interface;
  readonly membership: Membership;
}

const isTo = ({ d0, d1, d2, d3 }: UdpSender, ip: Ip): boolean =>
  ip.w3 === d3 && ip.w2 === d2 && ip.w1 === d1 && ip.w0 === d0;

function listed(sources: readonly Ip[], { s0, s1, s2, s3 }: UdpSender): boolean {
  for (let i = 0; i < sources.length; i++) {
    const ip = sources[i]!;
    if (ip.w3 === s3 && ip.w2 === s2 && ip.w1 === s1 && ip.w0 === s0) return true;
  }
  return false;
}

/** 224.0.0.1 and ff02::1: nobody joins these (RFC 3376 §6, RFC 3810 §6). */
function isAllNodes({ version, d0, d1, d2, d3 }: UdpSender): boolean {
  if (version === 4) return d3 === (0xe000_0001 | 0);
  return d0 === (0xff02_0000 | 0) && (d1 | d2) === 0 && d3 === 1;
}
