import type { StackContext } from "../context.ts";
import type { Interface } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";

/** Tells the routers of each interface which IPv6 groups we want (RFC 3810, with RFC 2710). */
export class MldHost {
  /** Takes ICMPv6 types 130 and 131 at `ip`. */
  constructor(_context: StackContext, _ip: IpLayer) {}

  /** From now on reports the groups of the interface, whenever it is up. Needs `iface.groups`. */
  attach(_iface: Interface): void {}

  /** The interface is being removed. */
  detach(_iface: Interface): void {}
}
