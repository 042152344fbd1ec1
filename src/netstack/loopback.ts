import type { Device, DeviceOffload, DevicePort } from "./device.ts";
import { Packet } from "./packet.ts";

const ALL: DeviceOffload = Object.freeze({ checksum: true, tcpV4: true, tcpV6: true, udp: true });
/** Packets of at most this many bytes are kept in memory of one size, which is used again. */
const SMALL = 2_048;
const SPARE = 64;

/**
 * The device of the loopback interface: what is sent comes back in the next run of the stack, not
 * before, so that no layer is entered from within itself. Checksums are never computed, segments never
 * cut: nothing can happen to them on the way.
 */
export class LoopbackDevice implements Device {
  readonly medium = "loopback";
  readonly mac = 0;
  readonly mtu = 65_535;
  readonly offload = ALL;
  #port!: DevicePort;
  #waiting: Packet[] = [];
  #delivering: Packet[] = [];
  readonly #small: Packet[] = [];
  readonly #limit: number;
  readonly #wake: () => void;
  #refused = false;

  /** `limit`: packets that may wait; `transmit` refuses those beyond. */
  constructor(limit: number, wake: () => void) {
    this.#limit = limit;
    this.#wake = wake;
  }

  attach(port: DevicePort): void {
    this.#port = port;
  }

  /** Packets that wait to be delivered. */
  get waiting(): number {
    return this.#waiting.length;
  }

  transmit(packet: Packet): boolean {
    if (this.#waiting.length >= this.#limit) {
      this.#refused = true;
      return false;
    }
    const copy = packet.length <= SMALL ? (this.#small.pop() ?? newSmall()) : null;
    if (copy === null) this.#waiting.push(packet.clone());
    else {
      copy.copyFrom(packet);
      this.#waiting.push(copy);
    }
    this.#wake();
    return true;
  }

  /** Delivers what waits now; what this causes to be sent waits for the next call. */
  deliver(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = this.#delivering;
    for (const packet of batch) {
      const small = packet.length <= SMALL;
      this.#port.receive(packet);
      if (small && this.#small.length < SPARE) this.#small.push(packet);
    }
    batch.length = 0;
    this.#delivering = batch;
    if (!this.#refused) return;
    this.#refused = false;
    this.#port.ready();
  }

  close(): void {
    this.#waiting.length = 0;
  }
}

const newSmall = (): Packet => Packet.allocate(SMALL + 256);
