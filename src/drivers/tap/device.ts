import { copyBytes } from "../../core/bytes.ts";
import { EAGAIN, EIO, ENETDOWN, ENOBUFS, ENOMEM } from "../../native/errno.ts";
import { type TunQueue, VNET_HEADER } from "../../native/tun.ts";
import { EBADFD } from "../../native/tun-constants.ts";
import type { Device, DeviceOffload, DevicePort } from "../../netstack/device.ts";
import { PACKET_HEADROOM, type Packet } from "../../netstack/packet.ts";
import { Coalescer } from "../../netstack/segmentation/coalescing.ts";
import type { Mac } from "../../wire/mac.ts";
import { flowHash } from "./flow-hash.ts";
import { pinnedPacket } from "./pinned-packet.ts";
import { readVirtioHeader, writeVirtioHeader } from "./virtio-header.ts";

const ETHERNET = 14;
/** A frame that nobody takes (IEEE 802 §9.2.4: for experiments), to learn whether the device is up. */
const PROBE_TYPE = 0x88b5;
const PROBE_LENGTH = 40;

export interface TapDeviceOptions {
  /** Opened, of one device. It owns them from now on. */
  readonly queues: readonly TunQueue[];
  /** Ours; the kernel's side of the wire has another one. */
  readonly mac: Mac;
  readonly mtu: number;
  /** Let the kernel leave checksums out and hand over segments of 64 KiB, both ways. Default: true. */
  readonly offload?: boolean;
}

export class TapCounters {
  /** Whole turns in which frames were read. */
  batches = 0;
  /** Frames with a virtio-net header that contradicts them. */
  malformed = 0;
  /** Frames that the kernel did not take: it was down, or did not understand them. */
  refused = 0;
}

/**
 * A TAP or TUN device: what the kernel sends to it arrives here, and the other way round. Frames are
 * read into one pinned packet, one after the other, and written straight out of the stack's memory where
 * that is pinned.
 */
export class TapDevice implements Device {
  readonly medium: "ethernet" | "ip";
  readonly name: string;
  readonly mac: Mac;
  readonly offload: DeviceOffload;
  readonly queues: readonly TunQueue[];
  readonly counters = new TapCounters();
  mtu: number;
  /** Called once, before the descriptors are closed: nobody may poll them any more. */
  beforeClose: (() => void) | null = null;
  /** Called once, in `settle`, when the kernel's interface has been removed: nothing brings it back. */
  onGone: (() => void) | null = null;
  #port: DevicePort | null = null;
  readonly #header: number;
  readonly #received = pinnedPacket();
  /** For packets that do not lie in pinned memory. */
  readonly #sent = pinnedPacket();
  /** Merges the segments of a batch where the kernel does not. */
  readonly #coalescer: Coalescer | null;
  #up = true;
  /** A write has shown that the device is down; told in the next turn. */
  #failed = false;
  #full = false;
  #gone = false;
  #goneTold = false;
  #closed = false;

  constructor(options: TapDeviceOptions) {
    const first = options.queues[0];
    if (first === undefined) throw new RangeError("a TAP device needs a queue");
    const want = options.offload !== false;
    let granted = { checksum: false, tcp: false, udp: false };
    for (const queue of options.queues) {
      granted = queue.setOffload({ checksum: want, tcp: want, udp: want });
    }
    this.queues = options.queues;
    this.name = first.name;
    this.medium = first.mode === "tap" ? "ethernet" : "ip";
    this.mac = first.mode === "tap" ? options.mac : 0;
    this.mtu = options.mtu;
    this.#header = first.vnetHeader ? VNET_HEADER : 0;
    const { checksum, tcp, udp } = granted;
    this.offload = Object.freeze({ checksum, tcpV4: tcp, tcpV6: tcp, udp });
    const sink = { onPacket: (packet: Packet) => this.#port?.receive(packet) };
    this.#coalescer = tcp ? null : new Coalescer(sink, first.mode === "tap");
  }

  /** Whether a write has just failed because the kernel's side is down, or it is known to be. */
  get down(): boolean {
    return this.#failed || !this.#up;
  }

  /** Whether the kernel's interface was removed. Its descriptors are ready for ever, with nothing to read. */
  get gone(): boolean {
    return this.#gone;
  }

  attach(port: DevicePort): void {
    this.#port = port;
    if (!this.#up) port.linkChanged(false);
  }

  transmit(packet: Packet): boolean {
    if (this.#closed || this.#failed) return true;
    let memory = packet;
    let start = packet.start;
    if (packet.address === 0 || start < this.#header) {
      memory = this.#sent;
      start = PACKET_HEADROOM;
      const length = packet.end - packet.start;
      if (start + length > memory.bytes.length) return true;
      copyBytes(packet.bytes, packet.start, packet.end, memory.bytes, start);
    }
    const end = start + packet.end - packet.start;
    const from = start - this.#header;
    if (this.#header > 0) writeVirtioHeader(packet, memory.view, from, start);
    const result = this.#queueFor(memory.view, start, end).write(memory, from, end);
    return result === 0 || this.#refused(-result);
  }

  /** Reads at most `most` frames; the number of those that there were. */
  receive(most: number): number {
    if (this.#gone) return 0;
    let total = 0;
    for (let i = 0; i < this.queues.length; i++) total += this.#receiveFrom(this.queues[i]!, most);
    this.#coalescer?.flush();
    if (total > 0) this.counters.batches++;
    return total;
  }

  /** Tells the stack what was noticed since the last turn; to be called between turns. */
  settle(): void {
    if (this.#full) {
      this.#full = false;
      this.#port?.ready();
    }
    if (this.#failed && this.#up) this.setUp(false);
    if (!this.#gone || this.#goneTold) return;
    this.#goneTold = true;
    this.onGone?.();
  }

  setUp(up: boolean): void {
    // Another interface may have the name by now.
    if (up && this.#gone) return;
    this.#failed = false;
    if (up === this.#up) return;
    this.#up = up;
    this.#port?.linkChanged(up);
  }

  setMtu(mtu: number): void {
    if (mtu === this.mtu) return;
    this.mtu = mtu;
    this.#port?.mtuChanged(mtu);
  }

  /** Whether the kernel takes frames now, by sending one that nobody wants. */
  probe(): boolean {
    if (this.#closed || this.#gone) return false;
    const { bytes, view } = this.#sent;
    const from = PACKET_HEADROOM - this.#header;
    const end = PACKET_HEADROOM + PROBE_LENGTH;
    bytes.fill(0, from, end);
    // A TUN device asks for a version before it looks whether it is up.
    if (this.medium === "ip") view.setUint8(PACKET_HEADROOM, 0x45);
    else view.setUint16(PACKET_HEADROOM + ETHERNET - 2, PROBE_TYPE);
    return this.queues[0]!.write(this.#sent, from, end) === 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#port = null;
    this.beforeClose?.();
    for (const queue of this.queues) queue.close();
  }

  #receiveFrom(queue: TunQueue, most: number): number {
    const packet = this.#received;
    const header = this.#header;
    const at = PACKET_HEADROOM - header;
    for (let i = 0; i < most; i++) {
      // The port may have closed the device.
      if (this.#closed) return i;
      const n = queue.read(packet, at, packet.bytes.length);
      if (n <= header) {
        if (n === -EBADFD) this.#lose();
        return i;
      }
      packet.start = PACKET_HEADROOM;
      packet.end = at + n;
      if (header === 0) packet.clearOffload();
      else if (!readVirtioHeader(packet, at)) {
        this.counters.malformed++;
        continue;
      }
      if (this.#coalescer === null) this.#port?.receive(packet);
      else this.#coalescer.push(packet);
    }
    return most;
  }

  #queueFor(view: DataView, start: number, end: number): TunQueue {
    const { queues } = this;
    if (queues.length === 1) return queues[0]!;
    const ip = this.medium === "ip" ? start : start + ETHERNET;
    return queues[flowHash(view, ip, end) % queues.length]!;
  }

  /** Whether a frame that could not be written counts as taken. */
  #refused(errno: number): boolean {
    if (errno === EAGAIN || errno === ENOBUFS || errno === ENOMEM) {
      this.#full = true;
      return false;
    }
    this.counters.refused++;
    if (errno === EBADFD) this.#lose();
    else if (errno === EIO || errno === ENETDOWN) this.#failed = true;
    return true;
  }

  #lose(): void {
    this.#gone = true;
    this.#failed = true;
  }

  /** Something is to be told or tried again in the next turn. */
  get unsettled(): boolean {
    return this.#full || (this.#failed && this.#up) || (this.#gone && !this.#goneTold);
  }
}
