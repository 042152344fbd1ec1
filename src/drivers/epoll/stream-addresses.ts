import { formatSocketAddress, type SocketAddress } from "../../core/address.ts";
import type { SavedSockaddr } from "../../native/sockaddr.ts";
import type { Sockets } from "../../native/socket.ts";

/** The two ends of a stream, looked up and decoded when somebody asks. */
export interface StreamAddresses {
  /** Where an outgoing stream goes, as text for messages; "" for an accepted one. */
  readonly target: string;
  local(fd: number): SocketAddress;
  remote(fd: number): SocketAddress;
}

/** What a socket has that is bound to nothing, or gone: the address of no one. */
const UNKNOWN: SocketAddress = { kind: "unix", path: "" };

/** Of an accepted stream: `accept4` brought the peer's address, the other may be the listener's. */
export class AcceptedAddresses implements StreamAddresses {
  readonly target = "";
  readonly #sockets: Sockets;
  readonly #listener: SocketAddress;
  /** Until it is decoded. */
  #peer: SavedSockaddr | null;
  #local: SocketAddress | undefined = undefined;
  #remote: SocketAddress = UNKNOWN;

  constructor(sockets: Sockets, listener: SocketAddress, peer: SavedSockaddr) {
    this.#sockets = sockets;
    this.#listener = listener;
    this.#peer = peer;
  }

  /** After the stream has closed and nobody had asked before: the listener's address. */
  local(fd: number): SocketAddress {
    this.#local ??= fd < 0 ? undefined : this.#sockets.localAddress(fd);
    return this.#local ?? this.#listener;
  }

  remote(_fd: number): SocketAddress {
    if (this.#peer !== null) {
      this.#remote = this.#sockets.decode(this.#peer);
      this.#peer = null;
    }
    return this.#remote;
  }
}

/** Of an outgoing stream. */
export class ConnectedAddresses implements StreamAddresses {
  readonly #sockets: Sockets;
  readonly #remote: SocketAddress;
  #local: SocketAddress | undefined = undefined;

  constructor(sockets: Sockets, remote: SocketAddress) {
    this.#sockets = sockets;
    this.#remote = remote;
  }

  get target(): string {
    return formatSocketAddress(this.#remote);
  }

  /** An empty Unix path after the stream has closed and nobody had asked before. */
  local(fd: number): SocketAddress {
    if (this.#local !== undefined) return this.#local;
    const local = (fd < 0 ? undefined : this.#sockets.localAddress(fd)) ?? UNKNOWN;
    // A port of 0: not connected yet, the kernel has still to choose.
    if (local.kind !== "ip" || local.port !== 0) this.#local = local;
    return local;
  }

  remote(_fd: number): SocketAddress {
    return this.#remote;
  }
}
