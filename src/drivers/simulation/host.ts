import type { IpAddress } from "../../core/address.ts";
import type { Transport } from "../../core/transport.ts";
import type { DeviceOffload } from "../../netstack/device.ts";
import type { Interface, InterfaceSettings } from "../../netstack/interface.ts";
import { Stack } from "../../netstack/stack.ts";
import type { StackOptions } from "../../netstack/stack-options.ts";
import { StackTransport } from "../../netstack/stack-transport.ts";
import type { Mac } from "../../wire/mac.ts";
import { Happening } from "./agenda.ts";
import type { SimulatedDevice } from "./device.ts";
import type { Simulation } from "./simulation.ts";

export interface HostOptions extends Pick<StackOptions, "limits" | "tcp" | "addressSecret"> {
  /** Of every interface of the host, unless its attachment says otherwise. */
  readonly settings?: Partial<InterfaceSettings>;
}

/** How a host is plugged into a link or segment: by an interface of its own. */
export interface Attachment {
  readonly host: SimulatedHost;
  /** The interface's name. Default: `eth0`, `eth1` and so on. */
  readonly interface?: string;
  /** `10.0.0.1/24`, `fd00::1/64`. */
  readonly addresses?: readonly string[];
  readonly settings?: Partial<InterfaceSettings>;
  readonly offload?: DeviceOffload;
  readonly mac?: Mac;
  /** `ip`: a link without Ethernet; both ends must say so. */
  readonly medium?: "ethernet" | "ip";
  /** Less than the link's. */
  readonly mtu?: number;
}

/**
 * A host with a stack of its own. The stack runs after all frames that arrive at one instant, at its
 * timeouts, and when it asks for it.
 */
export class SimulatedHost {
  readonly name: string;
  readonly stack: Stack;
  readonly #simulation: Simulation;
  readonly #turn: Turn;
  readonly #settings: Partial<InterfaceSettings>;
  readonly #devices = new Map<string, SimulatedDevice>();

  constructor(simulation: Simulation, name: string, options: HostOptions = {}) {
    this.#simulation = simulation;
    this.name = name;
    this.#settings = options.settings ?? {};
    this.#turn = new Turn(() => this.#run());
    this.stack = new Stack({
      clock: simulation,
      rng: simulation.fork(),
      wake: () => this.wake(),
      onFault: (error) => simulation.fault(error),
      ...(options.addressSecret === undefined ? {} : { addressSecret: options.addressSecret }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
    });
  }

  /** Has the stack run at this instant, after what is due already. */
  wake(): void {
    const { agenda, time } = this.#simulation;
    if (this.#turn.slot < 0 || this.#turn.at > time) agenda.set(this.#turn, time);
  }

  /** The name that the next interface gets. */
  get nextInterface(): string {
    return `eth${this.#devices.size}`;
  }

  /** Makes an interface of a device that is plugged in. */
  addInterface(device: SimulatedDevice, name: string, attachment: Attachment): Interface {
    device.onActivity = () => this.wake();
    const added = this.stack.addInterface({
      name,
      device,
      settings: { ...this.#settings, ...attachment.settings },
      ...(attachment.mtu === undefined ? {} : { mtu: attachment.mtu }),
    });
    this.#devices.set(name, device);
    for (const address of attachment.addresses ?? []) {
      this.stack.configuration.addAddress(name, address);
    }
    this.wake();
    return added;
  }

  /** By its name; throws RangeError when there is none. */
  interface(name = "eth0"): Interface {
    const found = this.stack.interface(name);
    if (found === undefined) throw new RangeError(`${this.name} has no interface ${name}`);
    return found;
  }

  device(name = "eth0"): SimulatedDevice {
    const found = this.#devices.get(name);
    if (found === undefined) throw new RangeError(`${this.name} has no device ${name}`);
    return found;
  }

  /** Its TCP, as proxies and HTTP want it. */
  transport(lookup: (name: string) => Promise<readonly IpAddress[]>): Transport {
    const { context, tcp } = this.stack;
    return new StackTransport({
      stack: {
        now: () => context.now(),
        schedule: (target, at) => context.schedule(target, at),
        rng: context.rng,
        tcp,
        atTurnEnd: (target) => this.stack.atTurnEnd(target),
      },
      wallClock: () => Math.trunc(this.#simulation.now() / 1_000),
      lookup,
      onFault: (error) => this.#simulation.fault(error),
    });
  }

  #run(): void {
    const next = this.stack.run();
    if (next === undefined) return;
    const at = Math.max(next, this.#simulation.time);
    if (this.#turn.slot < 0 || this.#turn.at > at) this.#simulation.agenda.set(this.#turn, at);
  }
}

/** The host's turn to run: one entry of the agenda, which moves. */
class Turn extends Happening {
  readonly #run: () => void;

  constructor(run: () => void) {
    super();
    this.#run = run;
  }

  happen(): void {
    this.#run();
  }
}
