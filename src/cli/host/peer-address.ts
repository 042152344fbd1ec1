import { Ip } from "../../netstack/ip-address.ts";
import { masked, Prefix } from "../../netstack/prefix.ts";

/** An address for the other end of the cable: the first of the network that is not ours, or null. */
export function peerAddress(ours: Prefix): Prefix | null {
  const { ip, length } = ours;
  const bits = ip.version === 4 ? 32 : 128;
  if (length === bits) return null;
  const network = masked(ip, length);
  // Of two addresses (RFC 3021, RFC 6164) both are hosts'.
  const first = length === bits - 1 ? 0 : 1;
  const candidate = offset(network, first);
  return new Prefix(candidate.equals(ip) ? offset(network, first + 1) : candidate, length);
}

const offset = (network: Ip, by: number): Ip =>
  Ip.fromWords(network.version, network.w0, network.w1, network.w2, network.w3 + by);
