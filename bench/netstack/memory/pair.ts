import type { Clock, Instant } from "../../../src/core/time.ts";
import { after, seconds } from "../../../src/core/time.ts";
import { SystemRng } from "../../../src/drivers/system-rng.ts";
import {
  type Device,
  type DeviceOffload,
  type DevicePort,
  NO_OFFLOAD,
} from "../../../src/netstack/device.ts";
import { Packet } from "../../../src/netstack/packet.ts";
import { Stack } from "../../../src/netstack/stack.ts";

const ALL: DeviceOffload = { checksum: true, tcpV4: true, tcpV6: true, udp: true };
const SLOTS = 64;

export const CLIENT = "10.0.0.1";
export const SERVER = "10.0.0.2";

export interface PairOptions {
  readonly mtu: number;
  /** Checksums and segments of 64 KiB are left as they are. */
  readonly offload: boolean;
}

/** Of a machine that has run for a day: instants are no small integers to V8 any more. */
const UPTIME = seconds(86_400);

/** Real time, but that in which nothing happens is skipped. Stands still within a step. */
class SkippingClock implements Clock {
  #now = 0 as Instant;
  #skipped: number = UPTIME;

  now(): Instant {
    return this.#now;
  }

  read(): void {
    this.#now = Math.trunc(performance.now() * 1_000 + this.#skipped) as Instant;
  }

  skipTo(at: Instant): void {
    if (at > this.#now) this.#skipped += at - this.#now;
    this.read();
  }
}

/** One end of a cable: what is sent is copied, and arrives in the other end's next step. */
class PairDevice implements Device {
  readonly medium = "ethernet";
  readonly mac: number;
  readonly mtu: number;
  readonly offload: DeviceOffload;
  peer: PairDevice | null = null;
  /** Frames that came. */
  received = 0;
  #port!: DevicePort;
  #waiting = 0;
  #refused = false;
  readonly #slots: readonly Packet[];

  constructor(mac: number, { mtu, offload }: PairOptions) {
    this.mac = mac;
    this.mtu = mtu;
    this.offload = offload ? ALL : NO_OFFLOAD;
    this.#slots = Array.from({ length: SLOTS }, () => Packet.allocate());
  }

  attach(port: DevicePort): void {
    this.#port = port;
  }

  transmit(packet: Packet): boolean {
    const taken = this.peer?.take(packet) ?? true;
    if (!taken) this.#refused = true;
    return taken;
  }

  take(packet: Packet): boolean {
    if (this.#waiting === SLOTS) return false;
    this.#slots[this.#waiting++]!.copyFrom(packet);
    return true;
  }

  /** What this causes to be sent to this end waits in the other one. */
  deliver(): number {
    const count = this.#waiting;
    for (let i = 0; i < count; i++) this.#port.receive(this.#slots[i]!);
    this.#waiting = 0;
    this.received += count;
    this.peer?.settle();
    return count;
  }

  settle(): void {
    if (!this.#refused) return;
    this.#refused = false;
    this.#port.ready();
  }

  close(): void {}
}

/** Two stacks on a cable of memory, stepped by turns. */
export class Pair {
  #client: Stack | null;
  readonly server: Stack;
  readonly #clock = new SkippingClock();
  #near: PairDevice | null;
  readonly #far: PairDevice;
  #woken = false;

  constructor(options: PairOptions) {
    this.#clock.read();
    this.#near = new PairDevice(0x0200_0000_0001, options);
    this.#far = new PairDevice(0x0200_0000_0002, options);
    const near = this.#near;
    near.peer = this.#far;
    this.#far.peer = near;
    this.#client = this.#stack(near, CLIENT);
    this.server = this.#stack(this.#far, SERVER);
    this.settle(5);
  }

  get client(): Stack {
    if (this.#client === null) throw new Error("there is no client any more");
    return this.#client;
  }

  /** Forgets one end, so that its memory can be told from the other's. */
  dropClient(): void {
    this.#client = null;
    this.#near = null;
    this.#far.peer = null;
  }

  /** Frames that went, both ways. */
  get frames(): number {
    return (this.#near?.received ?? 0) + this.#far.received;
  }

  /** Each end takes what waits for it and runs once. False when nothing happened. */
  step(): boolean {
    this.#clock.read();
    this.#woken = false;
    let frames = this.#far.deliver();
    const first = this.server.run();
    frames += this.#near?.deliver() ?? 0;
    const second = this.client.run();
    if (frames > 0 || this.#woken) return true;
    const next = Math.min(first ?? Number.POSITIVE_INFINITY, second ?? Number.POSITIVE_INFINITY);
    if (next < Number.POSITIVE_INFINITY) this.#clock.skipTo(next as Instant);
    return false;
  }

  /** Lets so many seconds pass. */
  settle(time: number): void {
    const end = after(this.#clock.now(), seconds(time));
    while (this.#clock.now() < end) {
      if (this.step()) continue;
      if (this.#clock.now() < end && (this.client.nextTimeout() ?? end) >= end) {
        this.#clock.skipTo(end);
        this.step();
      }
    }
  }

  #stack(device: PairDevice, address: string): Stack {
    const wake = (): void => {
      this.#woken = true;
    };
    const stack = new Stack({ clock: this.#clock, rng: new SystemRng(), wake });
    const settings = { conflictDetection: "off", acceptRouterAdvertisements: false } as const;
    stack.addInterface({ name: "eth0", device, settings });
    stack.configuration.addAddress("eth0", `${address}/24`);
    return stack;
  }
}
