import type { SocketAddress } from "../core/address.ts";
import * as K from "./constants.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";
import { type SavedSockaddr, SockaddrBox } from "./sockaddr.ts";

/**
 * System calls on stream sockets, all non-blocking and close-on-exec. One per reactor: it owns the
 * memory for addresses and options. A method that can fail returns a negative error number, as the
 * kernel itself does, and never throws but for an argument that is no address.
 *
 * A descriptor belongs to whoever got it from `open` or `accept`, and must be closed exactly once.
 */
export class Sockets {
  readonly #c: Libc = libc();
  readonly #box = new SockaddrBox();
  readonly #option = new PinnedMemory(16);

  /** A new stream socket of the family: its descriptor or -errno. */
  open(family: number): number {
    return result(this.#c.socket(family, K.SOCK_STREAM | K.SOCK_NONBLOCK | K.SOCK_CLOEXEC, 0));
  }

  bind(fd: number, address: SocketAddress): number {
    this.#box.encode(address);
    return result(this.#c.bind(fd, this.#box.address, this.#box.length));
  }

  listen(fd: number, backlog: number): number {
    return result(this.#c.listen(fd, backlog));
  }

  /** -EINPROGRESS while it goes on; then the descriptor turns writable and `pendingError` tells. */
  connect(fd: number, address: SocketAddress): number {
    this.#box.encode(address);
    return result(this.#c.connect(fd, this.#box.address, this.#box.length));
  }

  /** An accepted descriptor or -errno. `acceptedPeer` has its address until the next call. */
  accept(fd: number): number {
    const box = this.#box;
    box.open();
    const flags = K.SOCK_NONBLOCK | K.SOCK_CLOEXEC;
    return result(this.#c.accept4(fd, box.address, box.lengthAddress, flags));
  }

  /** The peer's address of the last `accept`. */
  acceptedPeer(): SavedSockaddr {
    return this.#box.save();
  }

  localAddress(fd: number): SocketAddress | undefined {
    const box = this.#box;
    box.open();
    return this.#c.getsockname(fd, box.address, box.lengthAddress) < 0 ? undefined : box.decode();
  }

  remoteAddress(fd: number): SocketAddress | undefined {
    const box = this.#box;
    box.open();
    return this.#c.getpeername(fd, box.address, box.lengthAddress) < 0 ? undefined : box.decode();
  }

  /** The address that `saved` keeps. */
  decode(saved: SavedSockaddr): SocketAddress {
    this.#box.restore(saved);
    return this.#box.decode();
  }

  /** Sets an option whose value is an int. */
  setOption(fd: number, level: number, name: number, value: number): number {
    const { words, address } = this.#option;
    words[0] = value;
    return result(this.#c.setsockopt(fd, level, name, address, 4));
  }

  /** The value of an int option, or -errno. */
  option(fd: number, level: number, name: number): number {
    const { words, address } = this.#option;
    words[0] = 0;
    words[2] = 4;
    const r = this.#c.getsockopt(fd, level, name, address, address + 8);
    return r < 0 ? -errno() : words[0]!;
  }

  /** The error that waits on the socket (a positive number), and clears it; 0 when there is none. */
  pendingError(fd: number): number {
    return Math.abs(this.option(fd, K.SOL_SOCKET, K.SO_ERROR));
  }

  /**
   * Whether unread bytes wait on the socket, also after a reset: positive if so, 0 at the end of the
   * stream, or -errno. An error that waited is cleared by this.
   */
  peek(fd: number): number {
    return result(this.#c.recv(fd, this.#option.address, 1, K.MSG_PEEK));
  }

  shutdownWrite(fd: number): number {
    return result(this.#c.shutdown(fd, K.SHUT_WR));
  }

  close(fd: number): void {
    this.#c.close(fd);
  }

  /** Closes with a reset: what is queued either way is dropped (SO_LINGER with a time of 0). */
  reset(fd: number): void {
    const { words, address } = this.#option;
    words[0] = 1;
    words[1] = 0;
    this.#c.setsockopt(fd, K.SOL_SOCKET, K.SO_LINGER, address, 8);
    this.#c.close(fd);
  }
}

const result = (r: number): number => (r < 0 ? -errno() : r);
