import { chmodSync, unlinkSync } from "node:fs";
import {
  connect,
  createServer,
  type ListenOptions as NodeListenOptions,
  type Server,
  type Socket,
} from "node:net";
import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import type { Listener, ListenOptions } from "../../core/transport.ts";
import { nodeError } from "./node-error.ts";
import { resetSocket } from "./stream.ts";

const BACKLOG = 4096;

/**
 * A listener over net.Server. Node cannot stop accepting, so a paused listener holds the sockets that
 * come, unread, up to its backlog; those past it are reset.
 */
export class NodeListener implements Listener {
  readonly address: SocketAddress;
  readonly #server: Server;
  readonly #backlog: number;
  readonly #accept: (socket: Socket) => void;
  readonly #onClose: (listener: NodeListener) => void;
  readonly #held: Socket[] = [];
  #paused = false;
  #closed = false;

  constructor(
    server: Server,
    address: SocketAddress,
    backlog: number,
    accept: (socket: Socket) => void,
    onClose: (listener: NodeListener) => void,
  ) {
    this.#server = server;
    this.address = address;
    this.#backlog = backlog;
    this.#accept = accept;
    this.#onClose = onClose;
    server.on("connection", (socket) => this.#onConnection(socket));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    setImmediate(() => this.#acceptHeld());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#held.splice(0)) resetSocket(socket);
    this.#onClose(this);
  }

  #onConnection(socket: Socket): void {
    if (this.#closed) resetSocket(socket);
    else if (!this.#paused && this.#held.length === 0) this.#accept(socket);
    else if (this.#held.length >= this.#backlog) resetSocket(socket);
    else {
      socket.on("error", ignored);
      this.#held.push(socket);
    }
  }

  #acceptHeld(): void {
    while (!this.#paused && !this.#closed && this.#held.length > 0) {
      const socket = this.#held.shift()!;
      socket.off("error", ignored);
      if (!socket.destroyed) this.#accept(socket);
    }
  }
}

/** Binds and listens; rejects with a NetError, nothing bound. */
export async function listenWithNode(
  address: SocketAddress,
  options: ListenOptions,
  accept: (socket: Socket) => void,
  onClose: (listener: NodeListener) => void,
): Promise<NodeListener> {
  const backlog = options.backlog ?? BACKLOG;
  let server: Server;
  try {
    server = await bound(address, options, backlog);
  } catch (cause) {
    throw nodeError(cause, `listen ${formatSocketAddress(address)}`, "internal");
  }
  return new NodeListener(server, addressOf(server, address), backlog, accept, onClose);
}

async function bound(
  address: SocketAddress,
  options: ListenOptions,
  backlog: number,
): Promise<Server> {
  const where: NodeListenOptions = { backlog, exclusive: true };
  if (address.kind === "ip") {
    where.host = address.ip;
    where.port = address.port;
    where.ipv6Only = options.ipv6Only ?? false;
    where.reusePort = options.reusePort ?? false;
    return serverAt(where);
  }
  where.path = address.path;
  const server = await serverAt(where).catch(async (error: unknown) => {
    if (!(await isStale(address.path))) throw error;
    unlinkSync(address.path);
    return serverAt(where);
  });
  if (options.mode !== undefined) chmodOrClose(server, address.path, options.mode);
  return server;
}

function serverAt(where: NodeListenOptions): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      // Accepting may fail for want of descriptors; libuv sheds those connections and goes on.
      server.on("error", ignored);
      resolve(server);
    });
  });
}

/** Whether the path is a socket's that nobody listens on any more. */
function isStale(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error) => resolve("code" in error && error.code === "ECONNREFUSED"));
  });
}

function chmodOrClose(server: Server, path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    server.close();
    throw error;
  }
}

function addressOf(server: Server, asked: SocketAddress): SocketAddress {
  const given = server.address();
  if (asked.kind === "unix" || given === null || typeof given === "string") return asked;
  return { kind: "ip", ip: asked.ip, port: given.port };
}

const ignored = (): void => {};
