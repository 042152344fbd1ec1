import { EventEmitter } from "node:events";
import type { Stack } from "../stack.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import { DatagramGroups } from "./datagram-groups.ts";
import { DatagramSettings } from "./datagram-settings.ts";
import { systemError } from "./socket-error.ts";

/**
 * What of a `dgram.Socket` says how it sends and what it hears: groups, hop limits, buffers. It is
 * remembered, since one such socket has several UDP sockets in its life: none before `bind`, and another
 * after `connect`.
 */
export abstract class TunedDatagramSocket extends EventEmitter {
  readonly #groups: DatagramGroups;
  readonly #settings: DatagramSettings;

  constructor(stack: Stack, recvBufferSize?: number, sendBufferSize?: number) {
    super();
    this.#groups = new DatagramGroups(stack);
    this.#settings = new DatagramSettings(recvBufferSize, sendBufferSize);
  }

  /** The UDP socket as it is, or null. Throws where it is closed. */
  protected abstract current(): UdpSocket | null;

  /** Likewise, bound first where it is not. */
  protected abstract ready(): UdpSocket;

  /** Another UDP socket takes over. */
  protected tune(socket: UdpSocket): void {
    this.#settings.apply(socket);
    this.#groups.rejoin(socket);
  }

  addMembership(group: string, multicastInterface?: string): void {
    this.#groups.join(this.ready(), group, multicastInterface);
  }

  dropMembership(group: string, multicastInterface?: string): void {
    this.#groups.leave(this.ready(), group, multicastInterface);
  }

  addSourceSpecificMembership(source: string, group: string, multicastInterface?: string): void {
    this.#groups.joinSource(this.ready(), source, group, multicastInterface);
  }

  dropSourceSpecificMembership(source: string, group: string, multicastInterface?: string): void {
    this.#groups.leaveSource(this.ready(), source, group, multicastInterface);
  }

  setBroadcast(on: boolean): void {
    this.#settings.broadcast = on;
    this.#apply();
  }

  setTTL(ttl: number): number {
    this.#settings.setHopLimit(ttl);
    this.#apply();
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    this.#settings.setMulticastHopLimit(ttl);
    this.#apply();
    return ttl;
  }

  setMulticastLoopback(on: boolean): boolean {
    this.#settings.multicastLoop = on;
    this.#apply();
    return on;
  }

  /** By its address, or by its name: `::%eth0`. */
  setMulticastInterface(multicastInterface: string): void {
    const any = multicastInterface === "0.0.0.0" || multicastInterface === "::";
    const found = any ? null : this.#groups.interfaceAt(multicastInterface);
    if (found === null && !any) throw systemError("EADDRNOTAVAIL", "setMulticastInterface");
    this.#settings.multicastInterface = found;
    this.#apply();
  }

  getRecvBufferSize(): number {
    return this.#settings.recvBufferSize;
  }

  setRecvBufferSize(size: number): void {
    this.#settings.recvBufferSize = size;
  }

  getSendBufferSize(): number {
    return this.#settings.sendBufferSize;
  }

  setSendBufferSize(size: number): void {
    this.#settings.sendBufferSize = size;
  }

  #apply(): void {
    const socket = this.current();
    if (socket !== null) this.#settings.apply(socket);
  }
}
