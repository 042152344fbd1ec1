import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Delivery, IpLayer, UpperLayer } from "../ip/ip-layer.ts";

/** Tells the routers of each interface which IPv4 groups we want (RFC 3376, with RFC 2236 and RFC 1112). */
export class IgmpHost implements UpperLayer {
  readonly protocol = 2;

  /** Registers itself at `ip`. */
  constructor(_context: StackContext, ip: IpLayer) {
    ip.register(this);
  }

  /** From now on reports the groups of the interface, whenever it is up. Needs `iface.groups`. */
  attach(_iface: Interface): void {}

  /** The interface is being removed. */
  detach(_iface: Interface): void {}

  handlePacket(_inbound: Inbound): Delivery {
    return "taken";
  }

  handleIcmpError(): boolean {
    return false;
  }
}
