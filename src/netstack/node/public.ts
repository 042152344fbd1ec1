/** The entry `millrace/netstack/node`: Node's `net`, `dgram` and `lookup` on a stack. */
export type { ConnectOptions, SocketOptions } from "./connect-options.ts";
export type {
  DatagramOptions,
  DatagramPart,
  DatagramType,
  RemoteInfo,
  SendArguments,
  SendCallback,
} from "./datagram-options.ts";
export type { DatagramSocket } from "./datagram-socket.ts";
export type { AddressInfo, Family } from "./host-address.ts";
export type { ListenOptions } from "./listen-options.ts";
export type {
  HostsTable,
  LookupAddress,
  LookupCallback,
  LookupFunction,
  LookupOptions,
  Resolve,
} from "./lookup.ts";
export {
  type Connect,
  type CreateServer,
  type CreateSocket,
  type Lookup,
  NodeNetwork,
  type NodeNetworkOptions,
  nodeNet,
} from "./node-network.ts";
export type { SocketError } from "./socket-error.ts";
export type { ServerOptions, StackServer } from "./stack-server.ts";
export type { StackSocket } from "./stack-socket.ts";
