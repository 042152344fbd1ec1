import type { UdpTarget, UdpVerdict } from "../udp/endpoint.ts";
import { udpError } from "../udp/endpoint.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import type { SendRequest } from "./datagram-options.ts";
import { nodeCode, type SocketError, systemError } from "./socket-error.ts";

/** A datagram with its destination; null: where the socket is connected to. */
export interface Outgoing {
  readonly request: SendRequest;
  readonly target: UdpTarget | null;
}

/** Told how each datagram fared. */
export type Sent = (request: SendRequest, error: SocketError | null) => void;

/** Datagrams that the interface had no room for, oldest first; beyond `limit` bytes new ones fail. */
export class DatagramOutbox {
  readonly #limit: number;
  readonly #sent: Sent;
  #waiting: Outgoing[] = [];
  /** Bytes that wait. */
  size = 0;

  constructor(limit: number, sent: Sent) {
    this.#limit = limit;
    this.#sent = sent;
  }

  get count(): number {
    return this.#waiting.length;
  }

  send(socket: UdpSocket, outgoing: Outgoing): void {
    const { request } = outgoing;
    if (this.#waiting.length > 0 || this.#try(socket, outgoing) === "full") {
      if (this.size + request.bytes.length > this.#limit) {
        this.#sent(request, systemError("ENOBUFS", "send", placeOf(outgoing)));
        return;
      }
      this.#waiting.push(outgoing);
      this.size += request.bytes.length;
    }
  }

  /** There is room again. */
  flush(socket: UdpSocket): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting;
      if (this.#try(socket, first!) === "full") return;
      this.#waiting.shift();
      this.size -= first!.request.bytes.length;
    }
  }

  clear(): void {
    this.#waiting = [];
    this.size = 0;
  }

  #try(socket: UdpSocket, outgoing: Outgoing): UdpVerdict {
    const { request, target } = outgoing;
    const { bytes } = request;
    const verdict =
      target === null
        ? socket.send(bytes, 0, bytes.length)
        : socket.send(bytes, 0, bytes.length, target);
    if (verdict === "full") return verdict;
    const cause = udpError(verdict);
    const error =
      cause === null
        ? null
        : systemError(nodeCode(cause.code), "send", { ...placeOf(outgoing), cause });
    this.#sent(request, error);
    return verdict;
  }
}

const placeOf = ({ request, target }: Outgoing) =>
  target === null ? {} : { address: target.ip.toString(), port: request.port };
