import {
  type Device,
  type DeviceOffload,
  type DevicePort,
  NO_OFFLOAD,
} from "../../../src/netstack/device.ts";
import type { Packet } from "../../../src/netstack/packet.ts";

/** A device without a link: keeps what is sent until a script has looked at it. */
export class ScriptedDevice implements Device {
  readonly medium = "ip";
  readonly mac = 0;
  readonly mtu: number;
  readonly offload: DeviceOffload = NO_OFFLOAD;
  readonly sent: Packet[] = [];
  /** When false it takes nothing, until it is set again. */
  #room = true;
  #port: DevicePort | null = null;

  constructor(mtu: number) {
    this.mtu = mtu;
  }

  get port(): DevicePort {
    if (this.#port === null) throw new Error("not attached");
    return this.#port;
  }

  set room(room: boolean) {
    this.#room = room;
    if (room) this.port.ready();
  }

  attach(port: DevicePort): void {
    this.#port = port;
  }

  transmit(packet: Packet): boolean {
    if (!this.#room) return false;
    this.sent.push(packet.clone());
    return true;
  }

  close(): void {}
}
