import { pseudoSumV6, verifies } from "../../../wire/checksum.ts";
import { IpProtocol } from "../../../wire/ip-protocol.ts";
import { macText } from "../../../wire/mac.ts";
import type { StackContext } from "../../context.ts";
import { type Device, type DevicePort, NO_OFFLOAD } from "../../device.ts";
import type { StackEvent } from "../../events.ts";
import { Inbound } from "../../inbound.ts";
import { Interface, type InterfaceSettings, type NetworkInput } from "../../interface.ts";
import { Ip } from "../../ip-address.ts";
import type { StackLimits } from "../../limits.ts";
import { DEFAULT_LIMITS } from "../../limits.ts";
import { GroupTable } from "../../multicast/group-table.ts";
import { Packet } from "../../packet.ts";
import { Prefix } from "../../prefix.ts";
import { EthernetLink } from "../ethernet-link.ts";
import { TestContext } from "./test-context.ts";

/** An Ethernet segment: what one station sends, all others hear, a moment later. */
export class Segment {
  readonly context: TestContext;
  readonly hosts: TestHost[] = [];
  /** All frames that were sent, as `describe` has them, since the last `heard`. */
  readonly #log: string[] = [];
  #queue: { from: TestHost | null; frame: Packet }[] = [];
  /** Every station hears its own frames, too. */
  looped = false;

  constructor(limits: Partial<StackLimits> = {}, seed = 1) {
    this.context = new TestContext({ ...DEFAULT_LIMITS, ...limits }, seed);
  }

  add(mac: number, settings: Partial<InterfaceSettings> = {}): TestHost {
    const host = new TestHost(this, mac, settings);
    this.hosts.push(host);
    return host;
  }

  carry(from: TestHost | null, frame: Packet): void {
    this.#log.push(describeFrame(frame));
    this.#queue.push({ from, frame });
  }

  settle(): void {
    for (let round = 0; this.#queue.length > 0; round++) {
      if (round > 100) throw new Error("the segment does not come to rest");
      const batch = this.#queue;
      this.#queue = [];
      for (const { from, frame } of batch) {
        for (const host of this.hosts) {
          if (host !== from || this.looped) host.iface.receive(frame.clone());
        }
      }
    }
  }

  pass(milliseconds: number): void {
    this.settle();
    this.context.pass(milliseconds, () => this.settle());
  }

  /** Frames since the last call. */
  heard(): string[] {
    return this.#log.splice(0);
  }
}

/** A station with the link layer under test and an IP layer that only takes ICMPv6 apart. */
export class TestHost implements Device, NetworkInput {
  readonly medium = "ethernet";
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  readonly mac: number;
  readonly iface: Interface;
  readonly link: EthernetLink;
  readonly events: StackEvent[] = [];
  /** IP packets that came up. */
  readonly received: Packet[] = [];
  readonly groupsOfFrames: boolean[] = [];
  /** Lengths of IP packets whose neighbour did not answer. */
  readonly undelivered: number[] = [];
  full = false;
  readonly #segment: Segment;
  readonly #takers = new Map<number, (inbound: Inbound) => void>();
  readonly #inbound = new Inbound();

  constructor(segment: Segment, mac: number, settings: Partial<InterfaceSettings>) {
    this.#segment = segment;
    this.mac = mac;
    const context: StackContext = {
      rng: segment.context.rng,
      secret: segment.context.secret,
      addressSecret: segment.context.secret,
      limits: segment.context.limits,
      now: () => segment.context.now(),
      schedule: (target, at) => segment.context.schedule(target, at),
      wake: () => {},
      emit: (event) => void this.events.push(event),
      fault: (error) => segment.context.fault(error),
    };
    this.iface = new Interface(context, 1, macText(mac), this, settings);
    this.iface.groups = new GroupTable(context, this.iface.name);
    this.link = new EthernetLink(context, this.iface, this, {
      onIcmpv6: (type, taker) => void this.#takers.set(type, taker),
    });
    this.iface.link = this.link;
    this.iface.setUp(true);
  }

  attach(_port: DevicePort): void {}
  close(): void {}

  transmit(packet: Packet): boolean {
    if (this.full) return false;
    this.#segment.carry(this, packet.clone());
    return true;
  }

  receiveIpv4(_from: Interface, packet: Packet, linkGroup: boolean): void {
    this.received.push(packet.clone());
    this.groupsOfFrames.push(linkGroup);
  }

  receiveIpv6(from: Interface, packet: Packet, linkGroup: boolean): void {
    const { view, start } = packet;
    if (packet.length < 48 || view.getUint8(start + 6) !== IpProtocol.icmpv6) {
      this.received.push(packet.clone());
      this.groupsOfFrames.push(linkGroup);
      return;
    }
    const length = view.getUint16(start + 4);
    const inbound = this.#inbound;
    inbound.version = 6;
    inbound.packet = packet;
    inbound.interface = from;
    inbound.hopLimit = view.getUint8(start + 7);
    inbound.payloadStart = start + 40;
    inbound.payloadEnd = start + 40 + length;
    if (inbound.payloadEnd > packet.end) return;
    [inbound.s0, inbound.s1, inbound.s2, inbound.s3] = wordsAt(view, start + 8);
    [inbound.d0, inbound.d1, inbound.d2, inbound.d3] = wordsAt(view, start + 24);
    const sum = pseudoSumV6(view, start + 8, IpProtocol.icmpv6, length);
    if (!verifies(view, start + 40, inbound.payloadEnd, sum)) return;
    const to = inbound.destination();
    if (to.isMulticast ? !from.groups.has(to) : from.addresses.find(to) === null) return;
    this.#takers.get(view.getUint8(start + 40))?.(inbound);
  }

  undeliverable(_out: Interface, packet: Packet): void {
    this.undelivered.push(packet.length);
  }

  address(text: string, state: "tentative" | "preferred" = "tentative") {
    const address = this.iface.addresses.add(Prefix.parse(text)!, "static", state);
    if (address === null) throw new Error(`no room for ${text}`);
    return address;
  }

  /** Sends an IP packet with some payload, as the IP layer would. */
  send(source: string, destination: string, mark = 0) {
    const from = Ip.parse(source)!;
    const to = Ip.parse(destination)!;
    const packet = Packet.allocate();
    const { view, start } = packet;
    const header = to.version === 4 ? 20 : 40;
    packet.end = start + header + 8;
    view.setUint8(start, to.version === 4 ? 0x45 : 0x60);
    if (to.version === 6) view.setUint16(start + 4, 8);
    from.write(view, start + (to.version === 4 ? 12 : 8));
    to.write(view, start + (to.version === 4 ? 16 : 24));
    view.setUint8(start + header, mark);
    return this.link.send(to, packet);
  }

  /** What the frame that this host hears alone brings about. */
  hear(frame: Packet): void {
    this.iface.receive(frame);
    this.#segment.settle();
  }

  /** Marks of the packets received. */
  marks(): number[] {
    return this.received.splice(0).map((packet) => {
      const version = packet.view.getUint8(packet.start) >>> 4;
      return packet.view.getUint8(packet.start + (version === 4 ? 20 : 40));
    });
  }

  stateOf(ip: string): string {
    return this.link.neighbors.find(Ip.parse(ip)!)?.state ?? "none";
  }
}

const wordsAt = (view: DataView, at: number): [number, number, number, number] => [
  view.getInt32(at),
  view.getInt32(at + 4),
  view.getInt32(at + 8),
  view.getInt32(at + 12),
];

/** `destination what`, in short. */
function describeFrame({ view, start }: Packet): string {
  const to = macText(view.getUint16(start) * 2 ** 32 + view.getUint32(start + 2));
  const type = view.getUint16(start + 12);
  const at = start + 14;
  if (type === 0x0806) {
    const kind = view.getUint16(at + 6) === 1 ? "request" : "reply";
    return `${to} arp ${kind} ${Ip.read4(view, at + 14)} -> ${Ip.read4(view, at + 24)}`;
  }
  if (type === 0x86dd && view.getUint8(at + 6) === IpProtocol.icmpv6) {
    const message = at + 40;
    const kind = view.getUint8(message) === 135 ? "ns" : "na";
    const flags = kind === "na" ? ` ${(view.getUint8(message + 4) >>> 5).toString(2)}` : "";
    return `${to} ${kind}${flags} ${Ip.read6(view, at + 8)} -> ${Ip.read6(view, message + 8)}`;
  }
  return `${to} ${type === 0x0800 ? "ipv4" : type === 0x86dd ? "ipv6" : type.toString(16)}`;
}
