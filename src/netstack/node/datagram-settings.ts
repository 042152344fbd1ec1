import type { Interface } from "../interface.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import { systemError } from "./socket-error.ts";

/** Linux's `net.core.rmem_default`. */
const BUFFER = 212_992;

/** What was set on a datagram socket, kept for the UDP sockets that it gets. */
export class DatagramSettings {
  broadcast = false;
  multicastLoop = true;
  multicastInterface: Interface | null = null;
  recvBufferSize: number;
  sendBufferSize: number;
  #hopLimit = 0;
  #multicastHopLimit = 1;

  constructor(recvBufferSize = BUFFER, sendBufferSize = BUFFER) {
    this.recvBufferSize = recvBufferSize;
    this.sendBufferSize = sendBufferSize;
  }

  setHopLimit(ttl: number): void {
    this.#hopLimit = checked(ttl, 1, "setTTL");
  }

  setMulticastHopLimit(ttl: number): void {
    this.#multicastHopLimit = checked(ttl, 0, "setMulticastTTL");
  }

  apply(socket: UdpSocket): void {
    socket.broadcast = this.broadcast;
    socket.hopLimit = this.#hopLimit;
    socket.multicastHopLimit = this.#multicastHopLimit;
    if (socket.multicastLoop !== this.multicastLoop) socket.multicastLoop = this.multicastLoop;
    if (socket.multicastInterface !== this.multicastInterface) {
      socket.multicastInterface = this.multicastInterface;
    }
  }
}

function checked(ttl: number, least: number, syscall: string): number {
  if (Number.isInteger(ttl) && ttl >= least && ttl <= 255) return ttl;
  throw systemError("EINVAL", syscall);
}
