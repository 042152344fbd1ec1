import type { Interface } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import type { Stack } from "../stack.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import { interfaceOf, readHost } from "./host-address.ts";
import { systemError } from "./socket-error.ts";

interface Group {
  readonly group: Ip;
  readonly on: Interface;
  /** Null: of all sources. */
  readonly sources: Ip[] | null;
}

/** The groups of a datagram socket: remembered, because it gets another UDP socket when it connects. */
export class DatagramGroups {
  readonly #stack: Stack;
  readonly #groups: Group[] = [];

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  join(socket: UdpSocket, groupText: string, interfaceText?: string): void {
    const syscall = "addMembership";
    const group = this.#group(groupText, syscall);
    const on = this.#interface(group, interfaceText, syscall);
    if (!socket.joinGroup(group, on)) throw systemError("EADDRINUSE", syscall);
    this.#groups.push({ group, on, sources: null });
  }

  leave(socket: UdpSocket, groupText: string, interfaceText?: string): void {
    const syscall = "dropMembership";
    const group = this.#group(groupText, syscall);
    const on = this.#interface(group, interfaceText, syscall);
    if (!socket.leaveGroup(group, on)) throw systemError("EADDRNOTAVAIL", syscall);
    this.#forget(group, on);
  }

  joinSource(
    socket: UdpSocket,
    sourceText: string,
    groupText: string,
    interfaceText?: string,
  ): void {
    const syscall = "addSourceSpecificMembership";
    const group = this.#group(groupText, syscall);
    const source = this.#address(sourceText, syscall);
    const on = this.#interface(group, interfaceText, syscall);
    const there = this.#find(group, on);
    if (there === undefined) {
      const sources = [source];
      if (!socket.joinGroup(group, on, { mode: "include", sources: [source] })) {
        throw systemError("ENOBUFS", syscall);
      }
      this.#groups.push({ group, on, sources });
      return;
    }
    if (there.sources === null) throw systemError("EINVAL", syscall);
    const sources = [...there.sources, source];
    if (!socket.setGroupFilter(group, on, { mode: "include", sources })) {
      throw systemError("ENOBUFS", syscall);
    }
    there.sources.push(source);
  }

  leaveSource(
    socket: UdpSocket,
    sourceText: string,
    groupText: string,
    interfaceText?: string,
  ): void {
    const syscall = "dropSourceSpecificMembership";
    const group = this.#group(groupText, syscall);
    const source = this.#address(sourceText, syscall);
    const on = this.#interface(group, interfaceText, syscall);
    const sources = this.#find(group, on)?.sources ?? null;
    const at = sources?.findIndex((one) => one.equals(source)) ?? -1;
    if (sources === null || at < 0) throw systemError("EADDRNOTAVAIL", syscall);
    sources.splice(at, 1);
    // A filter without a source leaves the group.
    socket.setGroupFilter(group, on, { mode: "include", sources: [...sources] });
    if (sources.length === 0) this.#forget(group, on);
  }

  /** Joins all of them with another socket. */
  rejoin(socket: UdpSocket): void {
    for (const { group, on, sources } of this.#groups) {
      if (sources === null) socket.joinGroup(group, on);
      else socket.joinGroup(group, on, { mode: "include", sources: [...sources] });
    }
  }

  /** The interface that has this address, or the one that a zone names: `::%eth0`. Null: there is none. */
  interfaceAt(text: string): Interface | null {
    const percent = text.indexOf("%");
    if (percent >= 0) return interfaceOf(this.#stack, text.slice(percent + 1));
    const host = readHost(this.#stack, text);
    if (host === null) return null;
    return this.#stack.interfaces.find(({ addresses }) => addresses.find(host.ip) !== null) ?? null;
  }

  /** Where none is given: by the routing table, else the first that is up. */
  #interface(group: Ip, text: string | undefined, syscall: string): Interface {
    if (text !== undefined && text !== "0.0.0.0" && text !== "::") {
      const found = this.interfaceAt(text);
      if (found === null) throw systemError("ENODEV", syscall);
      return found;
    }
    const path = this.#stack.ip.resolve(group);
    if (typeof path !== "string") return path.interface;
    const up = this.#stack.interfaces.find((one) => one.up && one !== this.#stack.loopback);
    return up ?? this.#stack.loopback;
  }

  #group(text: string, syscall: string): Ip {
    const group = this.#address(text, syscall);
    if (!group.isMulticast) throw systemError("EINVAL", syscall);
    return group;
  }

  #address(text: string, syscall: string): Ip {
    const host = readHost(this.#stack, text);
    if (host === null) throw systemError("EINVAL", syscall);
    return host.ip;
  }

  #find(group: Ip, on: Interface): Group | undefined {
    return this.#groups.find((one) => one.on === on && one.group.equals(group));
  }

  #forget(group: Ip, on: Interface): void {
    const found = this.#find(group, on);
    if (found !== undefined) this.#groups.splice(this.#groups.indexOf(found), 1);
  }
}
