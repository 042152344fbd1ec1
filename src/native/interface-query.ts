import * as K from "./constants.ts";
import { systemError } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";
import { writeName } from "./tun.ts";
import * as T from "./tun-constants.ts";

/**
 * Asks and sets properties of the kernel's network interfaces, by name, in the network namespace in
 * which it was made. Owns a socket. Results that are negative are -errno: -ENODEV where there is no
 * such interface (any more, or in this namespace).
 */
export class InterfaceQuery {
  readonly #c: Libc = libc();
  readonly #request = new PinnedMemory(T.IFREQ);
  readonly #fd: number;

  constructor() {
    this.#fd = this.#c.socket(K.AF_INET, T.SOCK_DGRAM | K.SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw systemError(errno(), "socket", "internal");
  }

  mtu(name: string): number {
    const failure = this.#ask(name, T.SIOCGIFMTU);
    return failure < 0 ? failure : this.#request.words[4]!;
  }

  setMtu(name: string, mtu: number): number {
    writeName(this.#request, name);
    this.#request.words[4] = mtu;
    return this.#call(T.SIOCSIFMTU);
  }

  /** Bits IFF_UP and IFF_RUNNING among others. */
  flags(name: string): number {
    const failure = this.#ask(name, T.SIOCGIFFLAGS);
    return failure < 0 ? failure : this.#request.bytes.readUInt16LE(T.IFNAMSIZ);
  }

  setUp(name: string, up: boolean): number {
    const flags = this.flags(name);
    if (flags < 0) return flags;
    writeName(this.#request, name);
    this.#request.bytes.writeUInt16LE(up ? flags | T.IFF_UP : flags & ~T.IFF_UP, T.IFNAMSIZ);
    return this.#call(T.SIOCSIFFLAGS);
  }

  /** The kernel's address on an Ethernet interface, as a 48-bit number. */
  mac(name: string): number {
    const failure = this.#ask(name, T.SIOCGIFHWADDR);
    // struct sockaddr: a family of two bytes comes first.
    return failure < 0 ? failure : this.#request.bytes.readUIntBE(T.IFNAMSIZ + 2, 6);
  }

  close(): void {
    this.#c.close(this.#fd);
  }

  #ask(name: string, request: number): number {
    writeName(this.#request, name);
    return this.#call(request);
  }

  #call(request: number): number {
    return this.#c.ioctl(this.#fd, request, this.#request.address) < 0 ? -errno() : 0;
  }
}
