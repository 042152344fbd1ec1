import type { StackContext } from "../context.ts";
import type { Interface, LinkLayer, NetworkInput } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import { EthernetLink } from "./ethernet-link.ts";
import { PlainLink } from "./plain-link.ts";

/** The link layer for the medium of the interface's device. */
export function makeLink(
  context: StackContext,
  iface: Interface,
  input: NetworkInput,
  ip: IpLayer,
): LinkLayer {
  if (iface.device.medium === "ethernet") return new EthernetLink(context, iface, input, ip);
  return new PlainLink(iface, input);
}
