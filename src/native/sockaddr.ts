import {
  type IpAddress,
  ipFromBytes,
  ipToBytes,
  isIpv6,
  parseIp,
  type SocketAddress,
  unmapIp,
} from "../core/address.ts";
import { NetError } from "../core/errors.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./constants.ts";
import { PinnedMemory } from "./memory.ts";

const FAMILY = 0; // u16, the machine's order
const PORT = 2; // u16, network order; the same place in sockaddr_in and sockaddr_in6
const IPV4 = 4;
const IPV6 = 8;
const PATH = 2;
const SOCKADDR_IN_LENGTH = 16;
const SOCKADDR_IN6_LENGTH = 28;
/** sun_path holds 108 bytes with the NUL that ends it. */
const PATH_MAX = 107;

/**
 * One `sockaddr_storage` and its `socklen_t`, reused for every call. It owns its memory; what is in it
 * is valid until the next call that writes to it.
 */
export class SockaddrBox {
  readonly #memory = new PinnedMemory(128);
  readonly #length = new PinnedMemory(8);
  readonly words: Int32Array = this.#memory.words;
  readonly address: number = this.#memory.address;
  /** The address of the `socklen_t`, for calls that write to it. */
  readonly lengthAddress: number = this.#length.address;

  get length(): number {
    return this.#length.words[0]!;
  }

  get family(): number {
    return this.#memory.words[0]! & 0xffff;
  }

  /** Makes room: to be called before a system call that fills the box. */
  open(): void {
    this.#length.words[0] = 128;
    this.#memory.words[0] = 0;
  }

  /** Fills the box for `bind` and `connect`. Throws EINVAL for what is no address. */
  encode(address: SocketAddress): void {
    if (address.kind === "unix") this.#encodeUnix(address.path);
    else this.#encodeIp(address.ip, address.port);
  }

  /** Keeps what an `accept` wrote, as numbers, for a decode that may never be asked for. */
  save(): SavedSockaddr {
    return new SavedSockaddr(this.#memory.words);
  }

  restore(saved: SavedSockaddr): void {
    saved.writeTo(this.#memory.words);
    this.#length.words[0] = SOCKADDR_IN6_LENGTH;
  }

  /**
   * What a system call wrote. A socket without a name is a Unix path of ""; an IPv4 peer of a socket
   * for both families has its IPv4 address.
   */
  decode(): SocketAddress {
    const { bytes } = this.#memory;
    const { family } = this;
    if (family === AF_INET || family === AF_INET6) {
      const ip = family === AF_INET ? ipFromBytes(bytes, IPV4, 4) : ipFromBytes(bytes, IPV6, 16);
      return { kind: "ip", ip: unmapIp(ip), port: bytes.readUInt16BE(PORT) };
    }
    const end = this.length;
    let stop = PATH;
    while (stop < end && bytes[stop] !== 0) stop++;
    return { kind: "unix", path: bytes.toString("utf8", PATH, stop) };
  }

  #encodeIp(ip: IpAddress, port: number): void {
    if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw invalid(`port ${port}`);
    if (parseIp(ip) === null) throw invalid(ip);
    const { bytes } = this.#memory;
    const v6 = isIpv6(ip);
    bytes.fill(0, 0, SOCKADDR_IN6_LENGTH);
    bytes.set(ipToBytes(ip), v6 ? IPV6 : IPV4);
    bytes.writeUInt16LE(v6 ? AF_INET6 : AF_INET, FAMILY);
    bytes.writeUInt16BE(port, PORT);
    this.#length.words[0] = v6 ? SOCKADDR_IN6_LENGTH : SOCKADDR_IN_LENGTH;
  }

  #encodeUnix(path: string): void {
    const length = Buffer.byteLength(path);
    if (length === 0 || length > PATH_MAX || path.includes("\0")) {
      throw invalid(`Unix path of ${length} bytes (1 to ${PATH_MAX}, without NUL)`);
    }
    const { bytes } = this.#memory;
    bytes.writeUInt16LE(AF_UNIX, FAMILY);
    bytes.write(path, PATH, length, "utf8");
    bytes[PATH + length] = 0;
    this.#length.words[0] = PATH + length + 1;
  }
}

/** The raw bytes of a sockaddr_in or sockaddr_in6. Of a Unix address only the family is kept. */
export class SavedSockaddr {
  readonly #w0: number;
  readonly #w1: number;
  readonly #w2: number;
  readonly #w3: number;
  readonly #w4: number;
  readonly #w5: number;

  constructor(words: Int32Array) {
    const unix = (words[0]! & 0xffff) === AF_UNIX;
    this.#w0 = unix ? AF_UNIX : words[0]!;
    this.#w1 = unix ? 0 : words[1]!;
    this.#w2 = unix ? 0 : words[2]!;
    this.#w3 = unix ? 0 : words[3]!;
    this.#w4 = unix ? 0 : words[4]!;
    this.#w5 = unix ? 0 : words[5]!;
  }

  writeTo(words: Int32Array): void {
    words[0] = this.#w0;
    words[1] = this.#w1;
    words[2] = this.#w2;
    words[3] = this.#w3;
    words[4] = this.#w4;
    words[5] = this.#w5;
    words[6] = 0;
  }
}

const invalid = (what: string): NetError =>
  new NetError("EINVAL", `not an address: ${what}`, { source: "internal" });

/** The address family that a socket for `address` needs. */
export function familyOf(address: SocketAddress): number {
  if (address.kind === "unix") return AF_UNIX;
  return isIpv6(address.ip) ? AF_INET6 : AF_INET;
}
