import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import { hashWords, type Ip } from "../ip-address.ts";
import type { UdpSender } from "./endpoint.ts";
import type { UdpSocket } from "./udp-socket.ts";

/** What a socket is bound to, as the table sees it. */
export interface Binding {
  /** Null: all addresses of these versions. */
  readonly localIp: Ip | null;
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly localPort: number;
  readonly remoteIp: Ip | null;
  readonly remotePort: number;
  readonly interface: Interface | null;
  readonly reusePort: boolean;
  readonly reuseAddress: boolean;
}

/**
 * Sockets by what they are bound to: connected ones by all four of the flow, the others by their port.
 * A datagram goes to the one that says most about it: the flow; else our address; else an interface;
 * else the version. Several that say the same share flows by hash where they asked for `reusePort`;
 * otherwise the last one has them all. The hash is seeded.
 */
export class SocketTable {
  readonly #seed: number;
  /** Connected ones: the head of a chain by `next`. */
  readonly #flows = new Map<number, UdpSocket>();
  readonly #ports = new Map<number, UdpSocket[]>();
  #size = 0;

  constructor(context: StackContext) {
    this.#seed = context.rng.u32() | 0;
  }

  get size(): number {
    return this.#size;
  }

  /** Those on a port that are not connected, in the order in which they were bound. */
  on(port: number): readonly UdpSocket[] {
    return this.#ports.get(port) ?? NONE;
  }

  /**
   * Whether the binding would take what another has. A connected socket differs from all that have
   * another flow; others share a port where addresses, versions or interfaces differ, or both agreed.
   */
  conflicts(binding: Binding): boolean {
    const { localIp, localPort, remoteIp, remotePort } = binding;
    if (remoteIp !== null) {
      return this.#flow(localIp!, localPort, remoteIp, remotePort, binding.interface) !== null;
    }
    for (const other of this.on(localPort)) {
      if (overlap(binding, other.binding) && !mayShare(binding, other.binding)) return true;
    }
    return false;
  }

  add(socket: UdpSocket): void {
    const { localIp, localPort, remoteIp, remotePort } = socket.binding;
    this.#size++;
    if (remoteIp !== null) {
      const key = this.#key(localIp!, localPort, remoteIp, remotePort);
      socket.next = this.#flows.get(key) ?? null;
      this.#flows.set(key, socket);
      return;
    }
    const sockets = this.#ports.get(localPort);
    if (sockets === undefined) this.#ports.set(localPort, [socket]);
    else sockets.push(socket);
  }

  remove(socket: UdpSocket): void {
    const { localIp, localPort, remoteIp, remotePort } = socket.binding;
    this.#size--;
    if (remoteIp !== null) {
      const key = this.#key(localIp!, localPort, remoteIp, remotePort);
      this.#unchain(key, socket);
      return;
    }
    const left = this.on(localPort).filter((one) => one !== socket);
    // A new array: whoever walks the old one goes on undisturbed.
    if (left.length === 0) this.#ports.delete(localPort);
    else this.#ports.set(localPort, left);
  }

  /** The socket for what came from `from` to `port`, or null. */
  find(from: UdpSender, port: number): UdpSocket | null {
    return this.connected(from, port) ?? this.#bound(from, port);
  }

  connected(from: UdpSender, port: number): UdpSocket | null {
    if (this.#flows.size === 0) return null;
    const { s0, s1, s2, s3, d0, d1, d2, d3 } = from;
    const local = hashWords(this.#seed, d0, d1, d2, d3);
    const key = hashWords(hashWords(local, s0, s1, s2, s3), 0, 0, port, from.port);
    let socket = this.#flows.get(key) ?? null;
    for (; socket !== null; socket = socket.next) {
      const { binding } = socket;
      if (binding.localPort !== port || binding.remotePort !== from.port) continue;
      if (binding.interface !== null && binding.interface !== from.interface) continue;
      const local = binding.localIp!;
      const remote = binding.remoteIp!;
      if (local.w3 !== d3 || local.w2 !== d2 || local.w1 !== d1 || local.w0 !== d0) continue;
      if (remote.w3 === s3 && remote.w2 === s2 && remote.w1 === s1 && remote.w0 === s0)
        return socket;
    }
    return null;
  }

  /** The connected socket of that flow. */
  flow(local: Ip, localPort: number, remote: Ip, remotePort: number): UdpSocket | null {
    return this.#flow(local, localPort, remote, remotePort, null);
  }

  #bound(from: UdpSender, port: number): UdpSocket | null {
    const sockets = this.#ports.get(port);
    if (sockets === undefined) return null;
    let best: UdpSocket | null = null;
    let bestScore = -1;
    let equals = 0;
    for (let i = 0; i < sockets.length; i++) {
      const socket = sockets[i]!;
      const score = scoreOf(socket.binding, from);
      if (score < 0 || score < bestScore) continue;
      equals = score === bestScore ? equals + 1 : 1;
      bestScore = score;
      best = socket;
    }
    if (best === null || equals === 1 || !best.binding.reusePort) return best;
    return this.#spread(sockets, from, bestScore, equals);
  }

  /** Of the sockets with that score, the one on which the flow's hash falls. */
  #spread(
    sockets: readonly UdpSocket[],
    from: UdpSender,
    score: number,
    count: number,
  ): UdpSocket | null {
    const { s0, s1, s2, s3, d3, port } = from;
    const hash = hashWords(hashWords(this.#seed, s0, s1, s2, s3), 0, 0, d3, port);
    let left = (hash >>> 0) % count;
    for (let i = 0; i < sockets.length; i++) {
      if (scoreOf(sockets[i]!.binding, from) === score && left-- === 0) return sockets[i]!;
    }
    return null;
  }

  #flow(
    local: Ip,
    localPort: number,
    remote: Ip,
    remotePort: number,
    on: Interface | null,
  ): UdpSocket | null {
    const key = this.#key(local, localPort, remote, remotePort);
    let socket = this.#flows.get(key) ?? null;
    for (; socket !== null; socket = socket.next) {
      const { binding } = socket;
      const same = binding.localPort === localPort && binding.remotePort === remotePort;
      if (!same || !binding.localIp!.equals(local) || !binding.remoteIp!.equals(remote)) continue;
      if (on === null || binding.interface === null || binding.interface === on) return socket;
    }
    return null;
  }

  #key(local: Ip, localPort: number, remote: Ip, remotePort: number): number {
    const first = hashWords(this.#seed, local.w0, local.w1, local.w2, local.w3);
    const both = hashWords(first, remote.w0, remote.w1, remote.w2, remote.w3);
    return hashWords(both, 0, 0, localPort, remotePort);
  }

  #unchain(key: number, socket: UdpSocket): void {
    const head = this.#flows.get(key)!;
    if (head !== socket) {
      let before = head;
      while (before.next !== socket) before = before.next!;
      before.next = socket.next;
    } else if (socket.next === null) this.#flows.delete(key);
    else this.#flows.set(key, socket.next);
    socket.next = null;
  }
}

const NONE: readonly UdpSocket[] = [];

/** −1: the datagram is not for it. */
function scoreOf(binding: Binding, from: UdpSender): number {
  if (from.version === 4 ? !binding.ipv4 : !binding.ipv6) return -1;
  let score = binding.ipv4 && binding.ipv6 ? 0 : 1;
  if (binding.interface !== null) {
    if (binding.interface !== from.interface) return -1;
    score += 2;
  }
  const ip = binding.localIp;
  if (ip === null) return score;
  const same = ip.w3 === from.d3 && ip.w2 === from.d2 && ip.w1 === from.d1 && ip.w0 === from.d0;
  return same ? score + 4 : -1;
}

/** Whether it takes what is sent to a group or to all: bound to every address, or to that one. */
export const takes = (binding: Binding, from: UdpSender): boolean => scoreOf(binding, from) >= 0;

function overlap(a: Binding, b: Binding): boolean {
  if (!(a.ipv4 && b.ipv4) && !(a.ipv6 && b.ipv6)) return false;
  if (a.interface !== null && b.interface !== null && a.interface !== b.interface) return false;
  return a.localIp === null || b.localIp === null || a.localIp.equals(b.localIp);
}

const mayShare = (a: Binding, b: Binding): boolean =>
  (a.reusePort && b.reusePort) || (a.reuseAddress && b.reuseAddress);
