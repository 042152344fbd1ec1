import { Ip } from "../../../src/netstack/public.ts";
import { EtherType } from "../../../src/wire/ethernet.ts";
import { IpProtocol } from "../../../src/wire/ip-protocol.ts";
import type { Ipv6Words } from "../../../src/wire/ipv6-address.ts";
import { BROADCAST_MAC, type Mac, multicastMacV4 } from "../../../src/wire/mac.ts";
import type { Dice } from "./dice.ts";
import { type Address, ethernet, type IpFields, ip } from "./frames.ts";

export function v6(text: string): Ipv6Words {
  const { w0, w1, w2, w3 } = Ip.parse(text)!;
  return [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
}

/** The attacker, who is on the link. */
export const ATTACKER = 0x0200_0000_aa01 as Mac;
export const VICTIM4 = 0x0a00_0001;
export const INNOCENT4 = 0x0a00_0002;
export const VICTIM6 = v6("2001:db8::1");
export const INNOCENT6 = v6("2001:db8::2");
export const ALL_NODES = v6("ff02::1");
export const ALL_HOSTS4 = 0xe000_0001;
export const BROADCAST4 = 0xffff_ffff;

/** Whom the frames are for, and how they get there. */
export interface Target {
  readonly dice: Dice;
  readonly mac: Mac;
  /** Its link-local address. */
  readonly linkLocal: Ipv6Words;
  /** Ports of the innocent connection: the victim's and the other one's. */
  readonly ports: { readonly victim: number; readonly innocent: number };
  /** UDP ports that are likely open. */
  readonly udpPorts: readonly number[];
  /** Frames seen on the link, both ways, the newest last. */
  readonly seen: readonly Uint8Array[];
  inject(frame: Uint8Array): void;
}

export type Attack = (target: Target) => void;

/** Groups go to their own MAC, all else to the victim's. */
function macFor(target: Target, destination: Address): Mac {
  if (typeof destination === "number") {
    if (destination === BROADCAST4) return BROADCAST_MAC;
    return destination >>> 28 === 0xe ? multicastMacV4(destination) : target.mac;
  }
  return destination[0] >>> 24 === 0xff ? ((0x3333_0000_0000 + destination[3]) as Mac) : target.mac;
}

/** An IP packet in a frame from the attacker. */
export function send(target: Target, fields: IpFields, payload: Uint8Array): void {
  const type = typeof fields.source === "number" ? EtherType.ipv4 : EtherType.ipv6;
  const frame = ethernet(macFor(target, fields.destination), ATTACKER, type, ip(fields, payload));
  target.inject(frame);
}

/** From anywhere: mostly beyond any router. */
export function stranger(dice: Dice, version: 4 | 6): Address {
  if (version === 4) {
    return dice.pick([
      () => dice.u32(),
      () => 0x0a00_0000 + dice.between(128, 254),
      () => 0xc633_6400 + dice.below(256),
    ])();
  }
  return dice.pick([
    (): Ipv6Words => [dice.u32(), dice.u32(), dice.u32(), dice.u32()],
    (): Ipv6Words => [0x2001_0db8, 0, 0, 0x1_0000 + dice.below(1 << 16)],
    (): Ipv6Words => [0xfe80_0000, 0, dice.u32(), dice.u32()],
  ])();
}

/** Ours, a group's, or all. */
export function destinationOf(target: Target, version: 4 | 6): Address {
  const { dice } = target;
  if (version === 4) {
    if (dice.chance(0.8)) return VICTIM4;
    return dice.pick([ALL_HOSTS4, BROADCAST4, 0x0a00_00ff, 0xe000_00fb, dice.u32()]);
  }
  if (dice.chance(0.8)) return dice.chance(0.5) ? VICTIM6 : target.linkLocal;
  return dice.pick([ALL_NODES, v6("ff02::16"), v6("ff02::1:ff00:1"), v6("ff05::2"), v6("::1")]);
}

export const versionOf = (dice: Dice): 4 | 6 => (dice.chance(0.5) ? 4 : 6);
export const icmpOf = (version: 4 | 6): number =>
  version === 4 ? IpProtocol.icmp : IpProtocol.icmpv6;
