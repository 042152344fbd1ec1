import { EventEmitter } from "node:events";
import { NetError } from "../../core/errors.ts";
import type { StreamHandler } from "../../core/transport.ts";
import type { TcpListener } from "../tcp/listener.ts";
import type { TcpStream } from "../tcp/tcp-stream.ts";
import type { SocketOptions } from "./connect-options.ts";
import { type Face, soon } from "./face.ts";
import { type AddressInfo, familyOf, type HostAddress, readHost } from "./host-address.ts";
import { findHost } from "./host-lookup.ts";
import { type ListenOptions, readListenArguments } from "./listen-options.ts";
import { nodeCode, systemError, usageError } from "./socket-error.ts";
import { StackSocket } from "./stack-socket.ts";

export interface ServerOptions extends Omit<SocketOptions, "signal"> {
  /** Sockets do not read until `resume`. */
  readonly pauseOnConnect?: boolean | undefined;
}

type CloseCallback = (error?: Error) => void;

/** Where `listen` has come to. */
type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "looking-up" }
  | { readonly kind: "listening"; readonly listener: TcpListener };

const IDLE: Phase = { kind: "idle" };

/**
 * A TCP server of a stack with the manners of `net.Server`. Events: `listening`, `connection`, `drop`,
 * `error`, `close`.
 */
export class StackServer extends EventEmitter {
  /** Beyond so many, new connections are closed at once, and `drop` is emitted. */
  maxConnections: number | undefined = undefined;
  /** Node heeds it in clusters alone; here it says nothing either. */
  dropMaxConnection = false;
  readonly #face: Face;
  readonly #options: ServerOptions;
  #phase: Phase = IDLE;
  #connections = 0;

  constructor(face: Face, options: ServerOptions = {}) {
    super();
    this.#face = face;
    this.#options = options;
  }

  get listening(): boolean {
    return this.#phase.kind === "listening";
  }

  /** Addresses are bound within the call; `listening` and `error` come after it. */
  listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(port?: number, backlog?: number, listener?: () => void): this;
  listen(port?: number, listener?: () => void): this;
  listen(listener?: () => void): this;
  listen(options: ListenOptions, listener?: () => void): this;
  listen(...args: unknown[]): this {
    if (this.#phase.kind !== "idle") {
      const text = "Listen method has been called more than once without closing.";
      throw usageError("ERR_SERVER_ALREADY_LISTEN", text);
    }
    const [options, listener] = readListenArguments(args);
    if (listener !== null) this.once("listening", listener);
    const { signal, host } = options;
    if (signal?.aborted) {
      soon(() => this.close());
      return this;
    }
    signal?.addEventListener("abort", () => this.close(), { once: true });
    const address = readHost(this.#face.stack, host ?? "::");
    if (address !== null) this.#bind(address, options);
    else this.#lookUp(host!, options);
    return this;
  }

  address(): AddressInfo | null {
    if (this.#phase.kind !== "listening") return null;
    const { ip, port } = this.#phase.listener;
    return { address: ip.toString(), family: familyOf(ip), port };
  }

  /** No connection more; `close` comes when those that are there have ended. */
  close(callback?: CloseCallback): this {
    const phase = this.#phase;
    if (callback !== undefined) {
      if (phase.kind === "listening") this.once("close", callback);
      else {
        const error = usageError("ERR_SERVER_NOT_RUNNING", "Server is not running.");
        this.once("close", () => callback(error));
      }
    }
    this.#phase = IDLE;
    if (phase.kind === "listening") phase.listener.close();
    this.#closeIfDrained();
    return this;
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    soon(() => callback(null, this.#connections));
    return this;
  }

  /** Nothing to do: what keeps a process alive is the driver of the stack. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.listening) return;
    await new Promise<void>((resolve) => this.close(() => resolve()));
  }

  #lookUp(host: string, options: ListenOptions & { port: number }): void {
    const phase: Phase = { kind: "looking-up" };
    this.#phase = phase;
    findHost(this.#face.stack, host, 0, this.#face.lookup, (error, address) => {
      if (this.#phase !== phase) return;
      this.#phase = IDLE;
      if (address !== null) this.#bind(address, options);
      else this.emit("error", error);
    });
  }

  #bind({ ip }: HostAddress, options: ListenOptions & { port: number }): void {
    const { port, backlog, ipv6Only = false, reusePort = false } = options;
    const queue = backlog === undefined ? {} : { backlog };
    try {
      const listener = this.#face.stack.tcp.listen(
        { ip, port, ipv6Only, reusePort, ...queue },
        (stream) => this.#accept(stream),
        { forget() {}, fault: (error) => this.#face.fault(error) },
      );
      this.#phase = { kind: "listening", listener };
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      this.#failed(error, ip.toString(), port);
      return;
    }
    soon(() => {
      if (this.listening) this.emit("listening");
    });
  }

  #failed(cause: NetError, address: string, port: number): void {
    const error = systemError(nodeCode(cause.code), "listen", { address, port, cause });
    soon(() => this.emit("error", error));
  }

  #accept(stream: TcpStream): StreamHandler {
    if (this.maxConnections !== undefined && this.#connections >= this.maxConnections) {
      return this.#drop(stream);
    }
    const { pauseOnConnect = false } = this.#options;
    const socket = new StackSocket(this.#face, this.#options);
    this.#connections++;
    const end = socket.accept(stream, pauseOnConnect, () => {
      this.#connections--;
      this.#closeIfDrained();
    });
    try {
      this.emit("connection", socket);
    } catch (error) {
      socket.blame(error);
    }
    return end;
  }

  #drop(stream: TcpStream): StreamHandler {
    const { local, remote } = stream;
    stream.close();
    if (local.kind === "ip" && remote.kind === "ip") {
      const family = (ip: string) => (ip.includes(":") ? "IPv6" : "IPv4");
      this.emit("drop", {
        localAddress: local.ip,
        localPort: local.port,
        localFamily: family(local.ip),
        remoteAddress: remote.ip,
        remotePort: remote.port,
        remoteFamily: family(remote.ip),
      });
    }
    return DROPPED;
  }

  #closeIfDrained(): void {
    if (this.#phase.kind !== "idle" || this.#connections > 0) return;
    soon(() => {
      if (this.#phase.kind === "idle" && this.#connections === 0) this.emit("close");
    });
  }
}

/** Owns what was not taken. */
const DROPPED: StreamHandler = {
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};
