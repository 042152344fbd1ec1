import type { Device, DeviceOffload } from "../../device.ts";
import { NO_OFFLOAD } from "../../device.ts";
import { VirtualContext } from "../../fragments/testing/virtual-context.ts";
import { Interface, type InterfaceSettings, type LinkLayer } from "../../interface.ts";
import { Ip } from "../../ip-address.ts";
import type { StackLimits } from "../../limits.ts";
import { GroupTable } from "../../multicast/group-table.ts";
import { Packet } from "../../packet.ts";
import { Prefix } from "../../prefix.ts";
import { Internet } from "../internet.ts";
import type { SendVerdict } from "../ip-layer.ts";

export const ip = (text: string): Ip => Ip.parse(text)!;

export interface Sent {
  readonly by: string;
  readonly nextHop: string;
  readonly packet: Packet;
}

/** A link that notes what it is given. */
export class RecordingLink implements LinkLayer {
  readonly neighbors = null;
  readonly conflicts = null;
  verdict: SendVerdict = "sent";
  confirmed = 0;
  readonly #name: string;
  readonly #sent: Sent[];

  constructor(name: string, sent: Sent[]) {
    this.#name = name;
    this.#sent = sent;
  }

  send(nextHop: Ip, packet: Packet): SendVerdict {
    if (this.verdict !== "sent") return this.verdict;
    this.#sent.push({ by: this.#name, nextHop: nextHop.toString(), packet: packet.clone() });
    // A real link puts its header in front.
    packet.start -= 14;
    return "sent";
  }

  receive(): void {}

  confirm(): void {
    this.confirmed++;
  }

  reset(): void {}
}

export interface InterfaceSpec {
  readonly name: string;
  readonly addresses?: readonly string[];
  readonly medium?: Device["medium"];
  readonly mtu?: number;
  readonly offload?: DeviceOffload;
  readonly settings?: Partial<InterfaceSettings>;
}

/** An IP layer with interfaces whose links are recorded; time is virtual. */
export class Host {
  readonly context: VirtualContext;
  readonly internet: Internet;
  readonly sent: Sent[] = [];
  readonly interfaces = new Map<string, Interface>();

  constructor(specs: readonly InterfaceSpec[], limits: Partial<StackLimits> = {}) {
    this.context = new VirtualContext(limits);
    this.internet = new Internet(this.context);
    for (const spec of specs) this.add(spec);
  }

  add(spec: InterfaceSpec): Interface {
    const device: Device = {
      medium: spec.medium ?? "ethernet",
      mac: 0,
      mtu: spec.mtu ?? 1500,
      offload: spec.offload ?? NO_OFFLOAD,
      attach() {},
      transmit: () => true,
      close() {},
    };
    const index = this.interfaces.size + 1;
    const added = new Interface(this.context, index, spec.name, device, spec.settings);
    added.groups = new GroupTable(this.context, spec.name);
    added.link = new RecordingLink(spec.name, this.sent);
    this.interfaces.set(spec.name, added);
    this.internet.addInterface(added);
    for (const text of spec.addresses ?? []) {
      added.addresses.add(Prefix.parse(text)!, "static", "preferred");
    }
    added.setUp(true);
    return added;
  }

  interface(name: string): Interface {
    return this.interfaces.get(name)!;
  }

  link(name: string): RecordingLink {
    return this.interface(name).link as RecordingLink;
  }

  /** What was sent since the last call. */
  take(): Sent[] {
    return this.sent.splice(0);
  }

  /** Hands up an IP packet as the link of that interface would. */
  receive(name: string, bytes: Uint8Array | Packet, linkGroup = false): void {
    const packet = bytes instanceof Packet ? bytes : packetOf(bytes);
    if (packet.view.getUint8(packet.start) >>> 4 === 6) {
      this.internet.receiveIpv6(this.interface(name), packet, linkGroup);
    } else this.internet.receiveIpv4(this.interface(name), packet, linkGroup);
  }
}

export function packetOf(bytes: Uint8Array): Packet {
  const packet = Packet.allocate();
  packet.bytes.set(bytes, packet.start);
  packet.end = packet.start + bytes.length;
  return packet;
}
