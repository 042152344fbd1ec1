import type { StackContext } from "../../context.ts";
import type { DeviceOffload } from "../../device.ts";
import { NO_OFFLOAD } from "../../device.ts";
import type { Inbound } from "../../inbound.ts";
import { Interface } from "../../interface.ts";
import type {
  Fragmenting,
  IcmpError,
  IpLayer,
  NoPath,
  Path,
  PathConstraint,
  SendVerdict,
} from "../../ip/ip-layer.ts";
import { Ip } from "../../ip-address.ts";
import { GroupTable } from "../../multicast/group-table.ts";
import { Packet } from "../../packet.ts";

/** What an upper layer handed to IP: bytes from the transport header on, and what it said of them. */
export interface Submitted {
  readonly packet: Packet;
  readonly source: Ip;
  readonly destination: Ip;
  readonly protocol: number;
  readonly hopLimit: number;
  readonly trafficClass: number;
  readonly fragmenting: Fragmenting;
}

/** An interface that hands nothing to anybody. */
export function silentInterface(
  context: StackContext,
  index = 1,
  offload: DeviceOffload = NO_OFFLOAD,
  mtu = 1_500,
): Interface {
  const device = {
    medium: "ip" as const,
    mac: 0 as never,
    mtu,
    offload,
    attach() {},
    transmit: () => true,
    close() {},
  };
  const made = new Interface(context, index, `eth${index}`, device);
  made.groups = new GroupTable(context, made.name);
  made.link = {
    neighbors: null,
    conflicts: null,
    send: () => "sent",
    receive() {},
    confirm() {},
    reset() {},
  };
  return made;
}

/** IP that keeps what it is given, and has one interface with 10.7.0.2 and fd07::2. */
export class RecordingIp implements IpLayer {
  readonly sent: Submitted[] = [];
  verdict: SendVerdict = "sent";
  noPath: NoPath | null = null;
  readonly local = [Ip.parse("10.7.0.2")!, Ip.parse("fd07::2")!];
  readonly out: Interface;
  readonly constraints: (PathConstraint | undefined)[] = [];
  readonly takers = new Map<string, (inbound: Inbound) => void>();
  readonly errorTakers = new Map<number, (error: IcmpError) => boolean>();
  watcher: ((inbound: Inbound) => boolean) | null = null;
  whole: Packet[] = [];
  readonly #scratch = Packet.allocate();

  constructor(out: Interface) {
    this.out = out;
  }

  resolve(destination: Ip, constraint?: PathConstraint): Path | NoPath {
    this.constraints.push(constraint);
    if (this.noPath !== null) return this.noPath;
    const source = constraint?.source ?? this.local[destination.version === 4 ? 0 : 1]!;
    const out = constraint?.interface ?? this.out;
    const { mtu } = out;
    const broadcast = destination.equals(Ip.parse("10.7.0.255")!);
    const nextHop = broadcast ? Ip.v4(-1) : destination;
    return { destination, source, interface: out, nextHop, valid: true, mtu, confirm() {} };
  }

  scratch(): Packet {
    this.#scratch.reset();
    return this.#scratch;
  }

  send(
    { source, destination }: Path,
    packet: Packet,
    protocol: number,
    hopLimit: number,
    trafficClass: number,
    fragmenting: Fragmenting,
  ): SendVerdict {
    if (this.verdict !== "sent") return this.verdict;
    const facts = { source, destination, protocol, hopLimit, trafficClass, fragmenting };
    this.sent.push({ packet: packet.clone(), ...facts });
    return "sent";
  }

  sendOn(
    _out: Interface,
    source: Ip,
    destination: Ip,
    packet: Packet,
    protocol: number,
    hopLimit: number,
  ): SendVerdict {
    const facts = { source, destination, protocol, hopLimit };
    this.sent.push({ packet: packet.clone(), trafficClass: 0, fragmenting: "allowed", ...facts });
    return "sent";
  }

  isBroadcast(ip: Ip): boolean {
    return ip.isLimitedBroadcast;
  }

  isLocal(ip: Ip): boolean {
    return this.local.some((one) => one.equals(ip));
  }

  register(): void {}

  onIcmpv6(type: number, taker: (inbound: Inbound) => void): void {
    this.takers.set(`6/${type}`, taker);
  }

  onIcmpv4(type: number, taker: (inbound: Inbound) => void): void {
    this.takers.set(`4/${type}`, taker);
  }

  onIcmpError(protocol: number, taker: (error: IcmpError) => boolean): void {
    this.errorTakers.set(protocol, taker);
  }

  onInbound(taker: ((inbound: Inbound) => boolean) | null): void {
    this.watcher = taker;
  }

  sendWhole(_path: Path, packet: Packet): SendVerdict {
    this.whole.push(packet.clone());
    return this.verdict;
  }
}
