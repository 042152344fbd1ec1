import type { StackContext } from "../context.ts";
import type { Interface, LinkLayer, NetworkInput } from "../interface.ts";
import type { IpLayer, SendVerdict } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import { AddressConflicts } from "./address-conflict.ts";
import { NeighborTable } from "./neighbor-table.ts";

/** Ethernet II (RFC 894, RFC 2464): neighbours are found by ARP and neighbour discovery. */
export class EthernetLink implements LinkLayer {
  readonly neighbors: NeighborTable;
  readonly conflicts: AddressConflicts;

  constructor(_context: StackContext, _iface: Interface, _input: NetworkInput, _ip: IpLayer) {
    this.neighbors = new NeighborTable();
    this.conflicts = new AddressConflicts();
  }

  send(_nextHop: Ip, _packet: Packet): SendVerdict {
    return "unreachable";
  }

  receive(_packet: Packet): void {}

  confirm(nextHop: Ip): void {
    this.neighbors.confirm(nextHop);
  }

  reset(): void {}
}
