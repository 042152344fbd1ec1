import {
  EtherType,
  IpProtocol,
  Ipv4View,
  Ipv6View,
  type Ipv6Words,
  readIpv6,
  readMac,
  TcpView,
} from "../../../src/wire/public.ts";
import type { Dice } from "./dice.ts";
import { type Address, join, tcp } from "./frames.ts";
import { type Attack, INNOCENT4, INNOCENT6, send, type Target } from "./target.ts";

const ipv4 = new Ipv4View();
const ipv6 = new Ipv6View();
const view = new TcpView();

/** Wraps `view` on a segment that the victim sent lately, and tells between whom it was; null: there is none. */
function overheard(target: Target): { from: Address; to: Address } | null {
  const { dice, seen, mac } = target;
  for (let tries = 0; tries < 8 && seen.length > 0; tries++) {
    const frame = dice.pick(seen);
    const dv = new DataView(frame.buffer, frame.byteOffset, frame.length);
    if (frame.length < 54 || readMac(dv, 6) !== mac) continue;
    if (dv.getUint16(12) === EtherType.ipv4) {
      if (ipv4.wrap(dv, 14, frame.length) !== "ok" || ipv4.protocol !== IpProtocol.tcp) continue;
      if (view.wrap(dv, ipv4.payloadStart, ipv4.payloadEnd) !== "ok") continue;
      return { from: ipv4.source, to: ipv4.destination };
    }
    if (ipv6.wrap(dv, 14, frame.length) !== "ok" || ipv6.nextHeader !== IpProtocol.tcp) continue;
    if (view.wrap(dv, 54, ipv6.payloadEnd) !== "ok") continue;
    return { from: readIpv6(dv, 22), to: readIpv6(dv, 38) };
  }
  return null;
}

const near = (dice: Dice, at: number): number =>
  (at + dice.pick([0, 0, 0, 1, -1, 536, 1448, 10_000, -10_000, 70_000, 2 ** 31, dice.u32()])) >>> 0;

/** What a peer may say, and what it may not: of an MSS of nothing, windows of any scale, SACKs of anything. */
function options(dice: Dice, syn: boolean, ack: number): Uint8Array {
  const parts: Uint8Array[] = [];
  const word = (value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return bytes;
  };
  if (syn && dice.chance(0.7)) {
    parts.push(word(0x0204_0000 + dice.pick([0, 1, 8, 12, 48, 536, 1460, 65_535])));
  }
  if (syn && dice.chance(0.6)) parts.push(word(0x0103_0300 + dice.pick([0, 7, 14, 15, 255])));
  if (syn && dice.chance(0.6)) parts.push(word(0x0101_0402));
  const echo = view.options.hasTimestamps ? view.options.timestampValue : dice.u32();
  if (dice.chance(view.options.hasTimestamps ? 0.8 : 0.2)) {
    parts.push(word(0x0101_080a), word(dice.u32()), word(near(dice, echo)));
  }
  if (!syn && dice.chance(0.4)) {
    const blocks = dice.between(1, parts.length > 0 ? 3 : 4);
    parts.push(word(0x0101_0500 + 2 + 8 * blocks));
    for (let i = 0; i < 2 * blocks; i++) parts.push(word(near(dice, ack + dice.below(20_000))));
  }
  return join(...parts).subarray(0, 40);
}

function answer(target: Target, from: Address, to: Address): void {
  const { dice } = target;
  const syn = (view.flags & 2) !== 0;
  const acknowledgment = near(dice, view.sequence + dice.pick([0, 1, view.sequenceLength]));
  const flags = dice.pick(
    syn
      ? [0x10, 0x10, 0x12, 0x12, 0x18, 0x52]
      : [0x10, 0x10, 0x10, 0x18, 0x11, 0x90, 0x50, 0x04, 0x02],
  );
  const segment = tcp(to, from, {
    sourcePort: view.destinationPort,
    destinationPort: view.sourcePort,
    sequence: near(dice, view.acknowledgment),
    acknowledgment,
    flags,
    window: dice.pick([0, 1, 100, 1000, 65_535, dice.below(65_536)]),
    options: options(dice, (flags & 2) !== 0, acknowledgment),
    payload: dice.chance(0.5) ? dice.bytes(dice.pick([1, 10, 536, 1400])) : new Uint8Array(0),
  });
  const trafficClass = dice.below(4);
  send(target, { source: to, destination: from, protocol: IpProtocol.tcp, trafficClass }, segment);
}

const isInnocent = (address: Address): boolean =>
  typeof address === "number"
    ? address === INNOCENT4
    : address.every((word, i) => word === (INNOCENT6 as Ipv6Words)[i]);

/** Knows the numbers of its own connections, and keeps to nothing. */
export const hostilePeer: Attack = (target) => {
  const ends = overheard(target);
  if (ends !== null && !isInnocent(ends.to)) answer(target, ends.from, ends.to);
};

/** Knows those of others, too. */
export const eavesdropper: Attack = (target) => {
  const ends = overheard(target);
  if (ends !== null) answer(target, ends.from, ends.to);
};
