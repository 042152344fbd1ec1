import { IpProtocol } from "../../../src/wire/public.ts";
import type { Dice } from "./dice.ts";
import { type Address, ethernet, icmp, ip, join, tcp, udp } from "./frames.ts";
import {
  ATTACKER,
  type Attack,
  destinationOf,
  INNOCENT4,
  INNOCENT6,
  icmpOf,
  send,
  stranger,
  VICTIM4,
  VICTIM6,
  v6,
  versionOf,
} from "./target.ts";

/** Kind, length and value; random, or almost right. A multiple of four bytes. */
function tcpOptions(dice: Dice): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let room = dice.below(41); room > 1; ) {
    const kind = dice.pick([0, 1, 2, 3, 4, 5, 8, 28, 30, 34, 254, dice.below(256)]);
    const usual = { 0: 1, 1: 1, 2: 4, 3: 3, 4: 2, 5: 10, 8: 10, 28: 4 }[kind] ?? dice.below(12);
    const length = Math.min(room, Math.max(1, dice.chance(0.9) ? usual : dice.below(20)));
    const option = dice.bytes(length);
    option[0] = kind;
    if (length > 1 && kind > 1) option[1] = dice.chance(0.9) ? length : dice.below(256);
    parts.push(option);
    room -= length;
  }
  const options = join(...parts);
  return options.length % 4 === 0
    ? options
    : join(options, new Uint8Array(4 - (options.length % 4)));
}

/** Packets of any source; a connection has to survive them. */
export const packets: Record<string, Attack> = {
  "random bytes": (target) => {
    const { dice } = target;
    const type = dice.pick([0x0800, 0x0806, 0x86dd, 0x8100, dice.below(0x1_0000)]);
    const bytes = dice.bytes(dice.below(dice.chance(0.1) ? 1500 : 120));
    if (bytes.length > 0 && dice.chance(0.7)) bytes[0] = dice.pick([0x45, 0x46, 0x60, 0x4f, 0x00]);
    target.inject(ethernet(target.mac, ATTACKER, type, bytes));
  },

  "flood of SYNs": (target) => {
    const { dice } = target;
    const version = versionOf(dice);
    for (let i = dice.between(1, 40); i > 0; i--) {
      const source = stranger(dice, version);
      const destination = version === 4 ? VICTIM4 : VICTIM6;
      const segment = tcp(source, destination, {
        sourcePort: dice.below(0x1_0000),
        destinationPort: dice.chance(0.9) ? 80 : dice.below(0x1_0000),
        sequence: dice.u32(),
        acknowledgment: 0,
        flags: dice.pick([0x02, 0x02, 0x02, 0x42, 0xc2, 0x03, 0x06]),
        window: dice.below(0x1_0000),
        options: tcpOptions(dice),
      });
      send(target, { source, destination, protocol: IpProtocol.tcp }, segment);
    }
  },

  "segments of nobody": (target) => {
    const { dice } = target;
    const version = versionOf(dice);
    const source = stranger(dice, version);
    const destination = destinationOf(target, version);
    const segment = tcp(source, destination, {
      sourcePort: dice.below(0x1_0000),
      destinationPort: dice.pick([80, 81, target.ports.victim, dice.below(0x1_0000)]),
      sequence: dice.u32(),
      acknowledgment: dice.u32(),
      flags: dice.below(512),
      window: dice.below(0x1_0000),
      options: tcpOptions(dice),
      payload: dice.bytes(dice.below(60)),
    });
    send(target, { source, destination, protocol: IpProtocol.tcp }, segment);
  },

  /** RFC 5961: the addresses and ports of a connection are known, its numbers are not. */
  "segments of the innocent one": (target) => {
    const { dice, ports } = target;
    const version = versionOf(dice);
    const source = version === 4 ? INNOCENT4 : INNOCENT6;
    const destination = version === 4 ? VICTIM4 : VICTIM6;
    for (let i = dice.between(1, 30); i > 0; i--) {
      const segment = tcp(source, destination, {
        sourcePort: ports.innocent,
        destinationPort: ports.victim,
        sequence: dice.u32(),
        acknowledgment: dice.u32(),
        flags: dice.pick([0x04, 0x14, 0x02, 0x12, 0x10, 0x18, 0x11, 0x00, dice.below(512)]),
        window: dice.below(0x1_0000),
        options: dice.chance(0.5) ? tcpOptions(dice) : new Uint8Array(0),
        payload: dice.chance(0.3) ? dice.bytes(dice.below(100)) : new Uint8Array(0),
      });
      send(target, { source, destination, protocol: IpProtocol.tcp }, segment);
    }
  },

  /** RFC 5927: errors about a connection whose numbers are not known. */
  "ICMP errors": (target) => {
    const { dice, ports } = target;
    const version = versionOf(dice);
    const from = version === 4 ? VICTIM4 : VICTIM6;
    const to = version === 4 ? INNOCENT4 : INNOCENT6;
    const protocol = dice.pick([6, 6, 6, 17, version === 4 ? 1 : 58, dice.below(256)]);
    const data = join(dice.bytes(dice.between(4, 40)));
    const quotedView = new DataView(data.buffer);
    quotedView.setUint16(0, ports.victim);
    quotedView.setUint16(2, ports.innocent);
    const quote = ip({ source: from, destination: to, protocol }, data);
    const source = dice.chance(0.5) ? to : stranger(dice, version);
    const type = version === 4 ? dice.pick([3, 3, 4, 5, 11, 12]) : dice.pick([1, 2, 2, 3, 4, 100]);
    const mtu = dice.pick([0, 1, 68, 296, 552, 1279, 1280, 1400, 1500, dice.u32()]) >>> 0;
    const code = type === 3 && version === 4 ? dice.pick([0, 1, 2, 3, 4, 4, 4, 13]) : dice.below(6);
    const cut = dice.chance(0.2) ? quote.subarray(0, dice.below(quote.length)) : quote;
    const message = icmp(source, from, type, code, mtu, cut);
    send(target, { source, destination: from, protocol: icmpOf(version) }, message);
  },

  "echo requests": (target) => {
    const { dice } = target;
    const version = versionOf(dice);
    const source = stranger(dice, version);
    const destination = destinationOf(target, version);
    const type = dice.chance(0.8) ? (version === 4 ? 8 : 128) : dice.below(256);
    // What would be an answer to NDP or a group query is sent by others.
    const message = icmp(
      source,
      destination,
      type,
      dice.below(2),
      dice.u32(),
      dice.bytes(dice.below(200)),
    );
    send(target, { source, destination, protocol: icmpOf(version), hops: 64 }, message);
  },

  "UDP datagrams": (target) => {
    const { dice } = target;
    const version = versionOf(dice);
    const source = stranger(dice, version);
    const destination = destinationOf(target, version);
    const port = dice.pick([...target.udpPorts, dice.below(0x1_0000), 68, 546]);
    const payload = dice.bytes(dice.below(dice.chance(0.1) ? 1400 : 100));
    const datagram = udp(source, destination, dice.below(0x1_0000), port, payload);
    if (dice.chance(0.1)) new DataView(datagram.buffer).setUint16(4, dice.below(0x1_0000));
    send(target, { source, destination, protocol: IpProtocol.udp }, datagram);
  },

  /** Overlapping, never finished, beyond the end, tiny. */
  fragments: (target) => {
    const { dice } = target;
    const version = versionOf(dice);
    const source = dice.chance(0.5)
      ? stranger(dice, version)
      : version === 4
        ? 0x0a00_00c8
        : v6("2001:db8::1:c8");
    const destination = dice.chance(0.9)
      ? version === 4
        ? VICTIM4
        : VICTIM6
      : destinationOf(target, version);
    const protocol = dice.pick([17, 17, 6, icmpOf(version), 44]);
    const identification = dice.below(8);
    for (let i = dice.between(1, 20); i > 0; i--) {
      const offset = 8 * dice.pick([0, dice.below(20), dice.below(200), dice.below(8192)]);
      const more = dice.chance(0.7);
      const payload = dice.bytes(dice.pick([8, 16, 64, 1000, 1448, dice.below(64), 0]));
      if (version === 4) {
        const fragment = (more ? 0x2000 : 0) | (offset >>> 3);
        send(target, { source, destination, protocol, fragment, identification }, payload);
        continue;
      }
      const header = new Uint8Array(8);
      header[0] = protocol;
      const dv = new DataView(header.buffer);
      dv.setUint16(2, offset | (more ? 1 : 0));
      dv.setUint32(4, identification);
      send(target, { source, destination, protocol: 44 }, join(header, payload));
    }
  },

  "extension headers": (target) => {
    const { dice } = target;
    const source = stranger(dice, 6);
    const destination = destinationOf(target, 6);
    const first = dice.pick([0, 43, 44, 60, 51, 50, 59, 135, 139, 140]);
    const parts: Uint8Array[] = [];
    for (let i = dice.below(10); i > 0; i--) {
      const units = dice.chance(0.8) ? dice.below(3) : dice.below(8);
      const header = dice.bytes(8 * (units + 1));
      header[0] = dice.pick([0, 43, 44, 60, 51, 6, 17, 58, 59, dice.below(256)]);
      header[1] = dice.chance(0.9) ? units : dice.below(256);
      header[2] = dice.pick([0, 1, 2, 4, 5, 0x43, 0x82, 0xc2, 0xc9, 253]);
      header[3] = dice.pick([0, 1, 4, dice.below(256)]);
      parts.push(header);
    }
    parts.push(dice.bytes(dice.below(40)));
    send(target, { source, destination, protocol: first }, join(...parts));
  },

  "IPv4 options": (target) => {
    const { dice } = target;
    const options = dice.bytes(4 * dice.between(1, 10));
    options[0] = dice.pick([0, 1, 7, 68, 131, 137, 148, 0x82]);
    options[1] = dice.pick([3, 4, options.length, dice.below(256)]);
    options[2] = dice.pick([4, 5, 8, dice.below(256)]);
    const source = stranger(dice, 4);
    const destination = destinationOf(target, 4);
    const payload = dice.chance(0.5)
      ? icmp(source, destination, 8, 0, dice.u32(), dice.bytes(8))
      : udp(source, destination, 9, dice.below(0x1_0000), dice.bytes(8));
    const protocol = payload[0] === 8 ? 1 : 17;
    send(
      target,
      { source, destination, protocol, options, trafficClass: dice.below(256) },
      payload,
    );
  },
};

const anyone = (dice: Dice, version: 4 | 6): Address =>
  dice.chance(0.5) ? (version === 4 ? INNOCENT4 : INNOCENT6) : stranger(dice, version);

/** By somebody who sees all and spoofs everybody. */
export const informed: Record<string, Attack> = {
  "ICMP errors about what was sent": (target) => {
    const { dice, seen } = target;
    if (seen.length === 0) return;
    const frame = dice.pick(seen);
    const version = frame[12] === 0x08 && frame[13] === 0 ? 4 : frame[12] === 0x86 ? 6 : 0;
    if (version === 0) return;
    const quote = frame.slice(14, 14 + dice.between(0, 200));
    const from = anyone(dice, version);
    const to = version === 4 ? VICTIM4 : VICTIM6;
    const type = version === 4 ? dice.pick([3, 11, 12]) : dice.between(1, 4);
    const mtu = dice.pick([0, 68, 552, 1000, 1280, 1400, dice.u32()]) >>> 0;
    const message = icmp(from, to, type, dice.pick([0, 1, 3, 4]), mtu, quote);
    send(target, { source: from, destination: to, protocol: icmpOf(version) }, message);
  },
};
