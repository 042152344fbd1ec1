import { NetError } from "../core/errors.ts";
import * as E from "./errno.ts";
import { codeOf } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { PinnedMemory } from "./memory.ts";
import * as T from "./tun-constants.ts";

export interface TunOptions {
  /** At most 15 characters; made by the kernel where it does not exist (needs CAP_NET_ADMIN). */
  readonly name: string;
  /** Ethernet frames, or IP packets. */
  readonly mode: "tap" | "tun";
  readonly multiQueue: boolean;
}

/** What the kernel may leave out of frames that it hands us; both ways, as TUNSETOFFLOAD says. */
export interface TunOffload {
  readonly checksum: boolean;
  readonly tcp: boolean;
  readonly udp: boolean;
}

/** Memory that may be read into or written from: a `PinnedMemory`, or a packet in one. */
export interface NativeRange {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Length of the virtio-net header before each frame (TUNSETVNETHDRSZ). */
export const VNET_HEADER = 10;

const ETHERNET_HEADER = 14;
/** IEEE 802 §9.2.4: for experiments. */
const EXPERIMENTAL_TYPE = 0x88b5;

const OFFLOADS: readonly (readonly [number, TunOffload])[] = [
  [
    T.TUN_F_CSUM | T.TUN_F_TSO4 | T.TUN_F_TSO6 | T.TUN_F_TSO_ECN | T.TUN_F_USO4 | T.TUN_F_USO6,
    { checksum: true, tcp: true, udp: true },
  ],
  [
    T.TUN_F_CSUM | T.TUN_F_TSO4 | T.TUN_F_TSO6 | T.TUN_F_TSO_ECN,
    { checksum: true, tcp: true, udp: false },
  ],
  [T.TUN_F_CSUM, { checksum: true, tcp: false, udp: false }],
  [0, { checksum: false, tcp: false, udp: false }],
];

/**
 * One queue of a TUN or TAP device: a descriptor that it owns, non-blocking, and closed on exec (a
 * child that inherits one keeps the device busy). A frame is read or written whole by one call, with a
 * virtio-net header of 10 bytes in front where `vnetHeader`.
 */
export class TunQueue {
  readonly fd: number;
  readonly name: string;
  readonly mode: "tap" | "tun";
  readonly multiQueue: boolean;
  readonly vnetHeader: boolean;
  readonly #c: Libc = libc();
  #closed = false;

  private constructor(fd: number, found: Found) {
    this.fd = fd;
    this.name = found.name;
    this.mode = (found.flags & T.IFF_TAP) === 0 ? "tun" : "tap";
    this.multiQueue = (found.flags & T.IFF_MULTI_QUEUE) !== 0;
    this.vnetHeader = (found.flags & T.IFF_VNET_HDR) !== 0;
  }

  /** Throws a NetError that says what to do: EACCES, EADDRINUSE, ENOENT, EINVAL. */
  static open(options: TunOptions): TunQueue {
    const { name, mode } = options;
    if (!isInterfaceName(name)) {
      throw new NetError("EINVAL", `no name of an interface: ${JSON.stringify(name)}`, {
        source: "internal",
      });
    }
    const c = libc();
    const fd = c.open("/dev/net/tun", T.O_RDWR | T.O_NONBLOCK | T.O_CLOEXEC);
    if (fd < 0) throw openError(errno(), name, mode);
    const request = new PinnedMemory(T.IFREQ);
    const kind = mode === "tap" ? T.IFF_TAP : T.IFF_TUN;
    const wanted = kind | T.IFF_NO_PI | T.IFF_VNET_HDR;
    // A device that exists already may have been made for several queues; then each has to say so.
    const first = options.multiQueue ? T.IFF_MULTI_QUEUE : 0;
    for (const queues of first === 0 ? [0, T.IFF_MULTI_QUEUE] : [first]) {
      writeName(request, name);
      request.bytes.writeUInt16LE(wanted | queues, T.IFNAMSIZ);
      if (c.ioctl(fd, T.TUNSETIFF, request.address) === 0) return TunQueue.#own(fd);
      const failure = errno();
      if (failure === E.EINVAL && queues === 0) continue;
      c.close(fd);
      throw attachError(failure, options);
    }
    c.close(fd);
    throw attachError(E.EINVAL, options);
  }

  /**
   * Takes over a descriptor that is attached already, as a process without rights is given it. Throws
   * EINVAL where it is none; then it is still the caller's.
   */
  static adopt(fd: number): TunQueue {
    const c = libc();
    c.fcntl(fd, T.F_SETFL, c.fcntl(fd, T.F_GETFL, 0) | T.O_NONBLOCK);
    c.fcntl(fd, T.F_SETFD, c.fcntl(fd, T.F_GETFD, 0) | T.FD_CLOEXEC);
    const queue = TunQueue.#own(fd);
    if (queue.#hasPacketInformation()) throw notTun(fd, E.EINVAL);
    return queue;
  }

  static #own(fd: number): TunQueue {
    const c = libc();
    const request = new PinnedMemory(T.IFREQ);
    if (c.ioctl(fd, T.TUNGETIFF, request.address) < 0) throw notTun(fd, errno());
    const flags = request.bytes.readUInt16LE(T.IFNAMSIZ);
    const queue = new TunQueue(fd, { name: readName(request), flags });
    if (!queue.vnetHeader) return queue;
    request.words[0] = VNET_HEADER;
    if (c.ioctl(fd, T.TUNSETVNETHDRSZ, request.address) < 0) throw notTun(fd, errno());
    return queue;
  }

  /**
   * Whether four bytes of packet information go before each frame. TUNGETIFF does not tell (its bit of
   * IFF_NO_PI is also IFF_NOFILTER's); the shortest frame that the kernel takes does, since with them it
   * is too short. It goes to nobody.
   */
  #hasPacketInformation(): boolean {
    const header = this.vnetHeader ? VNET_HEADER : 0;
    const tap = this.mode === "tap";
    const memory = new PinnedMemory(header + ETHERNET_HEADER);
    if (tap) memory.bytes.writeUInt16BE(EXPERIMENTAL_TYPE, header + ETHERNET_HEADER - 2);
    else memory.bytes[header] = 0x45;
    return this.write(memory, 0, header + (tap ? ETHERNET_HEADER : 1)) === -E.EINVAL;
  }

  /**
   * Lets the kernel hand over what it would else have finished: as much of it as `most` allows and
   * this kernel knows. Without a virtio-net header nothing.
   */
  setOffload(most: TunOffload): TunOffload {
    const nothing = OFFLOADS.at(-1)![1];
    if (!this.vnetHeader) return nothing;
    for (const [bits, offload] of OFFLOADS) {
      const more =
        (offload.checksum && !most.checksum) ||
        (offload.tcp && !most.tcp) ||
        (offload.udp && !most.udp);
      if (more) continue;
      if (this.#c.ioctl(this.fd, T.TUNSETOFFLOAD, bits) === 0) return offload;
    }
    return nothing;
  }

  /** Whether the kernel gives this queue packets: 0 or -errno. */
  setEnabled(enabled: boolean): number {
    const request = new PinnedMemory(T.IFREQ);
    writeName(request, this.name);
    request.bytes.writeUInt16LE(enabled ? T.IFF_ATTACH_QUEUE : T.IFF_DETACH_QUEUE, T.IFNAMSIZ);
    return this.#c.ioctl(this.fd, T.TUNSETQUEUE, request.address) < 0 ? -errno() : 0;
  }

  /** Whether the device stays when nobody has it open: 0 or -errno. */
  setPersistent(persistent: boolean): number {
    return this.#c.ioctl(this.fd, T.TUNSETPERSIST, persistent ? 1 : 0) < 0 ? -errno() : 0;
  }

  /** Reads one frame, with its virtio-net header, to memory[start, end): its length, or -errno. */
  read(memory: NativeRange, start: number, end: number): number {
    checkRange(memory, start, end);
    const n = this.#c.read(this.fd, memory.address + start, end - start);
    return n < 0 ? -errno() : n;
  }

  /** Writes the frame memory[start, end), which begins with its virtio-net header: 0 or -errno. */
  write(memory: NativeRange, start: number, end: number): number {
    checkRange(memory, start, end);
    return this.#c.write(this.fd, memory.address + start, end - start) < 0 ? -errno() : 0;
  }

  /** Ends the polling of the descriptor first. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#c.close(this.fd);
  }
}

interface Found {
  readonly name: string;
  readonly flags: number;
}

/** As the kernel's dev_valid_name. */
export const isInterfaceName = (name: string): boolean =>
  name.length > 0 &&
  name.length < T.IFNAMSIZ &&
  /^[!-~]+$/.test(name) &&
  !/[/:]|^\.\.?$/.test(name);

export function writeName(request: PinnedMemory, name: string): void {
  request.bytes.fill(0);
  request.bytes.write(name, 0, T.IFNAMSIZ - 1, "latin1");
}

function readName(request: PinnedMemory): string {
  const end = request.bytes.indexOf(0);
  return request.bytes.toString("latin1", 0, Math.min(end, T.IFNAMSIZ));
}

function checkRange(memory: NativeRange, start: number, end: number): void {
  const { address, bytes } = memory;
  const valid = address > 0 && start >= 0 && start <= end && end <= bytes.length;
  if (!valid) throw new RangeError(`no range of native memory: [${start}, ${end})`);
}

function openError(failure: number, name: string, mode: string): NetError {
  if (failure === E.ENOENT || failure === E.ENODEV) {
    return refusal(
      failure,
      "no /dev/net/tun here: load the tun module (modprobe tun), or give the container the device (--device /dev/net/tun)",
    );
  }
  if (failure === E.EPERM || failure === E.EACCES) {
    return refusal(
      failure,
      `/dev/net/tun may not be opened: run as root, or let somebody with the rights open ${mode} ${name} and hand over the descriptor`,
    );
  }
  return refusal(failure, `open /dev/net/tun: errno ${failure}`);
}

function attachError(failure: number, { name, mode, multiQueue }: TunOptions): NetError {
  const queues = multiQueue ? " multi_queue" : "";
  switch (failure) {
    case E.EPERM:
    case E.EACCES:
      return refusal(
        failure,
        `${mode} device ${name}: not permitted. As root: ip tuntap add dev ${name} mode ${mode} user ${userName()}${queues} && ip link set ${name} up`,
      );
    case E.EBUSY:
      return refusal(failure, `${mode} device ${name} is in use by another process`);
    case E.EINVAL:
      return refusal(
        failure,
        `${name} exists and is not a ${mode} device${multiQueue ? " with several queues" : ""}: ip -d link show ${name} tells what it is`,
      );
    default:
      return refusal(failure, `${mode} device ${name}: errno ${failure}`);
  }
}

const notTun = (fd: number, failure: number): NetError =>
  refusal(failure, `descriptor ${fd} is no open TUN or TAP device without packet information`);

const userName = (): string => process.env.USER ?? String(process.getuid?.() ?? "NAME");

const refusal = (failure: number, message: string): NetError =>
  new NetError(codeOf(failure), message, { source: "internal" });
