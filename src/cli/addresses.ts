import { existsSync, lstatSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import type { EffectiveConfig } from "../config/effective.ts";
import { formatSocketAddress, type SocketAddress } from "../core/address.ts";

/** An address that cannot be listened on, ready for print. */
export class AddressUnavailable extends Error {
  override readonly name = "AddressUnavailable";
  readonly address: SocketAddress;
  readonly code: string;

  constructor(address: SocketAddress, code: string) {
    super(`cannot listen on ${formatSocketAddress(address)}: ${reasons[code] ?? code}`);
    this.address = address;
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this machine does not have that address",
  EACCES: "permission denied",
  ENOENT: "the folder does not exist",
};

/**
 * Checks that every address of the listeners can be bound, before any worker starts, and turns port 0
 * into one port for all of them. Workers share a port (SO_REUSEPORT), which would let two Millraces share
 * it unnoticed; this bind does not, so it finds the other one. Throws AddressUnavailable.
 */
export async function settleAddresses(config: EffectiveConfig): Promise<EffectiveConfig> {
  const listeners = [];
  for (const listener of config.listeners) {
    const addresses = [];
    for (const address of listener.addresses) addresses.push(await settle(address));
    listeners.push({ ...listener, addresses });
  }
  return { ...config, listeners };
}

async function settle(address: SocketAddress): Promise<SocketAddress> {
  if (address.kind === "unix") removeStale(address, await answers(address.path));
  const server = await bind(address);
  const bound = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address.kind === "unix" || bound === null || typeof bound === "string") return address;
  return { ...address, port: bound.port };
}

/** A server that listens at `address`, for a moment or for good. Throws AddressUnavailable. */
export function bind(address: SocketAddress, server = createServer()): Promise<Server> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void =>
      reject(new AddressUnavailable(address, error.code ?? error.message));
    server.once("error", refuse);
    const where =
      address.kind === "unix"
        ? { path: address.path }
        : { host: address.ip, port: address.port, exclusive: true };
    server.listen(where, () => {
      server.off("error", refuse);
      resolve(server);
    });
  });
}

/** Takes away the file of a Unix socket on which nobody listens any more; nothing but a socket. */
export function removeStale(address: SocketAddress, inUse: boolean): void {
  if (address.kind !== "unix" || inUse || !existsSync(address.path)) return;
  if (lstatSync(address.path).isSocket()) unlinkSync(address.path);
}

/** Whether somebody listens at the path. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}
