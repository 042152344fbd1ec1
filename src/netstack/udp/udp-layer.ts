import { NetError } from "../../core/errors.ts";
import { addSums } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { UdpView } from "../../wire/udp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import type { StackContext } from "../context.ts";
import { inboundPseudoSum } from "../icmp/pseudo-sum.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Delivery, IcmpError, IpLayer, SendVerdict, UpperLayer } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { StackLimits } from "../limits.ts";
import { sumDatagram, writeDatagram } from "./datagram-output.ts";
import { icmpNetError, type UdpHandler, type UdpOptions, UdpSender } from "./endpoint.ts";
import { EphemeralPorts } from "./ephemeral-ports.ts";
import { RoomWaiters } from "./room-waiters.ts";
import { bindingOf } from "./socket-binding.ts";
import { SocketTable, takes } from "./socket-table.ts";
import { type UdpHost, UdpSocket } from "./udp-socket.ts";

/**
 * What a system port gets: `inbound.packet` [start, end) is the datagram's payload. `inbound` has the
 * addresses and the interface.
 */
export type SystemPortHandler = (
  inbound: Inbound,
  sourcePort: number,
  start: number,
  end: number,
) => void;

/** UDP (RFC 768) above IP. */
export class UdpLayer implements UpperLayer, UdpHost {
  readonly protocol = IpProtocol.udp;
  readonly ip: IpLayer;
  readonly limits: StackLimits;
  readonly counters = new UdpCounters();
  readonly #context: StackContext;
  readonly #table: SocketTable;
  readonly #ports: EphemeralPorts;
  readonly #waiters = new RoomWaiters();
  readonly #systemPorts: SystemPort[] = [];
  readonly #view = new UdpView();
  readonly #sender = new UdpSender();

  constructor(context: StackContext, ip: IpLayer) {
    this.ip = ip;
    this.limits = context.limits;
    this.#context = context;
    this.#table = new SocketTable(context);
    this.#ports = new EphemeralPorts(context);
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#table.size;
  }

  /** A socket, or why there is none: EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH, EMFILE, EINVAL. */
  open(options: UdpOptions, handler: UdpHandler): UdpSocket | NetError {
    if (this.#table.size >= this.limits.sockets) {
      return new NetError("EMFILE", "too many sockets", { source: "internal" });
    }
    const binding = bindingOf(options, this.ip, this.#table, this.#ports);
    if (binding instanceof NetError) return binding;
    const sending = {
      broadcast: options.broadcast ?? false,
      transparent: options.transparent ?? false,
      fragmenting: options.fragmenting ?? "allowed",
      target: options.remote ?? null,
    };
    const socket = new UdpSocket(this, binding, sending, handler);
    this.#table.add(socket);
    return socket;
  }

  /**
   * Gives all datagrams to `port` that arrive at `on` to the handler, before any socket: DHCP's 68 and
   * 546. Also those to addresses that are not (yet) ours, see `takeUnassigned`. Returns the release.
   */
  bindSystemPort(on: Interface, port: number, handler: SystemPortHandler): () => void {
    const entry = { on, port, handler };
    this.#systemPorts.push(entry);
    return () => {
      const at = this.#systemPorts.indexOf(entry);
      if (at >= 0) this.#systemPorts.splice(at, 1);
    };
  }

  /**
   * IP asks this of a UDP packet to an address that is not ours, before it forwards or drops it: true
   * when a system port took it (RFC 2131 §4.1: a server may send to the address that it offers).
   */
  takeUnassigned(inbound: Inbound): boolean {
    if (this.#systemPorts.length === 0 || inbound.protocol !== IpProtocol.udp) return false;
    return this.#open(inbound) && this.#giveToSystem(inbound);
  }

  /** Sends bytes[start, end) past routing and sockets, from any source: for DHCP. */
  sendOn(
    out: Interface,
    source: Ip,
    sourcePort: number,
    destination: Ip,
    destinationPort: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): SendVerdict {
    const packet = this.ip.scratch();
    writeDatagram(packet, sourcePort, destinationPort, bytes, start, end);
    sumDatagram(packet, source, destination, false);
    return this.ip.sendOn(out, source, destination, packet, IpProtocol.udp, 0, false);
  }

  handlePacket(inbound: Inbound): Delivery {
    if (!this.#open(inbound)) {
      this.counters.inErrors++;
      return "taken";
    }
    if (this.#systemPorts.length > 0 && this.#giveToSystem(inbound)) return "taken";
    const port = this.#view.destinationPort;
    const from = this.#sender;
    from.fill(inbound, this.#view.sourcePort);
    if (inbound.cast !== "unicast") {
      this.#deliverToAll(inbound, port);
      return "taken";
    }
    const socket = this.#table.find(from, port);
    if (socket === null) {
      this.counters.noPorts++;
      return "port-unreachable";
    }
    this.#deliver(inbound, socket);
    return "taken";
  }

  handleIcmpError(error: IcmpError): boolean {
    const { view, transportStart, transportEnd, source, destination } = error;
    if (transportEnd - transportStart < 4) return false;
    const localPort = view.getUint16(transportStart);
    const remotePort = view.getUint16(transportStart + 2);
    const connected = this.#table.flow(source, localPort, destination, remotePort);
    if (connected !== null) {
      connected.onIcmpError(error, icmpNetError(error));
      return true;
    }
    let known = false;
    for (const socket of this.#table.on(localPort)) {
      const { localIp } = socket.binding;
      if (localIp !== null && !localIp.equals(source)) continue;
      if (socket.closed || !socket.hasSentTo(destination)) continue;
      known = true;
      socket.onIcmpError(error, null);
    }
    return known;
  }

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  awaitRoom(socket: UdpSocket, on: Interface): void {
    this.#waiters.add(socket, on);
  }

  release(socket: UdpSocket): void {
    this.#table.remove(socket);
    this.#waiters.remove(socket);
  }

  /** Puts the view on the datagram; false when it is none, or not as it was sent. */
  #open(inbound: Inbound): boolean {
    const { packet, payloadStart, payloadEnd } = inbound;
    const view = this.#view;
    if (view.wrap(packet.view, payloadStart, payloadEnd) !== "ok") return false;
    if (view.destinationPort === 0) return false;
    if (packet.checksum !== "complete") return true;
    // RFC 768: none was computed; RFC 8200 §8.1: IPv6 does not allow that.
    if (view.checksum === 0) return inbound.version === 4;
    let pseudo = inboundPseudoSum(inbound, IpProtocol.udp);
    const length = payloadEnd - payloadStart;
    // The pseudo header has UDP's own length, which may be less than what IP brought.
    if (view.length !== length) pseudo = addSums(addSums(pseudo, ~length & 0xffff), view.length);
    return view.checksumHolds(pseudo);
  }

  #giveToSystem(inbound: Inbound): boolean {
    const { sourcePort, destinationPort, payloadStart, payloadEnd } = this.#view;
    for (const { on, port, handler } of this.#systemPorts) {
      if (port !== destinationPort || on !== inbound.interface) continue;
      handler(inbound, sourcePort, payloadStart, payloadEnd);
      return true;
    }
    return false;
  }

  /** To every socket that is a member, or, of a broadcast, to every one that is bound to no address. */
  #deliverToAll(inbound: Inbound, port: number): void {
    const from = this.#sender;
    const multicast = inbound.cast === "multicast";
    const flow = this.#table.connected(from, port);
    if (flow !== null && (!multicast || flow.groups.wants(from))) this.#deliver(inbound, flow);
    const sockets = this.#table.on(port);
    // The list is replaced, never changed, when one closes; one that opens meanwhile is not meant.
    const { length } = sockets;
    for (let i = 0; i < length; i++) {
      const socket = sockets[i]!;
      if (!takes(socket.binding, from)) continue;
      if (!multicast || socket.groups.wants(from)) this.#deliver(inbound, socket);
    }
  }

  /** One datagram, or those that a device or driver has merged. */
  #deliver(inbound: Inbound, socket: UdpSocket): void {
    const { packet } = inbound;
    const { payloadStart, payloadEnd } = this.#view;
    const merged = packet.gsoType === GsoType.udpSegments && packet.gsoSize > 0;
    const size = merged ? packet.gsoSize : payloadEnd - payloadStart;
    let at = payloadStart;
    do {
      const stop = payloadEnd - at > size ? at + size : payloadEnd;
      this.counters.inDatagrams++;
      socket.deliver(packet.bytes, at, stop, this.#sender);
      at = stop;
    } while (at < payloadEnd);
  }
}

/** RFC 4113. */
export class UdpCounters {
  inDatagrams = 0;
  /** To a port where nobody listens. */
  noPorts = 0;
  /** Malformed, or with a wrong checksum. */
  inErrors = 0;
}

interface SystemPort {
  readonly on: Interface;
  readonly port: number;
  readonly handler: SystemPortHandler;
}
