import { copyBytes } from "../../core/bytes.ts";
import { NetError } from "../../core/errors.ts";
import type { UdpHandler, UdpOptions, UdpSender, UdpTarget } from "../udp/endpoint.ts";
import type { UdpSocket } from "../udp/udp-socket.ts";
import {
  alreadyConnected,
  type DatagramOptions,
  type DatagramPart,
  type DatagramType,
  readBindArguments,
  readSendArguments,
  type SendArguments,
  type SendRequest,
} from "./datagram-options.ts";
import { DatagramOutbox } from "./datagram-outbox.ts";
import { TunedDatagramSocket } from "./datagram-tuning.ts";
import { type Face, soon } from "./face.ts";
import { type AddressInfo, familyOf, type HostAddress, hostText } from "./host-address.ts";
import { findHost } from "./host-lookup.ts";
import { nodeCode, readPort, systemError, usageError } from "./socket-error.ts";

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
export class DatagramSocket extends TunedDatagramSocket implements UdpHandler {
  readonly type: DatagramType;
  readonly #face: Face;
  readonly #options: DatagramOptions;
  readonly #outbox: DatagramOutbox;
  #bound: Bound | null = null;
  /** `bind` was called, and its name is being looked up. */
  #binding = false;
  /** Begins to connect once the socket is bound. */
  #connect: (() => void) | null = null;
  #closed = false;
  /** Sent before the socket was bound, or connected. */
  #early: SendRequest[] = [];
  #earlyBytes = 0;

  constructor(face: Face, options: DatagramOptions) {
    super(face.stack, options.recvBufferSize, options.sendBufferSize);
    if (options.type !== "udp4" && options.type !== "udp6") {
      const text = "Bad socket type specified. Valid types are: udp4, udp6";
      throw usageError("ERR_SOCKET_BAD_TYPE", text, TypeError);
    }
    this.#face = face;
    this.#options = options;
    this.type = options.type;
    const limit = face.stack.context.limits.datagramBytes;
    this.#outbox = new DatagramOutbox(limit, (request, error) => this.#sent(request, error));
    const { signal } = options;
    const abort = () => void (this.#closed || this.close());
    if (signal?.aborted) soon(abort);
    else signal?.addEventListener("abort", abort, { once: true });
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
    this.#withAddress(
      address ?? this.#anyAddress,
      (local) => this.#bind(local, port),
      (error) => {
        this.#binding = false;
        this.emit("error", error);
      },
    );
    return this;
  }

  /** Only this peer is heard from now on, and sent to. */
  connect(port: number, address?: string | (() => void), callback?: () => void): void {
    this.#checkOpen();
    if (this.#bound?.connected || this.#connect !== null) throw alreadyConnected();
    const remotePort = readPort(port, "Port", 1);
    const host = typeof address === "string" ? address : this.#ownAddress;
    const listener = typeof address === "function" ? address : callback;
    if (listener !== undefined) this.once("connect", listener);
    this.#connect = () =>
      this.#withAddress(
        host,
        (to) => this.#connected(this.#connectTo(to, remotePort)),
        (error) => this.#connected(error),
      );
    if (this.#bound !== null) this.#connect();
    else this.#ensureBound();
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
    const connecting = this.#connect !== null;
    const connected = connecting || this.#bound?.connected === true;
    const request = readSendArguments(message, args, connected);
    this.#ensureBound();
    if (this.#bound !== null && this.#connect === null) this.#send(request);
    else this.#sendLater(request);
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
    if (this.#connect === null) this.#sendEarly();
    else this.#connect();
  }

  /** Opens another UDP socket, which has a peer. Gives the error where that cannot be. */
  #connectTo(to: HostAddress, port: number): Error | null {
    const before = this.#bound!;
    before.socket.close();
    const local = before.socket.local.port;
    const target = targetOf(to, port);
    const failure = this.#open(before.local, local, target);
    if (failure === null) return null;
    this.#open(before.local, local, null);
    const address = to.ip.toString();
    return systemError(nodeCode(failure.code), "connect", { address, port, cause: failure });
  }

  /** Or failed to. */
  #connected(error: Error | null): void {
    this.#connect = null;
    soon(() => {
      if (error !== null) this.emit("error", error);
      else if (!this.#closed) this.emit("connect");
    });
    this.#sendEarly();
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
    this.tune(socket);
    return null;
  }

  #sendLater(request: SendRequest): void {
    const { length } = request.bytes;
    if (this.#earlyBytes + length > this.#face.stack.context.limits.datagramBytes) {
      this.#sent(request, systemError("ENOBUFS", "send"));
      return;
    }
    this.#early.push(request);
    this.#earlyBytes += length;
  }

  #sendEarly(): void {
    this.#earlyBytes = 0;
    for (const request of this.#early.splice(0)) this.#send(request);
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

  #withAddress(
    host: string,
    task: (address: HostAddress) => void,
    failed: (error: Error) => void,
  ): void {
    const { lookup = this.#face.lookup } = this.#options;
    const family = this.type === "udp4" ? 4 : 6;
    const found = (error: Error | null, address: HostAddress | null) => {
      if (this.#closed) return;
      if (address !== null) task(address);
      else failed(error!);
    };
    findHost(this.#face.stack, host, family, lookup, found);
  }

  #ensureBound(): void {
    if (this.#bound === null && !this.#binding) this.bind(0);
  }

  protected override current(): UdpSocket | null {
    this.#checkOpen();
    return this.#bound?.socket ?? null;
  }

  protected override ready(): UdpSocket {
    this.#checkOpen();
    this.#ensureBound();
    if (this.#bound === null) throw systemError("EBADF", "getsockname");
    return this.#bound.socket;
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

const targetOf = ({ ip, interface: on }: HostAddress, port: number): UdpTarget =>
  on === null ? { ip, port } : { ip, port, interface: on };
