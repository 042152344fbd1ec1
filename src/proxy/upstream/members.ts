import { formatSocketAddress, type IpAddress, type SocketAddress } from "../../core/address.ts";
import type { EndpointSettings } from "../settings.ts";

/** One address that the configuration and the resolver together give to an upstream. */
export interface Member {
  /** As configured: "host:port" or "unix:path". */
  readonly name: string;
  readonly address: SocketAddress;
  readonly weight: number;
  /** As configured, where it speaks TLS; null: in plain. */
  readonly secured: EndpointSettings["target"] | null;
}

/**
 * The members by key, in the order of the configuration and, within a name, of the resolver. A key is
 * all that makes connections interchangeable: the address, whether TLS is spoken, and the name as well,
 * since that may be sent as the Host and in SNI. A DNS name's weight goes to each of its addresses. What
 * is configured twice is one member with the sum of the weights.
 */
export function listMembers(
  endpoints: readonly EndpointSettings[],
  addressesOf: (host: string) => readonly IpAddress[],
): ReadonlyMap<string, Member> {
  const members = new Map<string, Member>();
  for (const { target, weight, tls = false } of endpoints) {
    const name = nameOf(target);
    for (const address of expand(target, addressesOf)) {
      const key = `${tls ? "tls" : "plain"} ${name} ${formatSocketAddress(address)}`;
      const sum = weight + (members.get(key)?.weight ?? 0);
      members.set(key, { name, address, weight: sum, secured: tls ? target : null });
    }
  }
  return members;
}

/** "host:port" or "unix:path". */
export const nameOf = (target: EndpointSettings["target"]): string =>
  target.kind === "name" ? `${target.host}:${target.port}` : formatSocketAddress(target);

function expand(
  target: EndpointSettings["target"],
  addressesOf: (host: string) => readonly IpAddress[],
): readonly SocketAddress[] {
  if (target.kind !== "name") return [target];
  const distinct = new Set(addressesOf(target.host));
  return [...distinct].map((ip) => ({ kind: "ip", ip, port: target.port }));
}
