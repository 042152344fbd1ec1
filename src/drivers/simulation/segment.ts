import type { Packet } from "../../netstack/packet.ts";
import { isGroupMac, type Mac, readMac } from "../../wire/mac.ts";
import type { Endpoint } from "./channel.ts";
import type { LinkConditions } from "./conditions.ts";
import type { SimulatedDevice } from "./device.ts";
import { SimulatedLink } from "./link.ts";
import type { Simulation } from "./simulation.ts";

/** Addresses that a switch remembers; the one learnt first goes. */
const MOST_ADDRESSES = 4_096;

/**
 * A switch with a link to each device: it learns where addresses are, and floods frames to groups and
 * to addresses that it does not know. The conditions hold on each link, so from device to device they
 * count twice.
 */
export class SimulatedSegment {
  readonly #simulation: Simulation;
  readonly #ports: SwitchPort[] = [];
  readonly #places = new Map<Mac, SwitchPort>();
  #conditions: LinkConditions;

  constructor(simulation: Simulation, conditions: LinkConditions) {
    this.#simulation = simulation;
    this.#conditions = conditions;
  }

  /** Plugs a device in; `forward` of its link leads to the switch. */
  plug(device: SimulatedDevice, conditions: Partial<LinkConditions> = {}): SimulatedLink {
    if (device.medium !== "ethernet") throw new TypeError(`${device.name}: not Ethernet`);
    const port = new SwitchPort(this, `switch:${device.name}`, device);
    const link = new SimulatedLink(this.#simulation, device, port, {
      ...this.#conditions,
      ...conditions,
    });
    port.link = link;
    device.plug(link.forward);
    this.#ports.push(port);
    return link;
  }

  /** The link of a device that was plugged in. */
  linkOf(device: SimulatedDevice): SimulatedLink {
    const port = this.#ports.find((candidate) => candidate.device === device);
    if (port === undefined) throw new TypeError(`${device.name} is not on this segment`);
    return port.link!;
  }

  /** Of all links, and of those to come. */
  set(conditions: Partial<LinkConditions>): void {
    this.#conditions = { ...this.#conditions, ...conditions };
    for (const port of this.#ports) port.link!.set(conditions);
  }

  /** Forgets where addresses are. */
  forget(): void {
    this.#places.clear();
  }

  relay(from: SwitchPort, packet: Packet): void {
    if (packet.end - packet.start < 14) return;
    this.#learn(readMac(packet.view, packet.start + 6), from);
    const destination = readMac(packet.view, packet.start);
    const known = isGroupMac(destination) ? undefined : this.#places.get(destination);
    if (known === from) return;
    if (known !== undefined) {
      known.link!.backward.send(packet);
      return;
    }
    for (const port of this.#ports) if (port !== from) port.link!.backward.send(packet);
  }

  #learn(mac: Mac, port: SwitchPort): void {
    if (isGroupMac(mac) || this.#places.get(mac) === port) return;
    if (this.#places.size >= MOST_ADDRESSES) {
      for (const oldest of this.#places.keys()) {
        this.#places.delete(oldest);
        break;
      }
    }
    this.#places.set(mac, port);
  }
}

/** The switch's end of a link. */
class SwitchPort implements Endpoint {
  readonly name: string;
  readonly medium = "ethernet";
  readonly device: SimulatedDevice;
  link: SimulatedLink | null = null;
  readonly #segment: SimulatedSegment;

  constructor(segment: SimulatedSegment, name: string, device: SimulatedDevice) {
    this.#segment = segment;
    this.name = name;
    this.device = device;
  }

  deliver(packet: Packet): void {
    this.#segment.relay(this, packet);
  }

  /** A switch drops what does not fit. */
  room(): void {}

  carrier(): void {}

  setMtu(): void {}
}
