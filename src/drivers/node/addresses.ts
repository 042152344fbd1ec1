import type { Socket } from "node:net";
import { type IpAddress, parseIp, type SocketAddress, unmapIp } from "../../core/address.ts";

/** The peer of a Unix stream that is bound to no path. */
const UNNAMED: SocketAddress = { kind: "unix", path: "" };

/** The near end of a connected socket; `otherwise` when it says nothing (Unix, or already gone). */
export function localOf(socket: Socket, otherwise: SocketAddress): SocketAddress {
  return ipOf(socket.localAddress, socket.localPort) ?? otherwise;
}

/** The far end of an accepted socket. */
export function remoteOf(socket: Socket): SocketAddress {
  return ipOf(socket.remoteAddress, socket.remotePort) ?? UNNAMED;
}

/** Before a socket is connected: no address, no port, of the family of its goal. */
export function unboundFor(goal: SocketAddress): SocketAddress {
  if (goal.kind === "unix") return UNNAMED;
  return { kind: "ip", ip: (goal.ip.includes(":") ? "::" : "0.0.0.0") as IpAddress, port: 0 };
}

/** Without its zone, which names an interface of this machine; an IPv4-mapped address as IPv4. */
function ipOf(address: string | undefined, port: number | undefined): SocketAddress | null {
  if (address === undefined || port === undefined) return null;
  const zone = address.indexOf("%");
  const ip = parseIp(zone < 0 ? address : address.slice(0, zone));
  return ip === null ? null : { kind: "ip", ip: unmapIp(ip), port };
}
