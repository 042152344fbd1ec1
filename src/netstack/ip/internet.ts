import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface, NetworkInput } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import { Packet } from "../packet.ts";
import { IpCounters } from "./counters.ts";
import type {
  Fragmenting,
  IcmpError,
  IpLayer,
  NoPath,
  Path,
  PathConstraint,
  SendVerdict,
  UpperLayer,
} from "./ip-layer.ts";
import { RoutingTable } from "./routing-table.ts";

/**
 * The IP layer of a stack, both versions: what links hand up and transports send goes through here.
 * Also ICMP, which RFC 792 and RFC 4443 call a part of IP.
 */
export class Internet implements IpLayer, NetworkInput {
  readonly routes: RoutingTable;
  readonly counters4 = new IpCounters();
  readonly counters6 = new IpCounters();
  readonly #scratch: Packet;
  readonly #interfaces: Interface[] = [];

  /** `scratch`: memory in which packets are built; pinned, where the driver can send from it. */
  constructor(context: StackContext, scratch = Packet.allocate()) {
    this.#scratch = scratch;
    this.routes = new RoutingTable(context);
  }

  get interfaces(): readonly Interface[] {
    return this.#interfaces;
  }

  /** Before it comes up: connected routes follow its addresses from now on. */
  addInterface(added: Interface): void {
    this.#interfaces.push(added);
  }

  /** Takes its routes and rules away. */
  removeInterface(removed: Interface): void {
    const at = this.#interfaces.indexOf(removed);
    if (at >= 0) this.#interfaces.splice(at, 1);
    this.routes.removeOf(removed);
  }

  receiveIpv4(_from: Interface, _packet: Packet, _linkGroup: boolean): void {}

  receiveIpv6(_from: Interface, _packet: Packet, _linkGroup: boolean): void {}

  resolve(_destination: Ip, _constraint?: PathConstraint): Path | NoPath {
    return "no-route";
  }

  scratch(): Packet {
    this.#scratch.reset();
    return this.#scratch;
  }

  send(
    _path: Path,
    _packet: Packet,
    _protocol: number,
    _hopLimit: number,
    _trafficClass: number,
    _fragmenting: Fragmenting,
  ): SendVerdict {
    return "unreachable";
  }

  sendOn(
    _out: Interface,
    _source: Ip,
    _destination: Ip,
    _packet: Packet,
    _protocol: number,
    _hopLimit: number,
    _routerAlert: boolean,
  ): SendVerdict {
    return "unreachable";
  }

  sendWhole(_path: Path, _packet: Packet): SendVerdict {
    return "unreachable";
  }

  /**
   * The link gave up on a packet's next hop (RFC 4861 §7.2.2): an ICMP error to who sent it, or, when
   * that was us, to its transport. packet[start, end) is the IP packet.
   */
  undeliverable(_out: Interface, _packet: Packet): void {}

  isLocal(_ip: Ip): boolean {
    return false;
  }

  register(_upper: UpperLayer): void {}

  onIcmpv4(_type: number, _taker: (inbound: Inbound) => void): void {}

  onIcmpv6(_type: number, _taker: (inbound: Inbound) => void): void {}

  onIcmpError(_protocol: number, _taker: (error: IcmpError) => boolean): void {}

  onInbound(_taker: ((inbound: Inbound) => boolean) | null): void {}
}
