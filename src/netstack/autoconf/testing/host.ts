import { EthernetView, EtherType, emitEthernet } from "../../../wire/ethernet.ts";
import { emitIpv4, Ipv4View } from "../../../wire/ipv4.ts";
import { Ipv4OptionType } from "../../../wire/ipv4-options.ts";
import { emitIpv6, Ipv6View } from "../../../wire/ipv6.ts";
import type { Ipv6Words } from "../../../wire/ipv6-address.ts";
import { Ipv6Walker } from "../../../wire/ipv6-walker.ts";
import { type Mac, multicastMacV4, multicastMacV6 } from "../../../wire/mac.ts";
import { type Device, type DevicePort, NO_OFFLOAD } from "../../device.ts";
import { Interface, type InterfaceSettings } from "../../interface.ts";
import { Internet } from "../../ip/internet.ts";
import { Ip } from "../../ip-address.ts";
import type { StackLimits } from "../../limits.ts";
import { makeLink } from "../../link/link.ts";
import { TestContext } from "../../link/testing/test-context.ts";
import { GroupTable } from "../../multicast/group-table.ts";
import { Packet } from "../../packet.ts";

export const HOST_MAC: Mac = 0x0200_0000_0001;
export const ROUTER_MAC: Mac = 0x0200_0000_0099;

/** An IP packet that the host sent. */
export interface SentPacket {
  readonly version: 4 | 6;
  readonly to: Mac;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly hopLimit: number;
  readonly routerAlert: boolean;
  /** view[start, end) is the payload, behind all IP headers. */
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** What a neighbour sends. */
export interface Arriving {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly hopLimit: number;
  readonly mac?: Mac;
  /** Writes the payload; returns its end. */
  readonly emit: (view: DataView, start: number) => number;
}

/** An interface with its link and IP layers on an Ethernet that keeps every frame, in virtual time. */
export class TestHost {
  readonly context: TestContext;
  readonly ip: Internet;
  readonly iface: Interface;
  readonly frames: Uint8Array[] = [];

  constructor(
    settings: Partial<InterfaceSettings> = {},
    limits: Partial<StackLimits> = {},
    seed = 1,
  ) {
    this.context = new TestContext(limits, seed);
    this.ip = new Internet(this.context);
    const device = new KeepingDevice(this.frames);
    this.iface = new Interface(this.context, 1, "eth0", device, settings);
    this.iface.groups = new GroupTable(this.context, "eth0");
    this.ip.addInterface(this.iface);
    this.iface.link = makeLink(this.context, this.iface, this.ip, this.ip);
    device.attach(this.iface);
  }

  /** Seconds of virtual time. */
  pass(seconds: number): void {
    this.context.pass(seconds * 1000);
  }

  /** The IP packets since the last call. */
  sent(protocol?: number): SentPacket[] {
    const all = this.frames
      .splice(0)
      .map(packetOf)
      .filter((packet) => packet !== null);
    return protocol === undefined ? all : all.filter((packet) => packet.protocol === protocol);
  }

  receive(arriving: Arriving): void {
    const packet = Packet.allocate();
    const source = Ip.parse(arriving.source)!;
    const destination = Ip.parse(arriving.destination)!;
    const v4 = source.version === 4;
    const payload = packet.start + (v4 ? 20 : 40);
    packet.end = arriving.emit(packet.view, payload);
    const length = packet.end - payload;
    if (v4) emitIpv4(ipv4Repr(source, destination, arriving, length), packet.view, packet.start);
    else emitIpv6(ipv6Repr(source, destination, arriving, length), packet.view, packet.start);
    packet.start -= 14;
    const header = {
      destination: macFor(destination),
      source: arriving.mac ?? ROUTER_MAC,
      etherType: v4 ? EtherType.ipv4 : EtherType.ipv6,
    };
    emitEthernet(header, packet.view, packet.start);
    this.iface.receive(packet);
  }

  /** `address state` of each address with that origin. */
  addresses(origin?: string): string[] {
    return this.iface.addresses.all
      .filter((address) => origin === undefined || address.origin === origin)
      .map(({ prefix, state }) => `${prefix} ${state}`);
  }

  /** `destination via` of each route that was learnt. */
  routes(): string[] {
    return [...this.ip.routes.all]
      .filter(({ origin }) => origin !== "connected")
      .map(({ destination, via }) => `${destination} ${via ?? "on-link"}`);
  }
}

export const words = (text: string): Ipv6Words => {
  const { w0, w1, w2, w3 } = Ip.parse(text)!;
  return [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
};

class KeepingDevice implements Device {
  readonly medium = "ethernet";
  readonly mac = HOST_MAC;
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  readonly #frames: Uint8Array[];

  constructor(frames: Uint8Array[]) {
    this.#frames = frames;
  }

  attach(_port: DevicePort): void {}

  transmit(packet: Packet): boolean {
    this.#frames.push(packet.bytes.slice(packet.start, packet.end));
    return true;
  }

  close(): void {}
}

function macFor(destination: Ip): Mac {
  if (destination.isLimitedBroadcast) return 0xffff_ffff_ffff;
  if (!destination.isMulticast) return HOST_MAC;
  if (destination.version === 4) return multicastMacV4(destination.w3);
  return multicastMacV6(words(destination.toString()));
}

const ipv4Repr = (
  source: Ip,
  destination: Ip,
  { protocol, hopLimit }: Arriving,
  length: number,
) => ({
  dscp: 0,
  ecn: 0,
  identification: 0,
  dontFragment: false,
  moreFragments: false,
  fragmentOffset: 0,
  ttl: hopLimit,
  protocol,
  source: source.w3 >>> 0,
  destination: destination.w3 >>> 0,
  options: [],
  payloadLength: length,
});

const ipv6Repr = (
  source: Ip,
  destination: Ip,
  { protocol, hopLimit }: Arriving,
  length: number,
) => ({
  dscp: 0,
  ecn: 0,
  flowLabel: 0,
  payloadLength: length,
  nextHeader: protocol,
  hopLimit,
  source: words(source.toString()),
  destination: words(destination.toString()),
});

function packetOf(frame: Uint8Array): SentPacket | null {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const ethernet = new EthernetView();
  if (ethernet.wrap(view, 0, frame.length) !== "ok") return null;
  if (ethernet.etherType === EtherType.ipv4) return ipv4PacketOf(view, ethernet.destination);
  return ethernet.etherType === EtherType.ipv6 ? ipv6PacketOf(view, ethernet.destination) : null;
}

function ipv4PacketOf(view: DataView, to: Mac): SentPacket {
  const ip = new Ipv4View();
  if (ip.wrap(view, 14, view.byteLength) !== "ok")
    throw new Error("malformed IPv4 packet was sent");
  if (!ip.checksumVerifies) throw new Error("IPv4 header with a bad checksum was sent");
  return {
    version: 4,
    to,
    source: Ip.v4(ip.source).toString(),
    destination: Ip.v4(ip.destination).toString(),
    protocol: ip.protocol,
    hopLimit: ip.ttl,
    routerAlert: ip.payloadStart > 34 && view.getUint8(34) === Ipv4OptionType.routerAlert,
    view,
    start: ip.payloadStart,
    end: ip.payloadEnd,
  };
}

function ipv6PacketOf(view: DataView, to: Mac): SentPacket {
  const ip = new Ipv6View();
  if (ip.wrap(view, 14, view.byteLength) !== "ok")
    throw new Error("malformed IPv6 packet was sent");
  const walker = new Ipv6Walker();
  walker.wrap(view, ip.payloadStart, ip.payloadEnd, ip.nextHeader);
  return {
    version: 6,
    to,
    source: Ip.read6(view, ip.sourceAt).toString(),
    destination: Ip.read6(view, ip.destinationAt).toString(),
    protocol: walker.protocol,
    hopLimit: ip.hopLimit,
    // RFC 2711: option 5, here the first one.
    routerAlert: walker.hopByHopAt >= 0 && view.getUint8(walker.hopByHopAt + 2) === 5,
    view,
    start: walker.payloadStart,
    end: ip.payloadEnd,
  };
}
