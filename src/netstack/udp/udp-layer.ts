import type { NetError } from "../../core/errors.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Delivery, IcmpError, IpLayer, SendVerdict, UpperLayer } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { UdpHandler, UdpOptions } from "./endpoint.ts";
import type { UdpSocket } from "./udp-socket.ts";

/**
 * What a system port gets: view[start, end) is the datagram's payload. `inbound` has the addresses
 * and the interface.
 */
export type SystemPortHandler = (
  inbound: Inbound,
  sourcePort: number,
  start: number,
  end: number,
) => void;

/** UDP (RFC 768) above IP. */
export class UdpLayer implements UpperLayer {
  readonly protocol = IpProtocol.udp;

  constructor(_context: StackContext, _ip: IpLayer) {}

  /** A socket, or why there is none: EADDRINUSE, EADDRNOTAVAIL, ENETUNREACH, EMFILE. */
  open(_options: UdpOptions, _handler: UdpHandler): UdpSocket | NetError {
    throw new RangeError("to come");
  }

  /**
   * Gives all datagrams to `port` that arrive at `on` to the handler, before any socket: DHCP's 68 and
   * 546. Also those to addresses that are not (yet) ours, see `takeUnassigned`. Returns the release.
   */
  bindSystemPort(_on: Interface, _port: number, _handler: SystemPortHandler): () => void {
    throw new RangeError("to come");
  }

  /**
   * IP asks this of a UDP packet to an address that is not ours, before it forwards or drops it: true
   * when a system port took it (RFC 2131 §4.1: a server may send to the address that it offers).
   */
  takeUnassigned(_inbound: Inbound): boolean {
    return false;
  }

  /** Sends bytes[from, to) past routing and sockets, from any source: for DHCP. */
  sendOn(
    _out: Interface,
    _source: Ip,
    _sourcePort: number,
    _destination: Ip,
    _destinationPort: number,
    _bytes: Uint8Array,
    _start: number,
    _end: number,
  ): SendVerdict {
    throw new RangeError("to come");
  }

  handlePacket(_inbound: Inbound): Delivery {
    return "port-unreachable";
  }

  handleIcmpError(_error: IcmpError): boolean {
    return false;
  }
}
