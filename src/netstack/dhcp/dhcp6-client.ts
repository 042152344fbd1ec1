import { unit } from "../../core/random.ts";
import { after, type Duration, type Instant, seconds } from "../../core/time.ts";
import {
  DHCP6_CLIENT_PORT,
  DHCP6_SERVER_PORT,
  Dhcp6MessageType,
  type Dhcp6Repr,
  Dhcp6View,
  dhcp6Length,
  emitDhcp6,
  parseDhcp6,
} from "../../wire/dhcp6.ts";
import { Dhcp6Option, NO_DHCP6_OPTIONS } from "../../wire/dhcp6-options.ts";
import { writeMac } from "../../wire/mac.ts";
import { FOREVER } from "../address-table.ts";
import type { NameServerList } from "../autoconf/name-servers.ts";
import type { StackContext } from "../context.ts";
import { Deadline, randomBelow } from "../deadline.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { DhcpPort } from "./dhcp-port.ts";

/** ff02::1:2 (RFC 8415 §7.1). */
const ALL_SERVERS = Ip.v6(0xff02_0000, 0, 0, 0x0001_0002);
/** RFC 8415 §7.6. */
const INF_MAX_DELAY = seconds(1);
const INF_TIMEOUT = seconds(1);
const INF_MAX_RT = 3_600;
const IRT_DEFAULT = 86_400;
const IRT_MINIMUM = 600;
const INFINITE = 0xffff_ffff;

/**
 * Stateless DHCPv6 (RFC 8415 §6.1): asks any server for name servers and search domains, until one
 * answers, and again when what it said is to be refreshed.
 */
export class Dhcp6Client {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #udp: DhcpPort;
  readonly #nameServers: NameServerList;
  readonly #deadline: Deadline;
  readonly #view = new Dhcp6View();
  #release: (() => void) | null = null;
  /** -1: no exchange. */
  #transactionId = -1;
  #began: Instant;
  /** RT of §15, in microseconds; 0 before the first message. */
  #timeout = 0;
  /** INF_MAX_RT in seconds, which a server may set (§21.25). */
  #maxTimeout = INF_MAX_RT;

  constructor(context: StackContext, iface: Interface, udp: DhcpPort, nameServers: NameServerList) {
    this.#context = context;
    this.#iface = iface;
    this.#udp = udp;
    this.#nameServers = nameServers;
    this.#began = context.now();
    this.#deadline = new Deadline(context, () => this.#onDue());
  }

  get active(): boolean {
    return this.#release !== null;
  }

  /** Nothing when it runs already. */
  start(): void {
    if (this.#release !== null) return;
    this.#release = this.#udp.bindSystemPort(
      this.#iface,
      DHCP6_CLIENT_PORT,
      (inbound, port, start, end) => this.#receive(inbound, port, start, end),
    );
    this.#begin();
  }

  /** Forgets what servers said. */
  stop(): void {
    if (this.#release === null) return;
    this.#release();
    this.#release = null;
    this.#transactionId = -1;
    this.#maxTimeout = INF_MAX_RT;
    this.#deadline.cancel();
    this.#nameServers.forget(this.#iface.name, "dhcp6");
  }

  /** §18.2.6: the first message is late by a random time. */
  #begin(): void {
    this.#transactionId = -1;
    this.#deadline.set(after(this.#context.now(), randomBelow(this.#context.rng, INF_MAX_DELAY)));
  }

  #onDue(): void {
    const now = this.#context.now();
    const source = this.#iface.addresses.all.find(
      ({ ip, assigned }) => assigned && ip.version === 6 && ip.isLinkLocal,
    );
    // §13.1: from a link-local address; it may still be checked.
    if (source === undefined) {
      this.#deadline.set(after(now, INF_TIMEOUT));
      return;
    }
    if (this.#transactionId < 0) {
      this.#transactionId = this.#context.rng.u32() >>> 8;
      this.#began = now;
      this.#timeout = 0;
    }
    this.#send(source.ip, now);
    // §15: RT = 2 RTprev + RAND RTprev, MRT + RAND MRT at most.
    const random = 0.2 * unit(this.#context.rng) - 0.1;
    const [base, next] =
      this.#timeout === 0 ? [INF_TIMEOUT, INF_TIMEOUT] : [this.#timeout, 2 * this.#timeout];
    const limit = seconds(this.#maxTimeout);
    const timeout = next + random * base;
    this.#timeout = Math.trunc(timeout > limit ? limit * (1 + random) : timeout);
    this.#deadline.set(after(now, this.#timeout as Duration));
  }

  #send(source: Ip, now: Instant): void {
    const repr: Dhcp6Repr = {
      messageType: Dhcp6MessageType.informationRequest,
      transactionId: this.#transactionId,
      options: {
        ...NO_DHCP6_OPTIONS,
        clientIdentifier: this.#duid(),
        elapsedTime: Math.min(0xffff, Math.floor((now - this.#began) / 10_000)),
        optionRequest: [
          Dhcp6Option.nameServers,
          Dhcp6Option.domainSearch,
          Dhcp6Option.informationRefreshTime,
          Dhcp6Option.informationMaxRt,
        ],
      },
    };
    const bytes = new Uint8Array(dhcp6Length(repr));
    emitDhcp6(repr, new DataView(bytes.buffer), 0);
    const { length } = bytes;
    this.#udp.sendOn(
      this.#iface,
      source,
      DHCP6_CLIENT_PORT,
      ALL_SERVERS,
      DHCP6_SERVER_PORT,
      bytes,
      0,
      length,
    );
  }

  /** DUID-LL (§11.4): type 3, Ethernet, the address. */
  #duid(): Uint8Array {
    const bytes = new Uint8Array(10);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 3);
    view.setUint16(2, 1);
    writeMac(view, 4, this.#iface.device.mac);
    return bytes;
  }

  /** §16.10: a reply to our request, from some server, not to another client. */
  #receive(inbound: Inbound, port: number, start: number, end: number): void {
    const view = this.#view;
    if (inbound.version !== 6 || port !== DHCP6_SERVER_PORT || this.#transactionId < 0) return;
    if (view.wrap(inbound.packet.view, start, end) !== "ok") return;
    if (view.messageType !== Dhcp6MessageType.reply) return;
    if (view.transactionId !== this.#transactionId) return;
    const { options } = parseDhcp6(view);
    const { clientIdentifier, serverIdentifier, status } = options;
    if (serverIdentifier === null || (status !== null && status.code !== 0)) return;
    if (clientIdentifier !== null && !sameOctets(clientIdentifier, this.#duid())) return;
    this.#take(options);
  }

  #take(options: Dhcp6Repr["options"]): void {
    const { informationMaxRt, informationRefreshTime } = options;
    // §21.25: other values are ignored.
    if (informationMaxRt !== null && informationMaxRt >= 60 && informationMaxRt <= 86_400) {
      this.#maxTimeout = informationMaxRt;
    }
    this.#transactionId = -1;
    const now = this.#context.now();
    // §21.23: a day where nothing is said, never less than ten minutes.
    const told = informationRefreshTime ?? IRT_DEFAULT;
    const refreshAt =
      told === INFINITE ? FOREVER : after(now, seconds(Math.max(told, IRT_MINIMUM)));
    const servers = options.nameServers.map((one) => Ip.v6(...one));
    const domains = options.domainSearch.filter((name) => name !== ".");
    // What was told is used until other is told (§18.2.10.4), also while no server answers.
    this.#nameServers.replace(this.#iface.name, "dhcp6", servers, domains, FOREVER);
    this.#deadline.set(refreshAt);
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
