import { after, type Duration, type Instant } from "../../core/time.ts";
import {
  DHCP4_CLIENT_PORT,
  DHCP4_SERVER_PORT,
  Dhcp4MessageType,
  type Dhcp4Repr,
  Dhcp4View,
  parseDhcp4,
} from "../../wire/dhcp4.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { NameServerList } from "../autoconf/name-servers.ts";
import type { StackContext } from "../context.ts";
import { Deadline, randomBelow } from "../deadline.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { Ip } from "../ip-address.ts";
import type { DhcpPort } from "./dhcp-port.ts";
import { Dhcp4Configuration } from "./dhcp4-configuration.ts";
import { Dhcp4Exchange } from "./dhcp4-exchange.ts";
import { type Dhcp4Lease, isHost, leaseOf } from "./dhcp4-lease.ts";
import {
  DECLINE_DELAY,
  type Dhcp4State,
  MIN_RENEW_INTERVAL,
  NAK_DELAY,
  REBOOT_ATTEMPTS,
  REQUEST_ATTEMPTS,
  START_DELAY,
} from "./dhcp4-state.ts";

const { offer, ack, nak } = Dhcp4MessageType;

/**
 * The DHCPv4 client of an interface (RFC 2131). It follows the interface up and down, and asks for its
 * last address again when it comes back. The first offer is taken; times without an answer go on for
 * ever, a minute apart.
 */
export class Dhcp4Client {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #udp: DhcpPort;
  readonly #exchange: Dhcp4Exchange;
  readonly #configuration: Dhcp4Configuration;
  readonly #deadline: Deadline;
  readonly #view = new Dhcp4View();
  #state: Dhcp4State = { kind: "stopped" };
  #release: (() => void) | null = null;
  /** The last lease, to ask for again after the interface was down. */
  #remembered: Dhcp4Lease | null = null;

  constructor(
    context: StackContext,
    iface: Interface,
    udp: DhcpPort,
    routes: RoutingTable,
    nameServers: NameServerList,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#udp = udp;
    this.#exchange = new Dhcp4Exchange(context, iface, udp);
    this.#configuration = new Dhcp4Configuration(iface, routes, nameServers);
    this.#deadline = new Deadline(context, (now) => this.#onDue(now));
    iface.watch({ onUp: () => this.#onUp(), onDown: () => this.#onDown() });
    iface.addresses.watch({
      onAddressChanged: (address) => this.#onAddressChanged(address),
      onAddressRemoved: (address) => this.#onAddressRemoved(address),
    });
  }

  get state(): Dhcp4State {
    return this.#state;
  }

  get lease(): Dhcp4Lease | null {
    return "lease" in this.#state ? this.#state.lease : null;
  }

  start(): void {
    if (this.#release !== null) return;
    this.#release = this.#udp.bindSystemPort(
      this.#iface,
      DHCP4_CLIENT_PORT,
      (inbound, port, start, end) => this.#receive(inbound, port, start, end),
    );
    if (this.#iface.up) this.#begin(START_DELAY);
  }

  /** Gives the address back (§4.4.6) and forgets it. */
  stop(): void {
    if (this.#release === null) return;
    if (this.lease !== null && this.#configuration.ip !== null) {
      this.#exchange.begin();
      this.#exchange.release(this.lease);
    }
    this.#halt();
    this.#release?.();
    this.#release = null;
    this.#remembered = null;
    this.#configuration.withdraw();
    this.#enter({ kind: "stopped" });
  }

  #onUp(): void {
    if (this.#release === null) return;
    const last = this.#remembered;
    if (last === null || last.expiresAt <= this.#context.now()) this.#begin(START_DELAY);
    else {
      // §4.4.2: perhaps the same network, perhaps not; its server knows.
      this.#enter({ kind: "init-reboot", address: last.address.ip });
      this.#wait(START_DELAY);
    }
  }

  /** The address goes, since another network may follow. */
  #onDown(): void {
    if (this.#release === null) return;
    this.#remembered = this.lease ?? this.#remembered;
    this.#halt();
    this.#configuration.withdraw();
    this.#enter({ kind: "init" });
  }

  /** A conflict that the link found later on (RFC 5227 §2.4). */
  #onAddressChanged(address: InterfaceAddress): void {
    const { lease } = this;
    if (address.state !== "duplicated" || !this.#configuration.owns(address) || lease === null)
      return;
    this.#decline(lease);
  }

  #onAddressRemoved(address: InterfaceAddress): void {
    if (!this.#configuration.owns(address)) return;
    const { kind } = this.#state;
    this.#configuration.forget();
    // Ours goes by `withdraw` when it is no more; otherwise somebody wants to be without.
    if (kind === "bound" || kind === "renewing" || kind === "rebinding") this.#begin(DECLINE_DELAY);
  }

  #onDue(now: Instant): void {
    const state = this.#state;
    switch (state.kind) {
      case "stopped":
      case "checking":
        return;
      case "init":
        this.#exchange.begin();
        this.#enter({ kind: "selecting" });
        this.#ask();
        return;
      case "init-reboot":
        this.#exchange.begin();
        this.#enter({ kind: "rebooting", address: state.address });
        this.#ask();
        return;
      case "selecting":
        this.#ask();
        return;
      case "requesting":
        if (this.#exchange.attempts < REQUEST_ATTEMPTS) this.#ask();
        else this.#begin(START_DELAY);
        return;
      case "rebooting":
        if (this.#exchange.attempts < REBOOT_ATTEMPTS) this.#ask();
        else this.#reuse(now);
        return;
      case "bound":
      case "renewing":
      case "rebinding":
        this.#keep(state.lease, now);
        return;
      default:
        state satisfies never;
    }
  }

  /** What the state has to say, once more, and when to say it again (§4.1). */
  #ask(): void {
    const state = this.#state;
    if (state.kind === "selecting") this.#exchange.discover(this.#remembered?.address.ip ?? null);
    else if (state.kind === "requesting") this.#exchange.request(state.address, state.server);
    else if (state.kind === "rebooting") this.#exchange.request(state.address, null);
    this.#wait(this.#exchange.nextTimeout());
  }

  /** Renews the lease from its server, then from any, until it ends (§4.4.5). */
  #keep(lease: Dhcp4Lease, now: Instant): void {
    if (now >= lease.expiresAt) {
      this.#configuration.withdraw();
      this.#enter({ kind: "init" });
      this.#wait(0 as Duration);
      return;
    }
    const rebinding = now >= lease.rebindAt;
    const kind = rebinding ? "rebinding" : "renewing";
    if (this.#state.kind !== kind) {
      this.#exchange.begin();
      this.#enter({ kind, lease });
    }
    this.#exchange.renew(lease.address.ip, rebinding ? null : lease.server);
    const end = rebinding ? lease.expiresAt : lease.rebindAt;
    const half = Math.trunc((end - now) / 2) as Duration;
    const next = after(now, half > MIN_RENEW_INTERVAL ? half : MIN_RENEW_INTERVAL);
    this.#deadline.set(next < end ? next : end);
  }

  #receive(inbound: Inbound, port: number, start: number, end: number): void {
    const view = this.#view;
    if (inbound.version !== 4 || port !== DHCP4_SERVER_PORT) return;
    if (view.wrap(inbound.packet.view, start, end) !== "ok") return;
    if (!this.#exchange.isAnswer(view)) return;
    const { kind } = this.#state;
    if (view.messageType === offer) {
      if (kind === "selecting") this.#onOffer(parseDhcp4(view));
      return;
    }
    if (
      kind !== "requesting" &&
      kind !== "rebooting" &&
      kind !== "renewing" &&
      kind !== "rebinding"
    )
      return;
    if (view.messageType === ack) this.#onAck(parseDhcp4(view));
    else if (view.messageType === nak) this.#onNak(parseDhcp4(view));
  }

  #onOffer({ yourAddress, options }: Dhcp4Repr): void {
    const address = Ip.v4(yourAddress);
    if (options.serverIdentifier === null || !isHost(address)) return;
    const server = Ip.v4(options.serverIdentifier);
    if (!isHost(server)) return;
    this.#exchange.attempts = 0;
    this.#enter({ kind: "requesting", address, server });
    this.#ask();
  }

  #onAck(message: Dhcp4Repr): void {
    const lease = leaseOf(message, this.#exchange.askedAt, this.#context.limits.dhcpRoutes);
    const state = this.#state;
    if (lease === null) return;
    if (state.kind === "renewing" || state.kind === "rebinding") {
      // §4.4.5: the same address, for longer.
      if (lease.address.ip.equals(state.lease.address.ip)) this.#bind(lease);
      return;
    }
    if (!("address" in state) || !state.address.equals(lease.address.ip)) return;
    if (state.kind === "requesting" && !state.server.equals(lease.server)) return;
    this.#check(lease);
  }

  /** §3.1 step 4: what it was for is void. */
  #onNak({ options }: Dhcp4Repr): void {
    const state = this.#state;
    if (state.kind === "requesting" && options.serverIdentifier !== state.server.w3 >>> 0) return;
    this.#remembered = null;
    this.#configuration.withdraw();
    this.#begin(NAK_DELAY);
  }

  /** §4.4.1: probes for the address before it is used. */
  #check(lease: Dhcp4Lease): void {
    const { link, settings } = this.#iface;
    this.#deadline.cancel();
    if (link.conflicts === null || settings.conflictDetection === "off") {
      this.#bind(lease);
      return;
    }
    const probe = link.conflicts.probe(lease.address.ip, (conflict) => {
      const state = this.#state;
      if (state.kind !== "checking" || state.lease !== lease) return;
      if (conflict === null) {
        this.#bind(lease);
        return;
      }
      const address = lease.address.ip.toString();
      const { name } = this.#iface;
      this.#context.emit({ kind: "address-conflict", interface: name, address, mac: conflict });
      this.#decline(lease);
    });
    this.#enter({ kind: "checking", lease, probe });
  }

  #bind(lease: Dhcp4Lease): void {
    this.#remembered = lease;
    // Before the interface tells of its address, so that whoever hears of it finds the lease.
    const before = this.#state;
    this.#state = { kind: "bound", lease };
    if (!this.#configuration.apply(lease)) {
      this.#state = before;
      this.#begin(DECLINE_DELAY);
      return;
    }
    this.#enter({ kind: "bound", lease });
    this.#deadline.set(lease.renewAt);
  }

  /** §4.4.4 */
  #decline(lease: Dhcp4Lease): void {
    this.#exchange.begin();
    this.#exchange.decline(lease);
    this.#remembered = null;
    this.#begin(DECLINE_DELAY);
    // Not now: the table may be telling of the conflict.
    const onTimer = (): void => {
      if (this.lease === null) this.#configuration.withdraw();
    };
    this.#context.schedule({ onTimer }, this.#context.now());
  }

  /** A lease that has not ended may be used when no server answers (§3.2 step 4, §4.4.2). */
  #reuse(now: Instant): void {
    const lease = this.#remembered;
    if (lease !== null && lease.expiresAt > now) this.#check(lease);
    else this.#begin(START_DELAY);
  }

  #begin(delay: Duration): void {
    this.#halt();
    this.#enter({ kind: "init" });
    this.#wait(delay);
  }

  #halt(): void {
    this.#deadline.cancel();
    if (this.#state.kind === "checking") this.#state.probe?.cancel();
  }

  /** A random part of the time, so that many clients are not in step; a timeout has its own jitter. */
  #wait(delay: Duration): void {
    const { kind } = this.#state;
    const starting = (kind === "init" || kind === "init-reboot") && delay === START_DELAY;
    const chosen = starting ? randomBelow(this.#context.rng, delay) : delay;
    this.#deadline.set(after(this.#context.now(), chosen));
  }

  #enter(state: Dhcp4State): void {
    const before = this.#state.kind;
    this.#state = state;
    if (before === state.kind && state.kind !== "bound") return;
    const address = this.#configuration.ip?.toString() ?? null;
    this.#context.emit({
      kind: "dhcp-state",
      interface: this.#iface.name,
      state: state.kind,
      address,
    });
  }
}
