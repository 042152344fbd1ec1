import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { ListenOptions } from "../../core/transport.ts";
import {
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
  TCP_NODELAY,
} from "../../native/constants.ts";
import { EADDRINUSE, ECONNREFUSED, systemError } from "../../native/errno.ts";
import { familyOf } from "../../native/sockaddr.ts";
import type { Sockets } from "../../native/socket.ts";

const DEFAULT_BACKLOG = 4096;

/** A socket that listens, not watched yet. */
export interface BoundSocket {
  readonly fd: number;
  readonly address: SocketAddress;
  /** Takes a Unix socket's file away, if it is still the one that was bound. */
  readonly unlink: () => void;
}

/** Binds and listens. Throws a NetError and leaves nothing behind when that fails. */
export function bindAndListen(
  sockets: Sockets,
  address: SocketAddress,
  options: ListenOptions,
): BoundSocket {
  const family = familyOf(address);
  const fd = sockets.open(family);
  if (fd < 0) throw failed(-fd, address);
  try {
    if (address.kind === "ip") setIpOptions(sockets, fd, family, options);
    bind(sockets, fd, address);
    const unlink = address.kind === "unix" ? unixFile(address.path, options.mode) : () => {};
    try {
      check(sockets.listen(fd, options.backlog ?? DEFAULT_BACKLOG), address);
      return { fd, address: sockets.localAddress(fd) ?? address, unlink };
    } catch (error) {
      unlink();
      throw error;
    }
  } catch (error) {
    sockets.close(fd);
    throw error;
  }
}

function setIpOptions(sockets: Sockets, fd: number, family: number, options: ListenOptions): void {
  sockets.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.reusePort === true) sockets.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  // Linux hands it on to accepted sockets, which saves a system call for each.
  sockets.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (family === AF_INET6) {
    sockets.setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6Only === true ? 1 : 0);
  }
}

function bind(sockets: Sockets, fd: number, address: SocketAddress): void {
  const result = sockets.bind(fd, address);
  if (result === -EADDRINUSE && address.kind === "unix" && isStale(sockets, address.path)) {
    unlinkSync(address.path);
    check(sockets.bind(fd, address), address);
  } else check(result, address);
}

/** A socket file that nobody listens on any more: left behind by a process that died. */
function isStale(sockets: Sockets, path: string): boolean {
  // A connect to an ordinary file is refused as well; that one is not ours to remove.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  const address: SocketAddress = { kind: "unix", path };
  const fd = sockets.open(familyOf(address));
  if (fd < 0) return false;
  const result = sockets.connect(fd, address);
  sockets.close(fd);
  return result === -ECONNREFUSED;
}

/** Sets the mode of the file that `bind` made; returns how to remove it. */
function unixFile(path: string, mode: number | undefined): () => void {
  const { ino, dev } = lstatSync(path);
  const unlink = (): void => {
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino === ino && now.dev === dev) unlinkSync(path);
  };
  try {
    if (mode !== undefined) chmodSync(path, mode);
  } catch (cause) {
    unlink();
    throw new NetError("EACCES", `listen unix:${path}: mode`, { source: "internal", cause });
  }
  return unlink;
}

function check(result: number, address: SocketAddress): void {
  if (result < 0) throw failed(-result, address);
}

function failed(error: number, address: SocketAddress): NetError {
  return systemError(error, `listen ${formatSocketAddress(address)}`, "internal");
}
