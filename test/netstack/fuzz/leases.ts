import {
  Dhcp4MessageType,
  type Dhcp4Options,
  Dhcp4View,
  Dhcp6MessageType,
  type Dhcp6Options,
  Dhcp6View,
  dhcp4Length,
  dhcp6Length,
  dnsName,
  emitDhcp4,
  emitDhcp6,
  IpProtocol,
  type Ipv6Words,
  NO_DHCP4_OPTIONS,
  NO_DHCP6_OPTIONS,
  parseDhcp4,
  parseDhcp6,
} from "../../../src/wire/public.ts";
import type { Dice } from "./dice.ts";
import { udp, written } from "./frames.ts";
import { BROADCAST4, send, type Target, VICTIM4, v6 } from "./target.ts";

const NAMES = ["example.com", "a.b.c", "x"].map((text) => dnsName(text)!);

/** The payload of the newest datagram to that port that was seen, with the source of its packet. */
function lastTo(seen: readonly Uint8Array[], port: number): { dv: DataView; at: number } | null {
  for (let i = seen.length - 1; i >= 0; i--) {
    const frame = seen[i]!;
    const at = frame[12] === 0x86 ? 54 : 34;
    if (frame.length < at + 8 || frame[at - (at === 54 ? 34 : 11)] !== IpProtocol.udp) continue;
    const dv = new DataView(frame.buffer, frame.byteOffset, frame.length);
    if (dv.getUint16(at + 2) === port) return { dv, at: at + 8 };
  }
  return null;
}

const time = (dice: Dice): number | null =>
  dice.pick([null, 0, 1, 60, 3600, 86_400, 0xffff_ffff, dice.u32()]);
const many = <T>(dice: Dice, draw: () => T): T[] =>
  Array.from({ length: dice.chance(0.2) ? dice.below(100) : dice.below(3) }, draw);
const address = (dice: Dice): number =>
  dice.pick([0x0a00_0000 + dice.below(256), 0x0a00_00fe, dice.u32(), 0, BROADCAST4]);

function options4(dice: Dice): Dhcp4Options {
  return {
    ...NO_DHCP4_OPTIONS,
    subnetMask: dice.pick([null, 0xffff_ff00, 0xffff_ff00, 0, 0xffff_ffff, dice.u32()]),
    routers: many(dice, () => address(dice)),
    nameServers: many(dice, () => address(dice)),
    domainName: dice.pick([null, "example.org", "x".repeat(dice.below(200))]),
    interfaceMtu: dice.pick([null, 0, 67, 68, 576, 1500, 65_535]),
    leaseTime: time(dice),
    renewalTime: time(dice),
    rebindingTime: time(dice),
    serverIdentifier: dice.chance(0.9) ? 0x0a00_00fe : null,
    domainSearch: many(dice, () => dice.pick(NAMES)).slice(0, 8),
    classlessRoutes: many(dice, () => ({
      destination: dice.u32(),
      prefixLength: dice.below(33),
      router: address(dice),
    })).slice(0, 20),
  };
}

/** Answers to what the victim asked for, from a server that makes them up. */
export const leases: Record<string, (target: Target) => void> = {
  "DHCP replies": (target) => {
    const { dice, seen } = target;
    const asked = lastTo(seen, 67);
    if (asked === null) return;
    const view = new Dhcp4View();
    if (view.wrap(asked.dv, asked.at, asked.dv.byteLength) !== "ok") return;
    const { offer, ack, nak, forceRenew } = Dhcp4MessageType;
    const repr = {
      ...parseDhcp4(view),
      operation: 2,
      messageType: dice.pick([offer, ack, ack, nak, forceRenew]),
      yourAddress: dice.chance(0.7) ? 0x0a00_0000 + dice.between(20, 30) : address(dice),
      options: options4(dice),
    };
    const bytes = written(dhcp4Length(repr), (dv) => emitDhcp4(repr, dv, 0));
    const source = 0x0a00_00fe;
    const destination = dice.pick([BROADCAST4, VICTIM4, repr.yourAddress]);
    const datagram = udp(source, destination, 67, 68, bytes);
    send(target, { source, destination, protocol: IpProtocol.udp }, datagram);
  },

  "DHCPv6 replies": (target) => {
    const { dice, seen } = target;
    const asked = lastTo(seen, 547);
    if (asked === null) return;
    const view = new Dhcp6View();
    if (view.wrap(asked.dv, asked.at, asked.dv.byteLength) !== "ok") return;
    const { clientIdentifier } = parseDhcp6(view).options;
    const word = (): Ipv6Words => [dice.u32(), dice.u32(), dice.u32(), dice.u32()];
    const options: Dhcp6Options = {
      ...NO_DHCP6_OPTIONS,
      clientIdentifier: dice.chance(0.9) ? clientIdentifier : dice.bytes(10),
      serverIdentifier: dice.chance(0.9) ? dice.bytes(dice.between(1, 130)) : null,
      status: dice.pick([null, { code: dice.below(7), message: dice.bytes(dice.below(20)) }]),
      nameServers: many(dice, word),
      domainSearch: many(dice, () => dice.pick(NAMES)),
      informationRefreshTime: time(dice),
      informationMaxRt: time(dice),
    };
    const messageType = dice.chance(0.8) ? Dhcp6MessageType.reply : dice.below(14);
    const repr = { messageType, transactionId: view.transactionId, options };
    const bytes = written(dhcp6Length(repr), (dv) => emitDhcp6(repr, dv, 0));
    const source = v6("fe80::fe");
    const destination = target.linkLocal;
    if (bytes.length > 1400) return;
    const datagram = udp(source, destination, 547, 546, bytes);
    send(target, { source, destination, protocol: IpProtocol.udp }, datagram);
  },
};
