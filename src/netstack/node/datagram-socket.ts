import { EventEmitter } from "node:events";
import { copyBytes } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import type { UdpHandler, UdpOptions, UdpSender, UdpTarget } from "../udp/endpoint.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import { DatagramGroups } from "./datagram-groups.ts";
import {
  alreadyConnected,
  type DatagramOptions,
  type DatagramPart,
  type DatagramType,
  readBindArguments,
  readSendArguments,
  type SendCallback,
  type SendRequest,
} from "./datagram-options.ts";
import { DatagramOutbox } from "./datagram-outbox.ts";
import { DatagramSettings } from "./datagram-settings.ts";
import { type Face, soon } from "./face.ts";
import {
  type AddressInfo,
  familyOf,
  type HostAddress,
  hostText,
  readHost,
} from "./host-address.ts";
import { nodeCode, readPort, systemError, usageError } from "./socket-error.ts";

/** Whence a datagram came. */
export interface RemoteInfo extends AddressInfo {
  /** Bytes of the message. */
  readonly size: number;
}

/** What the socket is bound to, and connected to. */
interface Bound {
  readonly socket: UdpSocket;
  readonly local: HostAddress;
  readonly connected: boolean;
}

/**
 * A UDP socket of a stack with the manners of `dgram.Socket`. Events: `listening`, `message`, `connect`,
 * `error`, `close`. What may be set before `bind` in Node's documents, and more, is remembered until then.
 */
export class DatagramSocket extends EventEmitter implements UdpHandler {
  readonly type: DatagramType;
  readonly #face: Face;
  readonly #options: DatagramOptions;
  readonly #groups: DatagramGroups;
  readonly #settings: DatagramSettings;
  readonly #outbox: DatagramOutbox;
  #bound: Bound | null = null;
  /** A name is being looked up, to be bound to. */
  #binding = false;
  #connecting = false;
  #closed = false;
  /** Sent before there is a socket; bounded as the outbox is. */
  #early: (() => void)[] = [];

  constructor(face: Face, options: DatagramOptions) {
    super();
    if (options.type !== "udp4" && options.type !== "udp6") {
      const text = "Bad socket type specified. Valid types are: udp4, udp6";
      throw usageError("ERR_SOCKET_BAD_TYPE", text, TypeError);
    }
    this.#face = face;
    this.#options = options;
    this.type = options.type;
    this.#groups = new DatagramGroups(face.stack);
    this.#settings = new DatagramSettings(options.recvBufferSize, options.sendBufferSize);
    const limit = face.stack.context.limits.datagramBytes;
    this.#outbox = new DatagramOutbox(limit, (request, error) => this.#sent(request, error));
    options.signal?.addEventListener("abort", () => void (this.#closed || this.close()), {
      once: true,
    });
  }

  bind(port?: number, address?: string, callback?: () => void): this;
  bind(port?: number, callback?: () => void): this;
  bind(callback?: () => void): this;
  bind(options: { port?: number; address?: string }, callback?: () => void): this;
  bind(...args: unknown[]): this {
    this.#checkOpen();
    if (this.#bound !== null || this.#binding) {
      throw usageError("ERR_SOCKET_ALREADY_BOUND", "Socket is already bound");
    }
    const { port, address, callback } = readBindArguments(args);
    if (callback !== null) this.once("listening", callback);
    this.#binding = true;
    this.#withAddress(address ?? this.#anyAddress, (local) => this.#bind(local, port));
    return this;
  }

  /** Only this peer is heard from now on, and sent to. */
  connect(port: number, address?: string | (() => void), callback?: () => void): void {
    this.#checkOpen();
    if (this.#bound?.connected || this.#connecting) throw alreadyConnected();
    const remotePort = readPort(port, "Port", 1);
    const host = typeof address === "string" ? address : this.#ownAddress;
    const listener = typeof address === "function" ? address : callback;
    if (listener !== undefined) this.once("connect", listener);
    this.#connecting = true;
    this.#ensureBound();
    this.#whenBound(() => this.#withAddress(host, (to) => this.#connect(to, remotePort)));
  }

  disconnect(): void {
    const bound = this.#connectedOne();
    bound.socket.close();
    const { port } = bound.socket.local;
    this.#bound = null;
    this.#open(bound.local, port, null);
  }

  send(message: DatagramPart | readonly DatagramPart[], ...args: SendArguments): void;
  send(message: DatagramPart | readonly DatagramPart[], ...args: unknown[]): void {
    this.#checkOpen();
    const connected = this.#bound?.connected === true || this.#connecting;
    const request = readSendArguments(message, args, connected);
    this.#ensureBound();
    this.#whenBound(() => this.#send(request));
  }

  close(callback?: () => void): this {
    this.#checkOpen();
    if (callback !== undefined) this.once("close", callback);
    this.#closed = true;
    this.#bound?.socket.close();
    this.#outbox.clear();
    this.#early = [];
    soon(() => this.emit("close"));
    return this;
  }

  address(): AddressInfo {
    if (this.#bound === null || this.#closed) throw systemError("EBADF", "getsockname");
    const { ip, port } = this.#bound.socket.local;
    return { address: ip.toString(), family: familyOf(ip), port };
  }

  remoteAddress(): AddressInfo {
    const { ip, port } = this.#connectedOne().socket.remote!;
    return { address: ip.toString(), family: familyOf(ip), port };
  }

  addMembership(group: string, multicastInterface?: string): void {
    this.#groups.join(this.#ready(), group, multicastInterface);
  }

  dropMembership(group: string, multicastInterface?: string): void {
    this.#groups.leave(this.#ready(), group, multicastInterface);
  }

  addSourceSpecificMembership(source: string, group: string, multicastInterface?: string): void {
    this.#groups.joinSource(this.#ready(), source, group, multicastInterface);
  }

  dropSourceSpecificMembership(source: string, group: string, multicastInterface?: string): void {
    this.#groups.leaveSource(this.#ready(), source, group, multicastInterface);
  }

  setBroadcast(on: boolean): void {
    this.#settings.broadcast = on;
    this.#apply();
  }

  setTTL(ttl: number): number {
    this.#settings.setHopLimit(ttl);
    this.#apply();
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    this.#settings.setMulticastHopLimit(ttl);
    this.#apply();
    return ttl;
  }

  setMulticastLoopback(on: boolean): boolean {
    this.#settings.multicastLoop = on;
    this.#apply();
    return on;
  }

  /** By its address, or by its name: `::%eth0`. */
  setMulticastInterface(multicastInterface: string): void {
    const any = multicastInterface === "0.0.0.0" || multicastInterface === "::";
    const found = any ? null : this.#groups.interfaceAt(multicastInterface);
    if (found === null && !any) throw systemError("EADDRNOTAVAIL", "setMulticastInterface");
    this.#settings.multicastInterface = found;
    this.#apply();
  }

  getRecvBufferSize(): number {
    return this.#settings.recvBufferSize;
  }

  setRecvBufferSize(size: number): void {
    this.#settings.recvBufferSize = size;
  }

  getSendBufferSize(): number {
    return this.#settings.sendBufferSize;
  }

  setSendBufferSize(size: number): void {
    this.#settings.sendBufferSize = size;
  }

  getSendQueueSize(): number {
    return this.#outbox.size;
  }

  getSendQueueCount(): number {
    return this.#outbox.count;
  }

  /** Nothing to do: what keeps a process alive is the driver of the stack. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => this.close(resolve));
  }

  // UdpHandler

  onMessage(bytes: Uint8Array, start: number, end: number, from: UdpSender): void {
    const size = end - start;
    const message = Buffer.allocUnsafe(size);
    copyBytes(bytes, start, end, message, 0);
    const address = hostText(from.ip, from.interface);
    const family = from.version === 4 ? "IPv4" : "IPv6";
    try {
      this.emit("message", message, { address, family, port: from.port, size });
    } catch (error) {
      this.#face.fault(error);
    }
  }

  onError(cause: NetError): void {
    const error = systemError(nodeCode(cause.code), "recvmsg", { cause });
    soon(() => this.emit("error", error));
  }

  onWritable(): void {
    if (this.#bound !== null) this.#outbox.flush(this.#bound.socket);
  }

  get #anyAddress(): string {
    return this.type === "udp4" ? "0.0.0.0" : "::";
  }

  get #ownAddress(): string {
    return this.type === "udp4" ? "127.0.0.1" : "::1";
  }

  #bind(local: HostAddress, port: number): void {
    if (this.#closed) return;
    this.#binding = false;
    const failure = this.#open(local, port, null);
    if (failure !== null) {
      const address = local.ip.toString();
      const error = systemError(nodeCode(failure.code), "bind", { address, port, cause: failure });
      this.#early = [];
      soon(() => this.emit("error", error));
      return;
    }
    soon(() => {
      if (!this.#closed) this.emit("listening");
    });
    const early = this.#early;
    this.#early = [];
    for (const task of early) task();
  }

  #connect(to: HostAddress, port: number): void {
    const before = this.#bound;
    this.#connecting = false;
    if (before === null || this.#closed) return;
    before.socket.close();
    const local = before.socket.local.port;
    const target = targetOf(to, port);
    const failure = this.#open(before.local, local, target);
    if (failure === null) {
      soon(() => this.emit("connect"));
      return;
    }
    this.#open(before.local, local, null);
    const address = to.ip.toString();
    const error = systemError(nodeCode(failure.code), "connect", { address, port, cause: failure });
    soon(() => this.emit("error", error));
  }

  /** Opens a UDP socket with all that was set; says why where it cannot. */
  #open(local: HostAddress, port: number, remote: UdpTarget | null): NetError | null {
    const { reuseAddr = false, reusePort = false, ipv6Only = false } = this.#options;
    const options: UdpOptions = {
      local: { ip: local.ip, port },
      reuseAddress: reuseAddr,
      reusePort,
      ipv6Only,
      ...(local.interface === null ? {} : { interface: local.interface }),
      ...(remote === null ? {} : { remote }),
    };
    const socket = this.#face.stack.udp.open(options, this);
    if (socket instanceof NetError) return socket;
    this.#bound = { socket, local, connected: remote !== null };
    this.#settings.apply(socket);
    this.#groups.rejoin(socket);
    return null;
  }

  #send(request: SendRequest): void {
    if (this.#bound === null) return;
    if (this.#bound.connected || request.port === 0) {
      this.#outbox.send(this.#bound.socket, { request, target: null });
      return;
    }
    const failed = (error: Error) => this.#answer(request, error);
    const whole = (to: HostAddress) => {
      if (this.#bound === null || this.#closed) return;
      const target = targetOf(to, request.port);
      this.#outbox.send(this.#bound.socket, { request, target });
    };
    this.#withAddress(request.address ?? this.#ownAddress, whole, failed);
  }

  #sent(request: SendRequest, error: Error | null): void {
    soon(() => this.#answer(request, error));
  }

  #answer({ callback, bytes }: SendRequest, error: Error | null): void {
    if (error === null) callback?.(null, bytes.length);
    else if (callback !== null) callback(error);
    else this.emit("error", error);
  }

  /** Calls `task` at once for a literal, and after a lookup for a name. */
  #withAddress(
    host: string,
    task: (address: HostAddress) => void,
    failed: (error: Error) => void = (error) => this.emit("error", error),
  ): void {
    const literal = readHost(this.#face.stack, host);
    if (literal !== null) {
      task(literal);
      return;
    }
    const lookup = this.#options.lookup ?? this.#face.lookup;
    lookup(host, { family: this.type === "udp4" ? 4 : 6, all: false }, (error, address) => {
      if (this.#closed) return;
      const found = error ? null : readHost(this.#face.stack, String(address));
      if (found !== null) task(found);
      else failed(error ?? systemError("EINVAL", "lookup"));
    });
  }

  #ensureBound(): void {
    if (this.#bound === null && !this.#binding) this.bind(0);
  }

  #whenBound(task: () => void): void {
    if (this.#bound !== null && !this.#connecting) task();
    else if (this.#bound !== null) soon(task);
    else this.#early.push(task);
  }

  #ready(): UdpSocket {
    this.#checkOpen();
    this.#ensureBound();
    if (this.#bound === null) throw systemError("EBADF", "addMembership");
    return this.#bound.socket;
  }

  #apply(): void {
    this.#checkOpen();
    if (this.#bound !== null) this.#settings.apply(this.#bound.socket);
  }

  #connectedOne(): Bound {
    this.#checkOpen();
    if (this.#bound?.connected) return this.#bound;
    throw usageError("ERR_SOCKET_DGRAM_NOT_CONNECTED", "Not connected");
  }

  #checkOpen(): void {
    if (this.#closed) throw usageError("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running");
  }
}

type Callbacks = [callback?: SendCallback];
/** What may follow the message. */
export type SendArguments =
  | Callbacks
  | [port: number, ...Callbacks]
  | [port: number, address: string | undefined, ...Callbacks]
  | [offset: number, length: number, ...Callbacks]
  | [offset: number, length: number, port: number, ...Callbacks]
  | [offset: number, length: number, port: number, address: string | undefined, ...Callbacks];

const targetOf = ({ ip, interface: on }: HostAddress, port: number): UdpTarget =>
  on === null ? { ip, port } : { ip, port, interface: on };
