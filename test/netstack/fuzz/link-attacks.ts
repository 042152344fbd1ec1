import {
  ArpOperation,
  arpLength,
  EtherType,
  emitArp,
  emitIgmp,
  emitMld,
  emitNdp,
  type IgmpRepr,
  IpProtocol,
  type Ipv6Words,
  igmpLength,
  isGroupMac,
  type Mac,
  type MldRepr,
  mldLength,
  type NdpOption,
  type NdpRepr,
  ndpLength,
} from "../../../src/wire/public.ts";
import type { Dice } from "./dice.ts";
import { ethernet, join, written } from "./frames.ts";
import {
  ALL_HOSTS4,
  ALL_NODES,
  ATTACKER,
  type Attack,
  INNOCENT4,
  INNOCENT6,
  send,
  stranger,
  type Target,
  VICTIM4,
  VICTIM6,
  v6,
} from "./target.ts";

const ndp = (target: Target, source: Ipv6Words, destination: Ipv6Words, repr: NdpRepr): void => {
  const bytes = written(ndpLength(repr), (dv) => emitNdp(repr, dv, 0, source, destination));
  const hops = target.dice.chance(0.95) ? 255 : 64;
  send(target, { source, destination, protocol: IpProtocol.icmpv6, hops }, bytes);
};

const linkLocal = (dice: Dice): Ipv6Words => [0xfe80_0000, 0, dice.u32(), dice.below(64)];
const words = (dice: Dice): Ipv6Words => [dice.u32(), dice.u32(), dice.u32(), dice.u32()];
const lifetime = (dice: Dice): number =>
  dice.pick([0, 1, 30, 1800, 7200, 0xffff_ffff, dice.u32()]) >>> 0;

function arp(target: Target, repr: Parameters<typeof emitArp>[0], to: Mac): void {
  const bytes = written(arpLength(), (dv) => emitArp(repr, dv, 0));
  target.inject(ethernet(to, ATTACKER, EtherType.arp, bytes));
}

const randomMac = (dice: Dice): Mac => {
  const mac = (dice.u32() * 0x1_0000 + dice.below(0x1_0000)) as Mac;
  return isGroupMac(mac) ? ATTACKER : mac;
};

/** Of neighbours, routers and queriers that spoof nobody else. */
export const neighbors: Record<string, Attack> = {
  "scan by ARP": (target) => {
    const { dice } = target;
    const senderIp = dice.chance(0.5) ? 0x0a00_0000 + dice.between(16, 250) : dice.u32();
    const targetIp = dice.chance(0.3) ? VICTIM4 : 0x0a00_0000 + dice.between(3, 0xff_ffff);
    const senderMac = dice.chance(0.8) ? randomMac(dice) : (dice.u32() as Mac);
    const operation = dice.chance(0.9) ? ArpOperation.request : dice.below(4);
    arp(target, { operation, senderMac, senderIp, targetMac: 0 as Mac, targetIp }, target.mac);
  },

  "scan by NS": (target) => {
    const { dice } = target;
    const source = dice.chance(0.9) ? (stranger(dice, 6) as Ipv6Words) : v6("::");
    const aim: Ipv6Words = dice.chance(0.4) ? VICTIM6 : [0x2001_0db8, 0, dice.u32(), dice.u32()];
    // Duplicate address detection for ours is an attack on the address, see `spoofing`.
    if (source[0] === 0 && aim === VICTIM6) return;
    const options: NdpOption[] = dice.chance(0.8)
      ? [{ kind: "source-link-layer", mac: randomMac(dice) }]
      : [];
    const destination = dice.chance(0.5) ? VICTIM6 : v6("ff02::1:ff00:1");
    ndp(target, source, destination, { kind: "neighbor-solicitation", target: aim, options });
  },

  "IGMP queries and reports": (target) => {
    const { dice } = target;
    const group = dice.pick([0, ALL_HOSTS4, 0xe000_00fb, 0xef01_0203, dice.u32()]);
    const sources = Array.from({ length: dice.below(30) }, () => dice.u32());
    const maxResponse = dice.pick([0, 1, 10, 100, 255]);
    const repr = dice.pick<IgmpRepr>([
      { kind: "query", group, maxResponse },
      {
        kind: "query-v3",
        group,
        maxResponse,
        suppress: dice.chance(0.5),
        robustness: dice.below(8),
        interval: dice.below(256),
        sources,
      },
      { kind: "report-v1", group },
      { kind: "report-v2", group },
      { kind: "leave", group },
      { kind: "report-v3", records: [{ type: dice.below(8), group, sources }] },
    ]);
    const bytes = written(igmpLength(repr), (dv) => emitIgmp(repr, dv, 0));
    const options = dice.chance(0.8) ? Uint8Array.of(148, 4, 0, 0) : new Uint8Array(0);
    const destination = dice.pick([ALL_HOSTS4, group === 0 ? ALL_HOSTS4 : group, VICTIM4]);
    const source = dice.pick([0x0a00_00fe, 0, dice.u32()]);
    send(target, { source, destination, protocol: 2, hops: dice.pick([1, 1, 64]), options }, bytes);
  },

  "MLD queries and reports": (target) => {
    const { dice } = target;
    const group = dice.pick([
      v6("::"),
      ALL_NODES,
      v6("ff02::fb"),
      v6("ff02::1:ff00:1"),
      words(dice),
    ]);
    const sources = Array.from({ length: dice.below(30) }, () => words(dice));
    const maxResponse = dice.pick([0, 1, 1000, 0x8000, 0xffff]);
    const repr = dice.pick<MldRepr>([
      { kind: "query", group, maxResponse },
      {
        kind: "query-v2",
        group,
        maxResponse,
        suppress: dice.chance(0.5),
        robustness: dice.below(8),
        interval: dice.below(256),
        sources,
      },
      { kind: "report", group },
      { kind: "done", group },
      { kind: "report-v2", records: [{ type: dice.below(8), group, sources }] },
    ]);
    const source = dice.chance(0.9) ? linkLocal(dice) : words(dice);
    const destination = dice.pick([ALL_NODES, VICTIM6, v6("ff02::fb"), target.linkLocal]);
    const bytes = written(mldLength(repr), (dv) => emitMld(repr, dv, 0, source, destination));
    const alert = Uint8Array.of(58, 0, 5, 2, 0, 0, 1, 0);
    const hops = dice.pick([1, 1, 1, 64]);
    if (dice.chance(0.8)) {
      send(target, { source, destination, protocol: 0, hops }, join(alert, bytes));
    } else send(target, { source, destination, protocol: IpProtocol.icmpv6, hops }, bytes);
  },

  /** Routers by the thousand, with prefixes, routes and name servers that are nowhere. */
  "router advertisements": (target) => {
    const { dice } = target;
    const options: NdpOption[] = [];
    for (let i = dice.below(30); i > 0; i--) {
      const kind = dice.below(7);
      if (kind === 0) options.push({ kind: "source-link-layer", mac: randomMac(dice) });
      else if (kind === 1)
        options.push({ kind: "mtu", mtu: dice.pick([0, 1279, 1280, 1500, 9000]) });
      else if (kind < 4) {
        options.push({
          kind: "prefix",
          prefix: [0x2400_0000 + dice.below(4096), dice.u32(), 0, 0],
          length: dice.chance(0.8) ? 64 : dice.between(16, 255),
          onLink: dice.chance(0.7),
          autonomous: dice.chance(0.7),
          validLifetime: lifetime(dice),
          preferredLifetime: lifetime(dice),
        });
      } else if (kind === 4) {
        const servers = Array.from({ length: dice.between(1, 4) }, () => words(dice));
        options.push({ kind: "recursive-dns", lifetime: lifetime(dice), servers });
      } else {
        // 24: route information (RFC 4191), 31: search list (RFC 8106).
        const data = dice.bytes(8 * dice.between(1, 3) - 2);
        if (dice.chance(0.9)) data[0] = dice.pick([24, 48, 64, 128]);
        options.push({ kind: "other", type: dice.pick([24, 31, 5, dice.below(256)]), data });
      }
    }
    ndp(target, linkLocal(dice), dice.chance(0.9) ? ALL_NODES : target.linkLocal, {
      kind: "router-advertisement",
      hopLimit: dice.below(256),
      managed: dice.chance(0.3),
      otherConfiguration: dice.chance(0.3),
      routerLifetime: dice.pick([0, 1, 30, 1800, 9000, 65_535]),
      reachableTime: dice.pick([0, 1, 30_000, dice.u32()]),
      retransTimer: dice.pick([0, 1, 1000, dice.u32()]),
      options,
    });
  },

  "neighbour advertisements": (target) => {
    const { dice } = target;
    const source: Ipv6Words = [0x2001_0db8, 0, 0, 0x1_0000 + dice.below(1 << 16)];
    ndp(target, source, dice.chance(0.5) ? VICTIM6 : ALL_NODES, {
      kind: "neighbor-advertisement",
      router: dice.chance(0.3),
      solicited: dice.chance(0.5),
      override: dice.chance(0.5),
      target: dice.chance(0.9) ? source : linkLocal(dice),
      options: [{ kind: "target-link-layer", mac: randomMac(dice) }],
    });
  },
};

/** For others: connections may die of it, the stack may not. */
export const impostors: Record<string, Attack> = {
  "ARP for others": (target) => {
    const { dice } = target;
    const senderIp = dice.pick([INNOCENT4, VICTIM4, 0, 0x0a00_00c8, dice.u32()]);
    const targetIp = dice.pick([INNOCENT4, VICTIM4, senderIp]);
    const senderMac = dice.chance(0.7) ? randomMac(dice) : target.mac;
    const operation = dice.between(1, 2);
    arp(target, { operation, senderMac, senderIp, targetMac: target.mac, targetIp }, target.mac);
  },

  "neighbour discovery for others": (target) => {
    const { dice } = target;
    const aim = dice.pick([INNOCENT6, VICTIM6, target.linkLocal, words(dice)]);
    const source = dice.pick([INNOCENT6, VICTIM6, target.linkLocal, v6("::"), linkLocal(dice)]);
    const mac = dice.chance(0.8) ? randomMac(dice) : target.mac;
    const options: NdpOption[] = dice.chance(0.8) ? [{ kind: "target-link-layer", mac }] : [];
    const destination = dice.pick([ALL_NODES, VICTIM6, target.linkLocal, v6("ff02::1:ff00:1")]);
    if (dice.chance(0.4)) {
      ndp(target, source, destination, { kind: "neighbor-solicitation", target: aim, options });
      return;
    }
    ndp(target, source, destination, {
      kind: "neighbor-advertisement",
      router: dice.chance(0.3),
      solicited: dice.chance(0.5),
      override: dice.chance(0.5),
      target: aim,
      options,
    });
  },

  redirects: (target) => {
    const { dice } = target;
    const source = dice.pick([INNOCENT6, linkLocal(dice), v6("fe80::1")]);
    const destination = dice.pick([
      INNOCENT6,
      words(dice),
      [0x2001_0db8, 1, 0, dice.below(500)] as const,
    ]);
    ndp(target, source, VICTIM6, {
      kind: "redirect",
      target: dice.pick([destination, linkLocal(dice), INNOCENT6]),
      destination,
      options: [{ kind: "target-link-layer", mac: randomMac(dice) }],
    });
  },
};
