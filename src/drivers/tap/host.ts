import type { IpAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import type { Transport } from "../../core/transport.ts";
import type { DescriptorLog } from "../../native/descriptor-log.ts";
import { nativeAvailable } from "../../native/libc.ts";
import { TunQueue } from "../../native/tun.ts";
import type { Interface, InterfaceSettings } from "../../netstack/interface.ts";
import { Stack } from "../../netstack/stack.ts";
import type { StackOptions } from "../../netstack/stack-options.ts";
import { StackTransport } from "../../netstack/stack-transport.ts";
import type { Mac } from "../../wire/mac.ts";
import { lookUp } from "../lookup.ts";
import { machineSecret } from "../machine-secret.ts";
import { SystemRng } from "../system-rng.ts";
import { TapDevice } from "./device.ts";
import { LinkWatch } from "./link-watch.ts";
import { TapLoop } from "./loop.ts";
import { pinnedPacket } from "./pinned-packet.ts";

export interface TapHostOptions extends Pick<StackOptions, "limits" | "tcp" | "addressSecret"> {
  /** Errors thrown by handlers of connections and sockets, by watchers and timers. */
  readonly onFault: (error: unknown) => void;
  /** The kernel's interface was removed: ours is down for good. */
  readonly onGone?: (name: string) => void;
  /** Where the open descriptors are noted, for whoever survives this thread. */
  readonly descriptors?: DescriptorLog;
}

export interface TapInterfaceOptions {
  /** The kernel's interface, which is made where it does not exist; ours has the same name. */
  readonly name: string;
  /** Default: `tap`. */
  readonly mode?: "tap" | "tun";
  /** Open descriptors of the device, one a queue, for a process without rights; else they are opened. */
  readonly fds?: readonly number[];
  /** Default: 1. */
  readonly queues?: number;
  /** `10.7.0.2/24`, `fd07::2/64`. */
  readonly addresses?: readonly string[];
  /** Set on the kernel's interface where that is allowed. Default: what it has. */
  readonly mtu?: number;
  /** Default: made up at random. */
  readonly mac?: Mac;
  readonly settings?: Partial<InterfaceSettings>;
  /** Default: true. */
  readonly offload?: boolean;
  /** Bring the kernel's interface up where that is allowed. Default: true. */
  readonly bringUp?: boolean;
}

/**
 * A stack on TAP and TUN devices, driven by this thread's event loop, which it holds open until `close`.
 * Give it interfaces with `addInterface`; everything else is the stack's. Its stable IPv6 addresses come
 * from the identity of the machine and the interface's name, unless an `addressSecret` is given.
 */
export class TapHost {
  readonly stack: Stack;
  readonly rng: Rng = new SystemRng();
  readonly #loop: TapLoop;
  readonly #watch: LinkWatch;
  readonly #onFault: (error: unknown) => void;
  readonly #onGone: (name: string) => void;
  readonly #descriptors: DescriptorLog | null;
  readonly #devices: TapDevice[] = [];
  #closed = false;

  /** Throws a NetError (UNSUPPORTED) where native functions are not to be had. */
  constructor(options: TapHostOptions) {
    const reason = nativeAvailable();
    if (reason !== null) {
      throw new NetError("UNSUPPORTED", `tap driver: ${reason}`, { source: "internal" });
    }
    this.#onFault = options.onFault;
    this.#onGone = options.onGone ?? (() => {});
    this.#descriptors = options.descriptors ?? null;
    this.#loop = new TapLoop(options.onFault);
    const addressSecret = options.addressSecret ?? machineSecret();
    this.stack = new Stack({
      clock: this.#loop,
      rng: this.rng,
      wake: this.#loop.wake,
      onFault: options.onFault,
      // Sent straight from there.
      scratch: pinnedPacket(),
      ...(addressSecret === null ? {} : { addressSecret }),
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.tcp === undefined ? {} : { tcp: options.tcp }),
    });
    this.#watch = new LinkWatch(this.#loop.wake);
    this.#loop.drive(this.stack);
  }

  /** A host with one interface. Throws as `addInterface`; then nothing stays open. */
  static open(options: TapHostOptions & TapInterfaceOptions): TapHost {
    const host = new TapHost(options);
    try {
      host.addInterface(options);
    } catch (error) {
      host.close();
      throw error;
    }
    return host;
  }

  /**
   * Opens the device and adds an interface of its name, with its addresses. Throws a NetError that says
   * what to do where the device cannot be had, or EINVAL for an address that makes no sense.
   */
  addInterface(options: TapInterfaceOptions): Interface {
    const device = this.#openDevice(options);
    for (const { fd } of device.queues) this.#descriptors?.opened(fd);
    device.beforeClose = () => this.#forget(device);
    device.onGone = () => this.#onGone(device.name);
    const { name, settings = {}, addresses = [] } = options;
    try {
      this.#watch.add(device);
      const added = this.stack.addInterface({ name, device, settings });
      this.#loop.add(device);
      this.#devices.push(device);
      for (const address of addresses) this.stack.configuration.addAddress(name, address);
      return added;
    } catch (error) {
      if (this.stack.interface(name)?.device === device) this.stack.removeInterface(name);
      else device.close();
      throw error;
    }
  }

  get devices(): readonly TapDevice[] {
    return this.#devices;
  }

  /** Its TCP as proxies and HTTP want it; names are looked up by the system where none is given. */
  transport(lookup: (name: string) => Promise<readonly IpAddress[]> = lookUp): Transport {
    const { context, tcp } = this.stack;
    return new StackTransport({
      stack: {
        now: () => context.now(),
        schedule: (target, at) => context.schedule(target, at),
        rng: context.rng,
        tcp,
        atTurnEnd: (target) => this.stack.atTurnEnd(target),
      },
      wallClock: () => Date.now(),
      lookup,
      onFault: this.#onFault,
    });
  }

  /** Resets all connections and gives the devices back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    try {
      this.stack.close();
    } finally {
      this.#loop.close();
    }
  }

  /** The device is about to close, by this host or because its interface was removed. */
  #forget(device: TapDevice): void {
    this.#loop.remove(device);
    this.#watch.remove(device);
    const at = this.#devices.indexOf(device);
    if (at >= 0) this.#devices.splice(at, 1);
    for (const { fd } of device.queues) this.#descriptors?.closing(fd);
  }

  #openDevice(options: TapInterfaceOptions): TapDevice {
    const queues = openQueues(options);
    const [first] = queues;
    const { query } = this.#watch;
    const { name } = first!;
    const { mtu } = options;
    if (mtu !== undefined) query.setMtu(name, mtu);
    if (options.bringUp !== false) query.setUp(name, true);
    const found = query.mtu(name);
    return new TapDevice({
      queues,
      mac: options.mac ?? randomMac(this.rng),
      mtu: found > 0 ? found : (mtu ?? 1500),
      ...(options.offload === undefined ? {} : { offload: options.offload }),
    });
  }
}

function openQueues(options: TapInterfaceOptions): readonly TunQueue[] {
  const { name, mode = "tap", fds, queues = 1 } = options;
  if (fds !== undefined) return fds.map((fd) => TunQueue.adopt(fd));
  const opened: TunQueue[] = [];
  try {
    for (let i = 0; i < queues; i++) {
      opened.push(TunQueue.open({ name, mode, multiQueue: queues > 1 }));
    }
  } catch (error) {
    for (const queue of opened) queue.close();
    throw error;
  }
  return opened;
}

/** Of those that anybody may use (IEEE 802 §8.2.2): the local bit set, the group bit not. */
const randomMac = (rng: Rng): Mac => 0x0200_0000_0000 + (rng.u32() & 0xff) * 2 ** 32 + rng.u32();
