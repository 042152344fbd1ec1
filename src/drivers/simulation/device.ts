import {
  type Device,
  type DeviceOffload,
  type DevicePort,
  NO_OFFLOAD,
} from "../../netstack/device.ts";
import type { Packet } from "../../netstack/packet.ts";
import type { Mac } from "../../wire/mac.ts";
import type { Channel, Endpoint } from "./channel.ts";

export interface SimulatedDeviceOptions {
  readonly name: string;
  /** Default: made up, 02:00:00:00:00:01 and on. */
  readonly mac?: Mac;
  /** Default: `ethernet`. */
  readonly medium?: "ethernet" | "ip";
  /** Default: none; with TSO, segments travel whole and cost what their frames would. */
  readonly offload?: DeviceOffload;
}

/** Takes checksums and long segments of TCP and UDP. */
export const FULL_OFFLOAD: DeviceOffload = Object.freeze({
  checksum: true,
  tcpV4: true,
  tcpV6: true,
  udp: true,
});

/** A network card at the end of a simulated link. */
export class SimulatedDevice implements Device, Endpoint {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  readonly mac: Mac;
  readonly offload: DeviceOffload;
  mtu = 1500;
  /** Called after each frame and each change of the link: the host's turn to run. */
  onActivity: (() => void) | null = null;
  #port: DevicePort | null = null;
  #out: Channel | null = null;
  #up = true;

  constructor(options: SimulatedDeviceOptions & { readonly mac: Mac }) {
    this.name = options.name;
    this.mac = options.mac;
    this.medium = options.medium ?? "ethernet";
    this.offload = options.offload ?? NO_OFFLOAD;
  }

  attach(port: DevicePort): void {
    this.#port = port;
    if (!this.#up) port.linkChanged(false);
  }

  /** By its link: where what it sends goes. */
  plug(out: Channel): void {
    this.#out = out;
  }

  /** False when the link's queue is full and set to refuse. */
  transmit(packet: Packet): boolean {
    return this.#out === null || this.#out.send(packet);
  }

  close(): void {
    this.#port = null;
  }

  deliver(packet: Packet): void {
    this.#port?.receive(packet);
    this.onActivity?.();
  }

  room(): void {
    this.#port?.ready();
    this.onActivity?.();
  }

  carrier(up: boolean): void {
    this.#up = up;
    this.#port?.linkChanged(up);
    this.onActivity?.();
  }

  setMtu(mtu: number): void {
    if (mtu === this.mtu) return;
    this.mtu = mtu;
    this.#port?.mtuChanged(mtu);
    this.onActivity?.();
  }
}
