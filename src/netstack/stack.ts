import type { Rng } from "../core/random.ts";
import type { Instant } from "../core/time.ts";
import { TimerWheel } from "../core/timer-wheel.ts";
import type { Timer, TimerTarget, TurnTarget } from "../core/transport.ts";
import { TurnQueue } from "../core/turn-queue.ts";
import { Autoconfiguration } from "./autoconf/autoconfiguration.ts";
import { NameServerList } from "./autoconf/name-servers.ts";
import { Configuration } from "./configuration.ts";
import type { StackContext } from "./context.ts";
import { Dhcp4Client } from "./dhcp/dhcp4-client.ts";
import type { StackEvent } from "./events.ts";
import { Faults } from "./faults.ts";
import { Interface } from "./interface.ts";
import { Internet } from "./ip/internet.ts";
import { IPV4_LOOPBACK, IPV6_LOOPBACK } from "./ip-address.ts";
import { DEFAULT_LIMITS, type StackLimits } from "./limits.ts";
import { makeLink } from "./link/link.ts";
import { LoopbackDevice } from "./loopback.ts";
import { GroupTable } from "./multicast/group-table.ts";
import { IgmpHost } from "./multicast/igmp-host.ts";
import { MldHost } from "./multicast/mld-host.ts";
import { PingLayer } from "./ping/ping-layer.ts";
import { Prefix } from "./prefix.ts";
import { RawLayer } from "./raw/raw-layer.ts";
import { drawSipKey, type SipKey } from "./siphash.ts";
import type { InterfaceOptions, StackOptions } from "./stack-options.ts";
import { TcpLayer } from "./tcp/tcp-layer.ts";
import { UdpLayer } from "./udp/udp-layer.ts";

/** Loopback packets that cause others are followed so many times in one run; then other work comes. */
const LOOPBACK_ROUNDS = 16;

/**
 * A host on the network: interfaces, addresses, routes, neighbours, and the transports above them. All
 * of it may be changed while it runs; `watch` tells of each change.
 *
 * It does no I/O. Its driver hands frames to `interface.receive`, and calls `run()` after each batch of
 * them, when `nextTimeout()` has come, and soon after each call of `wake`: only then is anything sent
 * that a connection wants to send.
 */
export class Stack {
  readonly context: StackContext;
  readonly ip: Internet;
  readonly udp: UdpLayer;
  readonly tcp: TcpLayer;
  /** ICMP echo. */
  readonly ping: PingLayer;
  /** IP packets of any protocol. Frames are a `PacketSocket`'s, of an interface. */
  readonly raw: RawLayer;
  readonly nameServers: NameServerList;
  readonly autoconfiguration: Autoconfiguration;
  /** Addresses, routes, rules and neighbours by their text. */
  readonly configuration: Configuration;
  readonly loopback: Interface;
  readonly #igmp: IgmpHost;
  readonly #mld: MldHost;
  readonly #wheel: TimerWheel;
  readonly #options: StackOptions;
  readonly #faults: Faults;
  readonly #watchers = new Set<(event: StackEvent) => void>();
  readonly #interfaces = new Map<string, Interface>();
  readonly #dhcp = new Map<string, Dhcp4Client>();
  readonly #loopbackDevice: LoopbackDevice;
  readonly #turnEnd = new TurnQueue((error) => this.#faults.add(error));
  #nextIndex = 1;
  #running = false;
  #closed = false;

  constructor(options: StackOptions) {
    this.#options = options;
    this.#faults = new Faults(options.onFault ?? null);
    this.#wheel = new TimerWheel(options.clock.now(), () => this.#wake());
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.context = new Context(
      options,
      this.#wheel,
      limits,
      (event) => this.#emit(event),
      () => this.#wake(),
      this.#faults,
    );
    this.ip = new Internet(this.context, options.scratch);
    this.nameServers = new NameServerList(this.context);
    this.udp = new UdpLayer(this.context, this.ip);
    this.tcp = new TcpLayer(this.context, this.ip, options.tcp);
    this.ip.register(this.udp);
    this.ip.register(this.tcp);
    this.ping = new PingLayer(this.context, this.ip);
    this.raw = new RawLayer(this.context, this.ip);
    this.#igmp = new IgmpHost(this.context, this.ip);
    this.#mld = new MldHost(this.context, this.ip);
    this.autoconfiguration = new Autoconfiguration(
      this.context,
      this.ip,
      this.ip.routes,
      this.udp,
      this.nameServers,
    );
    this.configuration = new Configuration(this);
    this.#loopbackDevice = new LoopbackDevice(limits.loopbackQueue, () => this.#wake());
    this.loopback = this.addInterface({
      name: "lo",
      device: this.#loopbackDevice,
      settings: { conflictDetection: "off", linkLocal: false, acceptRouterAdvertisements: false },
    });
    this.loopback.addresses.add(new Prefix(IPV4_LOOPBACK, 8), "static", "preferred");
    this.loopback.addresses.add(new Prefix(IPV6_LOOPBACK, 128), "static", "preferred");
  }

  get interfaces(): readonly Interface[] {
    return [...this.#interfaces.values()];
  }

  interface(name: string): Interface | undefined {
    return this.#interfaces.get(name);
  }

  /** Adds it and brings it up. Throws RangeError when the name is taken. */
  addInterface(options: InterfaceOptions): Interface {
    const { name, device, settings, mtu } = options;
    if (this.#interfaces.has(name)) throw new RangeError(`there is an interface ${name} already`);
    const added = new Interface(this.context, this.#nextIndex++, name, device, settings, mtu);
    this.#interfaces.set(name, added);
    added.groups = new GroupTable(this.context, name);
    this.#tellOf(added);
    this.ip.addInterface(added);
    added.link = makeLink(this.context, added, this.ip, this.ip);
    if (device.medium !== "loopback") {
      this.#igmp.attach(added);
      this.#mld.attach(added);
      this.autoconfiguration.attach(added);
    }
    device.attach(added);
    this.#emit({ kind: "interface-added", interface: name });
    added.setUp(true);
    return added;
  }

  /** Takes it down, with its addresses and routes, and closes its device. */
  removeInterface(name: string): boolean {
    const removed = this.#interfaces.get(name);
    if (removed === undefined || removed === this.loopback) return false;
    this.#dhcp.get(name)?.stop();
    this.#dhcp.delete(name);
    removed.setUp(false);
    this.autoconfiguration.detach(removed);
    for (const { ip } of [...removed.addresses.all]) removed.addresses.remove(ip);
    this.#igmp.detach(removed);
    this.#mld.detach(removed);
    this.ip.removeInterface(removed);
    this.#interfaces.delete(name);
    removed.device.close();
    this.#emit({ kind: "interface-removed", interface: name });
    return true;
  }

  /**
   * Has the interface ask for an IPv4 address, routes and name servers (RFC 2131) whenever it is up;
   * `dhcp-state` tells how it goes. Throws RangeError when there is no such interface.
   */
  startDhcp(name: string): Dhcp4Client {
    const iface = this.#interfaces.get(name);
    if (iface === undefined) throw new RangeError(`there is no interface ${name}`);
    let client = this.#dhcp.get(name);
    if (client === undefined) {
      const { context, udp, ip, nameServers } = this;
      client = new Dhcp4Client(context, iface, udp, ip.routes, nameServers);
      this.#dhcp.set(name, client);
    }
    client.start();
    return client;
  }

  /** Calls the listener after each change. Returns what ends it. */
  watch(listener: (event: StackEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => void this.#watchers.delete(listener);
  }

  /**
   * Fires what is due and sends what waits. Returns `nextTimeout()`; without `onFault` it throws what
   * handlers have thrown since the last run.
   */
  run(): Instant | undefined {
    if (this.#running || this.#closed) return this.nextTimeout();
    this.#running = true;
    try {
      this.#fireTimers();
      for (let round = 0; ; round++) {
        this.#turnEnd.run();
        this.tcp.flush();
        if (this.#loopbackDevice.waiting === 0) break;
        if (round === LOOPBACK_ROUNDS) {
          this.#options.wake();
          break;
        }
        this.#loopbackDevice.deliver();
      }
    } finally {
      this.#running = false;
    }
    if (!this.#turnEnd.empty) this.#wake();
    this.#faults.raise();
    return this.nextTimeout();
  }

  /** Calls the target in the next run, before anything is sent. */
  atTurnEnd(target: TurnTarget): void {
    this.#turnEnd.add(target);
    this.#wake();
  }

  #fireTimers(): void {
    try {
      this.#wheel.advance(this.context.now());
    } catch (error) {
      this.#faults.add(error);
    }
  }

  /** When `run` has to be called at the latest; undefined: only when something happens. */
  nextTimeout(): Instant | undefined {
    return this.#closed ? undefined : this.#wheel.nextDeadline();
  }

  /** Timers that are set, of all parts: what peers can make grow is bounded, so they are, too. */
  get timers(): number {
    return this.#wheel.size;
  }

  /** Resets all connections, gives leased addresses back, and closes all devices. */
  close(): void {
    if (this.#closed) return;
    this.tcp.close();
    try {
      this.run();
    } finally {
      // Not before: resets come from the address that goes with the lease.
      for (const client of this.#dhcp.values()) client.stop();
      this.#closed = true;
      for (const { device } of this.#interfaces.values()) device.close();
      this.#wheel.clear();
    }
  }

  #wake(): void {
    if (!this.#running && !this.#closed) this.#options.wake();
  }

  #emit(event: StackEvent): void {
    for (const watcher of this.#watchers) {
      try {
        watcher(event);
      } catch (error) {
        this.context.fault(error);
      }
    }
  }

  /** Turns what the parts of an interface tell each other into events. */
  #tellOf(iface: Interface): void {
    const name = iface.name;
    iface.addresses.watch({
      onAddressAdded: ({ prefix, state, origin }) =>
        this.#emit({ kind: "address-added", interface: name, address: `${prefix}`, state, origin }),
      onAddressChanged: ({ prefix, state, origin }) =>
        this.#emit({
          kind: "address-changed",
          interface: name,
          address: `${prefix}`,
          state,
          origin,
        }),
      onAddressRemoved: ({ prefix }) =>
        this.#emit({ kind: "address-removed", interface: name, address: `${prefix}` }),
    });
    iface.watch({
      onUp: () => this.#emit({ kind: "interface-up", interface: name }),
      onDown: () => this.#emit({ kind: "interface-down", interface: name }),
      onMtu: () => this.#emit({ kind: "mtu-changed", interface: name, mtu: iface.mtu }),
    });
  }
}

class Context implements StackContext {
  readonly rng: Rng;
  readonly secret: SipKey;
  readonly addressSecret: SipKey;
  readonly limits: StackLimits;
  readonly emit: (event: StackEvent) => void;
  readonly wake: () => void;
  readonly #options: StackOptions;
  readonly #wheel: TimerWheel;
  readonly #faults: Faults;

  constructor(
    options: StackOptions,
    wheel: TimerWheel,
    limits: StackLimits,
    emit: (event: StackEvent) => void,
    wake: () => void,
    faults: Faults,
  ) {
    this.#options = options;
    this.#wheel = wheel;
    this.#faults = faults;
    this.rng = options.rng;
    this.secret = drawSipKey(options.rng);
    this.addressSecret = options.addressSecret ?? this.secret;
    this.limits = limits;
    this.emit = emit;
    this.wake = wake;
  }

  now(): Instant {
    return this.#options.clock.now();
  }

  fault(error: unknown): void {
    this.#faults.add(error);
    this.wake(); // where it is thrown at the end of a run
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.#wheel.schedule(target, at);
  }
}
