/** The entry `millrace/netstack`: a TCP/IP stack that its user drives. */
export { type AddressListener, AddressTable, FOREVER, InterfaceAddress } from "./address-table.ts";
export type { NameServer, NameServerOrigin } from "./autoconf/name-servers.ts";
export { Configuration } from "./configuration.ts";
export type { StackContext } from "./context.ts";
export { type Device, type DeviceOffload, type DevicePort, NO_OFFLOAD } from "./device.ts";
export type { AddressOrigin, AddressState, NeighborState, StackEvent } from "./events.ts";
export type { Cast, Inbound } from "./inbound.ts";
export {
  type FrameTap,
  HOST_SETTINGS,
  type Interface,
  type InterfaceCounters,
  type InterfaceListener,
  type InterfaceSettings,
} from "./interface.ts";
export { orderDestinations } from "./ip/destination-ordering.ts";
export type {
  Delivery,
  IcmpError,
  IcmpErrorKind,
  IpLayer,
  NoPath,
  Path,
  PathConstraint,
  SendVerdict,
  UpperLayer,
} from "./ip/ip-layer.ts";
export {
  MAIN_TABLE,
  type Route,
  type RouteKind,
  type RouteOrigin,
  type RouteSpec,
} from "./ip/route.ts";
export { MAIN_RULE, type Rule } from "./ip/routing-rules.ts";
export { Ip } from "./ip-address.ts";
export { DEFAULT_LIMITS, type StackLimits } from "./limits.ts";
export type { NeighborEntry } from "./link/neighbor-table.ts";
export {
  type ChecksumState,
  MAX_FRAME,
  PACKET_HEADROOM,
  Packet,
} from "./packet.ts";
export type { PingHandler, PingOptions, PingSocket, PingVerdict } from "./ping/ping-socket.ts";
export { Prefix } from "./prefix.ts";
export { Capture, type CaptureOptions } from "./raw/capture.ts";
export { type InjectVerdict, type PacketHandler, PacketSocket } from "./raw/packet-socket.ts";
export type { RawHandler, RawOptions, RawSocket, RawVerdict } from "./raw/raw-socket.ts";
export type { SipKey } from "./siphash.ts";
export { Stack } from "./stack.ts";
export type {
  AddressEntry,
  InterfaceOptions,
  ListedNeighbor,
  NeighborOptions,
  RouteEntry,
  RouteOptions,
  RuleOptions,
  StackOptions,
} from "./stack-options.ts";
export { StackTransport, type StackTransportOptions } from "./stack-transport.ts";
export type { CongestionName } from "./tcp/congestion/congestion-control.ts";
export type { TcpInfo } from "./tcp/info.ts";
export type { TcpAcceptor, TcpListener } from "./tcp/listener.ts";
export { DEFAULT_TCP, type TcpSettings } from "./tcp/settings.ts";
export type { TcpConnectOptions, TcpListenOptions } from "./tcp/tcp-layer.ts";
export type { TcpStream } from "./tcp/tcp-stream.ts";
export type {
  UdpEndpoint,
  UdpHandler,
  UdpOptions,
  UdpTarget,
  UdpVerdict,
} from "./udp/endpoint.ts";
export type { UdpSocket } from "./udp/udp-socket.ts";
