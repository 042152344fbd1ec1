import { InterfaceQuery } from "../../native/interface-query.ts";
import { IFF_UP } from "../../native/tun-constants.ts";
import type { TapDevice } from "./device.ts";

const INTERVAL_MILLIS = 1_000;

/**
 * Asks each second whether the kernel's sides of devices are up, and for their MTU. Of an interface in
 * another network namespace the kernel tells neither; then only failing writes show that it is down, and
 * a frame that nobody wants shows that it is up again.
 */
export class LinkWatch {
  readonly query = new InterfaceQuery();
  readonly #devices: TapDevice[] = [];
  readonly #onChange: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  add(device: TapDevice): void {
    this.#devices.push(device);
    this.#look(device);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.look(), INTERVAL_MILLIS);
    this.#timer.unref();
  }

  remove(device: TapDevice): void {
    const at = this.#devices.indexOf(device);
    if (at >= 0) this.#devices.splice(at, 1);
  }

  look(): void {
    for (const device of this.#devices) this.#look(device);
    this.#onChange();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.query.close();
  }

  #look(device: TapDevice): void {
    const flags = this.query.flags(device.name);
    if (flags < 0) {
      if (device.down && device.probe()) device.setUp(true);
      return;
    }
    const mtu = this.query.mtu(device.name);
    if (mtu > 0) device.setMtu(mtu);
    device.setUp((flags & IFF_UP) !== 0);
  }
}
