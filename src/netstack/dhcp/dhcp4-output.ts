import { pseudoSumV4 } from "../../wire/checksum.ts";
import {
  DHCP4_CLIENT_PORT,
  DHCP4_SERVER_PORT,
  Dhcp4MessageType,
  Dhcp4Operation,
  type Dhcp4Repr,
  dhcp4Length,
  emitDhcp4,
} from "../../wire/dhcp4.ts";
import { Dhcp4Option, type Dhcp4Options, NO_DHCP4_OPTIONS } from "../../wire/dhcp4-options.ts";
import { emitUdp, fillUdpChecksum, UDP_PROTOCOL } from "../../wire/udp.ts";
import type { Interface } from "../interface.ts";
import { IPV4_ANY, IPV4_BROADCAST, type Ip } from "../ip-address.ts";
import type { DhcpPort } from "./dhcp-port.ts";

/** What differs from message to message. */
export interface Dhcp4Message {
  /** `Dhcp4MessageType`. */
  readonly type: number;
  readonly transactionId: number;
  /** Since the exchange began. */
  readonly seconds: number;
  /** Our address where it is in use (RFC 2131 §2: ciaddr); the message then comes from it. */
  readonly from: Ip | null;
  /** Whom to tell; null: everybody. */
  readonly to: Ip | null;
  readonly options: Partial<Dhcp4Options>;
}

/** RFC 3442: classless routes are asked for before routers. */
const WANTED = [
  Dhcp4Option.subnetMask,
  Dhcp4Option.classlessRoutes,
  Dhcp4Option.routers,
  Dhcp4Option.nameServers,
  Dhcp4Option.domainName,
  Dhcp4Option.domainSearch,
  Dhcp4Option.interfaceMtu,
  Dhcp4Option.leaseTime,
  Dhcp4Option.renewalTime,
  Dhcp4Option.rebindingTime,
];
/** Messages of which we want no configuration. */
const BARE = new Set<number>([Dhcp4MessageType.decline, Dhcp4MessageType.release]);

export class Dhcp4Output {
  readonly #iface: Interface;
  readonly #udp: DhcpPort;

  constructor(iface: Interface, udp: DhcpPort) {
    this.#iface = iface;
    this.#udp = udp;
  }

  send(message: Dhcp4Message): void {
    const repr = this.#reprOf(message);
    const { from, to } = message;
    if (from !== null && to !== null && this.#sendRouted(repr, from, to)) return;
    // Also what cannot be sent to one alone: servers take it from the broadcast as well.
    const bytes = new Uint8Array(dhcp4Length(repr));
    emitDhcp4(repr, new DataView(bytes.buffer), 0);
    this.#udp.sendOn(
      this.#iface,
      from ?? IPV4_ANY,
      DHCP4_CLIENT_PORT,
      IPV4_BROADCAST,
      DHCP4_SERVER_PORT,
      bytes,
      0,
      bytes.length,
    );
  }

  /** To a server that may be behind a router; false when there is no way, or it would come too late. */
  #sendRouted(repr: Dhcp4Repr, from: Ip, to: Ip): boolean {
    const { ip } = this.#udp;
    const path = ip.resolve(to, { source: from, interface: this.#iface });
    if (typeof path === "string") return false;
    // The address goes right after a release: nothing can wait until its next hop is found.
    if (repr.messageType === Dhcp4MessageType.release && !this.#isKnown(path.nextHop)) return false;
    const packet = ip.scratch();
    const { view, start } = packet;
    const header = {
      sourcePort: DHCP4_CLIENT_PORT,
      destinationPort: DHCP4_SERVER_PORT,
      payloadLength: dhcp4Length(repr),
    };
    packet.end = emitDhcp4(repr, view, emitUdp(header, view, start));
    const pseudo = pseudoSumV4(from.w3, to.w3, UDP_PROTOCOL, packet.end - start);
    fillUdpChecksum(view, start, packet.end, pseudo);
    ip.send(path, packet, UDP_PROTOCOL, 0, 0, "allowed");
    return true;
  }

  #isKnown(nextHop: Ip): boolean {
    const { neighbors } = this.#iface.link;
    return neighbors === null || neighbors.find(nextHop)?.mac != null;
  }

  #reprOf({ type, transactionId, seconds, from, options }: Dhcp4Message): Dhcp4Repr {
    const { mac } = this.#iface.device;
    const clientIdentifier = new Uint8Array(7);
    // RFC 2132 §9.14: hardware type, then the address.
    clientIdentifier[0] = 1;
    for (let i = 6, rest = mac; i > 0; i--, rest = Math.floor(rest / 256))
      clientIdentifier[i] = rest % 256;
    const bare = BARE.has(type);
    return {
      operation: Dhcp4Operation.request,
      messageType: type,
      hops: 0,
      transactionId,
      seconds: Math.min(seconds, 0xffff),
      // RFC 2131 §4.1: without an address, an answer to all arrives whatever the server can do.
      broadcast: from === null && !bare,
      clientAddress: from === null ? 0 : from.w3 >>> 0,
      yourAddress: 0,
      nextServer: 0,
      relay: 0,
      clientMac: mac,
      serverName: "",
      bootFile: "",
      options: {
        ...NO_DHCP4_OPTIONS,
        clientIdentifier,
        parameterRequestList: bare ? [] : WANTED,
        maximumMessageSize: bare ? null : Math.max(576, Math.min(1500, this.#iface.mtu)),
        ...options,
      },
    };
  }
}
