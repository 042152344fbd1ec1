import { type ErrorCode, NetError } from "../../core/errors.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import { type UdpOptions, udpError } from "./endpoint.ts";
import type { EphemeralPorts } from "./ephemeral-ports.ts";
import type { Binding, SocketTable } from "./socket-table.ts";

const refuse = (code: ErrorCode, why: string): NetError =>
  new NetError(code, why, { source: "downstream" });

const isPort = (port: number, least: number): boolean =>
  Number.isInteger(port) && port >= least && port <= 65_535;

/** What a socket with these options is bound to, its port chosen; or why it cannot be. */
export function bindingOf(
  options: UdpOptions,
  ip: IpLayer,
  table: SocketTable,
  ports: EphemeralPorts,
): Binding | NetError {
  const local = options.local?.ip ?? null;
  const wished = options.local?.port ?? 0;
  const remote = options.remote ?? null;
  if (!isPort(wished, 0)) return refuse("EINVAL", `no port: ${wished}`);
  if (remote !== null && !isPort(remote.port, 1))
    return refuse("EINVAL", `no port: ${remote.port}`);
  const bound = local === null || local.isUnspecified ? null : local;
  if (bound !== null && !options.transparent && !isOurs(bound, ip)) {
    return refuse("EADDRNOTAVAIL", `${bound} is not an address of this host`);
  }
  // "::" stands for both versions (RFC 3493 §5.3), "0.0.0.0" for IPv4 alone.
  let ipv4 = local === null || local.version === 4 || (bound === null && !options.ipv6Only);
  let ipv6 = local === null || local.version === 6;
  if (local === null && options.ipv6Only) ipv4 = false;
  let localIp = bound;
  if (remote !== null) {
    if (remote.ip.version === 4 ? !ipv4 : !ipv6) {
      return refuse("EINVAL", `a socket bound to ${local} cannot reach ${remote.ip}`);
    }
    ipv4 = remote.ip.version === 4;
    ipv6 = !ipv4;
    const source = bound ?? sourceTo(options, ip);
    if (source instanceof NetError) return source;
    localIp = source;
  }
  const partial = {
    localIp,
    ipv4,
    ipv6,
    remoteIp: remote?.ip ?? null,
    remotePort: remote?.port ?? 0,
    interface: options.interface ?? remote?.interface ?? null,
    reusePort: options.reusePort ?? false,
    reuseAddress: options.reuseAddress ?? false,
  };
  return withPort(partial, wished, table, ports);
}

function withPort(
  binding: Omit<Binding, "localPort">,
  wished: number,
  table: SocketTable,
  ports: EphemeralPorts,
): Binding | NetError {
  if (wished !== 0) {
    const whole = { ...binding, localPort: wished };
    return table.conflicts(whole) ? refuse("EADDRINUSE", `port ${wished} is in use`) : whole;
  }
  const { localIp, remoteIp, remotePort } = binding;
  const localPort = ports.choose(
    localIp,
    remoteIp,
    remotePort,
    (port) => table.on(port).length === 0 && !table.conflicts({ ...binding, localPort: port }),
  );
  if (localPort === 0) return refuse("EADDRINUSE", "all ephemeral ports are in use");
  return { ...binding, localPort };
}

/** Groups and broadcast addresses may be bound to: then only what is sent to them is heard. */
const isOurs = (local: Ip, ip: IpLayer): boolean =>
  local.isMulticast || ip.isBroadcast(local) || ip.isLocal(local);

/** A connected socket has one source for good: the one that the path has now. */
function sourceTo(options: UdpOptions, ip: IpLayer): Ip | NetError {
  const { remote } = options;
  const on = remote!.interface ?? options.interface;
  const path = ip.resolve(remote!.ip, {
    ...(on === undefined ? {} : { interface: on }),
    ...(remote!.source === undefined ? {} : { source: remote!.source }),
  });
  return typeof path === "string" ? udpError(path)! : path.source;
}
