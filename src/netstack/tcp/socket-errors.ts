import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import { type ErrorCode, NetError } from "../../core/errors.ts";
import type { NoPath } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";

export const socketAddress = (ip: Ip, port: number): SocketAddress => ({
  kind: "ip",
  ip: ip.toString(),
  port,
});

/** An attempt to connect that failed, with the code that Node's sockets have for it. */
export function connectError(code: ErrorCode, remote: Ip, port: number): NetError {
  const where = formatSocketAddress(socketAddress(remote, port));
  return new NetError(code, `connect ${where}: ${code}`, { source: "upstream", retry: "always" });
}

export function listenError(code: ErrorCode, local: Ip, port: number): NetError {
  const where = formatSocketAddress(socketAddress(local, port));
  return new NetError(code, `listen ${where}: ${code}`, { source: "internal" });
}

/** What `connect` says where IP knows no path. */
export function codeOfNoPath(reason: NoPath): ErrorCode {
  switch (reason) {
    case "no-route":
      return "ENETUNREACH";
    case "no-source":
      return "EADDRNOTAVAIL";
    case "prohibited":
      return "EACCES";
    default:
      return reason satisfies never;
  }
}
