import { AddressTable } from "./address-table.ts";
import type { StackContext } from "./context.ts";
import type { Device, DevicePort } from "./device.ts";
import type { SendVerdict } from "./ip/ip-layer.ts";
import type { Ip } from "./ip-address.ts";
import type { AddressConflicts } from "./link/address-conflict.ts";
import type { NeighborTable } from "./link/neighbor-table.ts";
import type { GroupTable } from "./multicast/group-table.ts";
import type { Packet } from "./packet.ts";

/**
 * What may be set on an interface, at any time by `configuration.changeSettings`; defaults are those of a
 * host.
 */
export interface InterfaceSettings {
  /** Packets that are not for us are passed on (RFC 1812; for IPv6 RFC 8200 and the R bit of RFC 4861). */
  forwarding: boolean;
  /** SLAAC and routes from router advertisements; ignored while `forwarding`. */
  acceptRouterAdvertisements: boolean;
  /**
   * Better first hops that routers tell of (RFC 1122 §3.2.2.2; RFC 4861 §8, where router advertisements
   * are accepted); ignored while `forwarding`.
   */
  acceptRedirects: boolean;
  /** While `forwarding`: tell neighbours who should send straight to somebody else on the link. */
  sendRedirects: boolean;
  /** Temporary addresses (RFC 8981) beside the stable ones. */
  temporaryAddresses: boolean;
  /** Make a link-local IPv6 address when the interface comes up. */
  linkLocal: boolean;
  ipv4: boolean;
  ipv6: boolean;
  /**
   * IPv4 addresses set by hand: `probe` waits for RFC 5227's probes (6 to 9 seconds), `announce` uses
   * the address at once, asks once who else has it, and defends it; `off` does none of it. IPv6 always follows RFC 4862 unless `off`.
   */
  conflictDetection: "probe" | "announce" | "off";
  /** DupAddrDetectTransmits (RFC 4862 §5.1). */
  dadTransmits: number;
  /** CurHopLimit (RFC 4861 §6.3.2), for IPv6, and the TTL of IPv4 (RFC 1700: 64). */
  hopLimit: number;
  /** Refuse packets whose source would not be reached through this interface (RFC 3704 §2.2). */
  reversePathFilter: boolean;
  /** The VLAN whose tagged frames this Ethernet interface sends and takes, 1 to 4094; 0: untagged ones. */
  vlan: number;
}

export const HOST_SETTINGS: Readonly<InterfaceSettings> = Object.freeze({
  forwarding: false,
  acceptRouterAdvertisements: true,
  acceptRedirects: true,
  sendRedirects: true,
  temporaryAddresses: false,
  linkLocal: true,
  ipv4: true,
  ipv6: true,
  conflictDetection: "announce",
  dadTransmits: 1,
  hopLimit: 64,
  reversePathFilter: false,
  vlan: 0,
});

/** What the layer below IP does. Made by `link/`: one for Ethernet, one for media without addresses. */
export interface LinkLayer {
  /** The neighbours, of both families; null where the medium has no link addresses. */
  readonly neighbors: NeighborTable | null;
  /** Who else uses an IPv4 address on this link (RFC 5227); null likewise. */
  readonly conflicts: AddressConflicts | null;
  /**
   * Sends the IP packet packet[start, end) to a neighbour, group or broadcast address on this link;
   * where its link address is not known yet, a copy waits. `full`: the device has no room.
   */
  send(nextHop: Ip, packet: Packet): SendVerdict;
  /** A frame from the device: hands IP packets up, with `start` behind the link header. */
  receive(packet: Packet): void;
  /** Forward progress was seen through that neighbour (RFC 4861 §7.3.1). */
  confirm(nextHop: Ip): void;
  /** Forgets all that was learnt: the carrier went. */
  reset(): void;
}

/** IP's side of a link. `linkGroup`: the frame was addressed to a group or to all. */
export interface NetworkInput {
  receiveIpv4(from: Interface, packet: Packet, linkGroup: boolean): void;
  receiveIpv6(from: Interface, packet: Packet, linkGroup: boolean): void;
  /**
   * The IP packet packet[start, end) waited for a neighbour who did not answer: its sender is to hear
   * of it. Called from timers alone, never from within `LinkLayer.send`.
   */
  undeliverable(out: Interface, packet: Packet): void;
}

/** Sees every frame of an interface as it is on the wire; may not change or keep it. */
export interface FrameTap {
  onFrame(from: Interface, packet: Packet, direction: "in" | "out"): void;
}

/** What happens to an interface beside its packets. */
export interface InterfaceListener {
  onReady?(from: Interface): void;
  onUp?(from: Interface): void;
  onDown?(from: Interface): void;
  onMtu?(from: Interface): void;
}

/** Counts since the interface was added (RFC 2863's ifTable, and why packets were dropped). */
export class InterfaceCounters {
  inFrames = 0;
  inBytes = 0;
  outFrames = 0;
  outBytes = 0;
  /** Truncated, malformed, bad checksum. */
  inErrors = 0;
  /** Not for us, or of a kind that nobody wants. */
  inDiscards = 0;
  /** No room in the device or a queue. */
  outDiscards = 0;
}

/** A device, its addresses and its settings. What it receives goes to its link layer. */
export class Interface implements DevicePort {
  /** From 1 up, never used again: the scope of link-local addresses. */
  readonly index: number;
  readonly name: string;
  readonly device: Device;
  readonly settings: InterfaceSettings;
  readonly counters = new InterfaceCounters();
  readonly addresses: AddressTable;
  /** Set by the stack before anything is received. */
  link!: LinkLayer;
  groups!: GroupTable;
  /** By its administrator and by its carrier. */
  up = false;
  /** The device's, or less where it was set so. */
  mtu: number;
  #mtuCap: number;
  /** As learnt; 0: not. */
  #routerMtu = 0;
  #dhcpMtu = 0;
  #adminUp = true;
  #carrier = true;
  readonly #context: StackContext;
  readonly #taps: FrameTap[] = [];
  readonly #listeners: InterfaceListener[] = [];

  constructor(
    context: StackContext,
    index: number,
    name: string,
    device: Device,
    settings: Partial<InterfaceSettings> = {},
    mtuCap = 65_535,
  ) {
    this.#context = context;
    this.index = index;
    this.name = name;
    this.device = device;
    this.settings = { ...HOST_SETTINGS, ...settings };
    this.addresses = new AddressTable(context.limits.addressesPerInterface);
    this.#mtuCap = mtuCap;
    this.mtu = Math.min(device.mtu, mtuCap);
  }

  watch(listener: InterfaceListener): void {
    this.#listeners.push(listener);
  }

  addTap(tap: FrameTap): void {
    this.#taps.push(tap);
  }

  removeTap(tap: FrameTap): void {
    const at = this.#taps.indexOf(tap);
    if (at >= 0) this.#taps.splice(at, 1);
  }

  receive(packet: Packet): void {
    if (!this.up) return;
    this.counters.inFrames++;
    this.counters.inBytes += packet.end - packet.start;
    if (this.#taps.length > 0) this.#show(packet, "in");
    this.link.receive(packet);
  }

  /** The last step down: a whole frame to the device. */
  transmit(packet: Packet): boolean {
    if (!this.up) return true;
    const length = packet.end - packet.start;
    if (this.#taps.length > 0) this.#show(packet, "out");
    if (!this.device.transmit(packet)) return false;
    this.counters.outFrames++;
    this.counters.outBytes += length;
    return true;
  }

  #show(packet: Packet, direction: "in" | "out"): void {
    for (const tap of this.#taps) {
      try {
        tap.onFrame(this, packet, direction);
      } catch (error) {
        this.#context.fault(error);
      }
    }
  }

  ready(): void {
    for (const listener of this.#listeners) listener.onReady?.(this);
  }

  linkChanged(carrier: boolean): void {
    this.#carrier = carrier;
    this.#update();
  }

  setUp(up: boolean): void {
    this.#adminUp = up;
    this.#update();
  }

  mtuChanged(_mtu: number): void {
    this.setMtu(this.#mtuCap);
  }

  /** At most what the device takes. */
  setMtu(mtu: number): void {
    this.#mtuCap = mtu;
    let next = Math.min(this.device.mtu, mtu);
    if (this.#routerMtu > 0) next = Math.min(next, this.#routerMtu);
    if (this.#dhcpMtu > 0) next = Math.min(next, this.#dhcpMtu);
    if (next === this.mtu) return;
    this.mtu = next;
    for (const listener of this.#listeners) listener.onMtu?.(this);
  }

  /** What a router or DHCP says of the link's MTU: lowers it at most. 0 takes it back. */
  learnMtu(from: "router" | "dhcp", mtu: number): void {
    if (from === "router") this.#routerMtu = mtu;
    else this.#dhcpMtu = mtu;
    this.setMtu(this.#mtuCap);
  }

  #update(): void {
    const up = this.#adminUp && this.#carrier;
    if (up === this.up) return;
    this.up = up;
    for (const listener of this.#listeners) {
      if (up) listener.onUp?.(this);
      else listener.onDown?.(this);
    }
  }
}
