import { NetError } from "../../core/errors.ts";
import { below } from "../../core/random.ts";
import { Icmpv4Type } from "../../wire/icmpv4.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { IcmpError, IpLayer } from "../ip/ip-layer.ts";
import { type PingHandler, type PingHost, type PingOptions, PingSocket } from "./ping-socket.ts";

/** Identifiers of echo requests are 16 bits. */
const IDENTIFIERS = 0x1_0000;
/** Draws of an identifier before the first free one is looked for. */
const DRAWS = 16;

/**
 * Echo requests and what comes of them (RFC 792, RFC 4443 §4): sockets by their identifier, one
 * identifier a socket, for both versions. Bound: `limits.sockets`, and as many as there are identifiers.
 */
export class PingLayer implements PingHost {
  readonly ip: IpLayer;
  readonly #context: StackContext;
  readonly #sockets = new Map<number, PingSocket>();

  constructor(context: StackContext, ip: IpLayer) {
    this.#context = context;
    this.ip = ip;
    ip.onIcmpv4(Icmpv4Type.echoReply, (inbound) => this.#handleReply(inbound));
    ip.onIcmpv6(Icmpv6Type.echoReply, (inbound) => this.#handleReply(inbound));
    ip.onIcmpError(IpProtocol.icmp, (error) => this.#handleError(error, Icmpv4Type.echoRequest));
    ip.onIcmpError(IpProtocol.icmpv6, (error) => this.#handleError(error, Icmpv6Type.echoRequest));
  }

  /** A socket, or EADDRINUSE for a taken identifier, EINVAL for none, EMFILE for too many sockets. */
  open(options: PingOptions, handler: PingHandler): PingSocket | NetError {
    const { identifier: wished } = options;
    const { limits } = this.#context;
    if (
      wished !== undefined &&
      !(Number.isInteger(wished) && wished >= 0 && wished < IDENTIFIERS)
    ) {
      return new NetError("EINVAL", `no identifier: ${wished}`, { source: "downstream" });
    }
    if (this.#sockets.size >= Math.min(limits.sockets, IDENTIFIERS)) {
      return new NetError("EMFILE", "too many echo sockets", { source: "internal" });
    }
    if (wished !== undefined && this.#sockets.has(wished)) {
      return new NetError("EADDRINUSE", `identifier ${wished} is in use`, { source: "downstream" });
    }
    const socket = new PingSocket(this, wished ?? this.#freeIdentifier(), options, handler);
    this.#sockets.set(socket.identifier, socket);
    return socket;
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  release(socket: PingSocket): void {
    this.#sockets.delete(socket.identifier);
  }

  /** Drawn, so that a stranger's guess at a reply is one in 65,536. */
  #freeIdentifier(): number {
    let candidate = below(this.#context.rng, IDENTIFIERS);
    for (let i = 1; i < DRAWS && this.#sockets.has(candidate); i++) {
      candidate = below(this.#context.rng, IDENTIFIERS);
    }
    while (this.#sockets.has(candidate)) candidate = (candidate + 1) % IDENTIFIERS;
    return candidate;
  }

  #handleReply(inbound: Inbound): void {
    const { packet, payloadStart, payloadEnd } = inbound;
    if (payloadEnd - payloadStart < 8) return;
    const socket = this.#sockets.get(packet.view.getUint16(payloadStart + 4));
    socket?.handleReply(inbound, packet.view.getUint16(payloadStart + 6));
  }

  #handleError(error: IcmpError, request: number): boolean {
    const { view, transportStart, transportEnd } = error;
    if (transportEnd - transportStart < 8 || view.getUint8(transportStart) !== request)
      return false;
    const socket = this.#sockets.get(view.getUint16(transportStart + 4));
    return socket?.handleError(error, view.getUint16(transportStart + 6)) ?? false;
  }
}
