import { NetError } from "../../core/errors.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import { type RawHandler, type RawHost, type RawOptions, RawSocket } from "./raw-socket.ts";

/**
 * Raw IP sockets: each sees a copy of every packet for us that it asked for, beside the transports.
 * Bound: `limits.sockets`. While none is open, packets pass at no cost.
 */
export class RawLayer implements RawHost {
  readonly ip: IpLayer;
  readonly #context: StackContext;
  #sockets: readonly RawSocket[] = [];

  constructor(context: StackContext, ip: IpLayer) {
    this.#context = context;
    this.ip = ip;
  }

  /** A socket, or EMFILE for too many, EINVAL for no protocol, EADDRNOTAVAIL for no address of ours. */
  open(options: RawOptions, handler: RawHandler): RawSocket | NetError {
    const { protocol, local } = options;
    if (
      protocol !== undefined &&
      !(Number.isInteger(protocol) && protocol >= 0 && protocol <= 255)
    ) {
      return new NetError("EINVAL", `no protocol: ${protocol}`, { source: "downstream" });
    }
    if (local !== undefined && !local.isMulticast && !this.ip.isLocal(local)) {
      const why = `${local} is not an address of this host`;
      return new NetError("EADDRNOTAVAIL", why, { source: "downstream" });
    }
    if (this.#sockets.length >= this.#context.limits.sockets) {
      return new NetError("EMFILE", "too many raw sockets", { source: "internal" });
    }
    const socket = new RawSocket(this, options, handler);
    this.#sockets = [...this.#sockets, socket];
    if (this.#sockets.length === 1) this.ip.onInbound((inbound) => this.#handle(inbound));
    return socket;
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  release(socket: RawSocket): void {
    // A new array: whoever walks the old one goes on undisturbed.
    this.#sockets = this.#sockets.filter((one) => one !== socket);
    if (this.#sockets.length === 0) this.ip.onInbound(null);
  }

  #handle(inbound: Inbound): boolean {
    const sockets = this.#sockets;
    let wanted = false;
    for (let i = 0; i < sockets.length; i++) {
      const socket = sockets[i]!;
      if (!socket.wants(inbound)) continue;
      socket.deliver(inbound);
      // Who listens to all protocols speaks none of them.
      if (socket.protocol !== null && socket.protocol !== IpProtocol.hopByHop) wanted = true;
    }
    return wanted;
  }
}
