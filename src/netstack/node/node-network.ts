import type { Stack } from "../stack.ts";
import type { ConnectOptions, SocketOptions } from "./connect-options.ts";
import type { DatagramOptions, DatagramType, RemoteInfo } from "./datagram-options.ts";
import { DatagramSocket } from "./datagram-socket.ts";
import type { Face } from "./face.ts";
import {
  type HostsTable,
  type LookupCallback,
  type LookupFunction,
  type LookupOptions,
  Names,
  type Resolve,
  readLookupArguments,
} from "./lookup.ts";
import { type ServerOptions, StackServer } from "./stack-server.ts";
import { StackSocket } from "./stack-socket.ts";

export interface NodeNetworkOptions {
  /** Addresses of names; `localhost` needs no entry. */
  readonly hosts?: HostsTable;
  /** Asked for names that `hosts` lacks. Without it there are none. */
  readonly resolve?: Resolve;
  /**
   * Told of what listeners of `connection`, `data`, `message` and the like throw. Where left out, it is
   * an uncaught exception, as with Node's own sockets.
   */
  readonly onFault?: (error: unknown) => void;
}

/** As `net.connect`. */
export interface Connect {
  (options: ConnectOptions, listener?: () => void): StackSocket;
  (port: number, listener?: () => void): StackSocket;
  (port: number, host: string, listener?: () => void): StackSocket;
}

/** As `net.createServer`. */
export interface CreateServer {
  (listener?: (socket: StackSocket) => void): StackServer;
  (options: ServerOptions, listener?: (socket: StackSocket) => void): StackServer;
}

/** As `dgram.createSocket`. */
export type CreateSocket = (
  type: DatagramType | DatagramOptions,
  listener?: (message: Buffer, from: RemoteInfo) => void,
) => DatagramSocket;

/** As `dns.lookup`. */
export interface Lookup extends LookupFunction {
  (hostname: string, options: LookupOptions, callback: LookupCallback): void;
  (hostname: string, family: number, callback: OneAddress): void;
  (hostname: string, callback: OneAddress): void;
}

type OneAddress = (error: Error | null, address: string, family: number) => void;

/**
 * Node's `net`, `dgram` and `dns.lookup` on a stack. Its functions need no `this`, so they can be handed
 * on as they are: `http.request({ createConnection: network.connect })`.
 */
export class NodeNetwork {
  readonly stack: Stack;
  readonly connect: Connect;
  readonly createConnection: Connect;
  readonly createServer: CreateServer;
  readonly createSocket: CreateSocket;
  readonly lookup: Lookup;
  readonly #face: Face;

  constructor(stack: Stack, options: NodeNetworkOptions = {}) {
    const names = new Names(stack, options.hosts ?? {}, options.resolve ?? null);
    this.stack = stack;
    this.lookup = (hostname: string, second: unknown, third?: unknown) => {
      const [read, callback] = readLookupArguments(second, third);
      names.lookup(hostname, read, callback);
    };
    const face = { stack, lookup: this.lookup, fault: options.onFault ?? uncaught };
    this.#face = face;
    this.connect = (...args: unknown[]) => connectSocket(face, args);
    this.createConnection = this.connect;
    this.createServer = (...args: unknown[]) => createServer(face, args);
    this.createSocket = (type, listener) => {
      const socket = new DatagramSocket(face, typeof type === "string" ? { type } : type);
      return listener === undefined ? socket : socket.on("message", listener);
    };
  }

  /** As `new net.Socket()`: not connected yet. */
  socket(options?: SocketOptions): StackSocket {
    return new StackSocket(this.#face, options);
  }
}

/** The faces of a stack that Node programs know. */
export const nodeNet = (stack: Stack, options?: NodeNetworkOptions): NodeNetwork =>
  new NodeNetwork(stack, options);

function connectSocket(face: Face, args: readonly unknown[]): StackSocket {
  const [first, ...rest] = args;
  const options = (typeof first === "object" && first !== null ? first : {}) as ConnectOptions;
  const socket = new StackSocket(face, options);
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(...([first, ...rest] as Parameters<StackSocket["connect"]>));
}

function createServer(face: Face, args: readonly unknown[]): StackServer {
  const [first, second] = args;
  const listener = typeof first === "function" ? first : second;
  const options = typeof first === "object" && first !== null ? (first as ServerOptions) : {};
  const server = new StackServer(face, options);
  if (typeof listener === "function") server.on("connection", (socket) => listener(socket));
  return server;
}

/** An unhandled rejection: Node makes an uncaught exception of it. */
function uncaught(error: unknown): void {
  void Promise.reject(error);
}
