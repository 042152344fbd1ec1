import type { NeighborState } from "../../events.ts";
import { Ip } from "../../ip-address.ts";
import type { StackLimits } from "../../limits.ts";
import { PACKET_HEADROOM, Packet } from "../../packet.ts";
import { NeighborTable } from "../neighbor-table.ts";
import { TestContext } from "./test-context.ts";

export const peer = Ip.parse("fe80::2")!;
export const peer4 = Ip.parse("10.0.0.2")!;
export const A = 0x0200_0000_000a;
export const B = 0x0200_0000_000b;

function packetOf(length: number, mark = 0): Packet {
  const packet = Packet.allocate(PACKET_HEADROOM + length);
  packet.end = packet.start + length;
  packet.bytes[packet.start] = mark;
  return packet;
}

export function fixture(limits: Partial<StackLimits> = {}) {
  const context = new TestContext(limits);
  const solicited: string[] = [];
  const delivered: number[] = [];
  const unreachable: number[] = [];
  const table = new NeighborTable(context, "eth0", {
    solicit: (neighbor, cast) => void solicited.push(`${cast} ${neighbor.ip}`),
    deliver: (_, packet) => void delivered.push(packet.bytes[packet.start]!),
  });
  table.watch({ onUnreachable: (packet) => unreachable.push(packet.bytes[packet.start]!) });
  const send = (ip = peer, mark = 0, length = 100) => {
    const known = table.find(ip);
    if (known?.ready) {
      known.used = true;
      return "ready";
    }
    return table.admit(known, ip, packetOf(length, mark), null);
  };
  const state = (ip = peer) => table.find(ip)?.state ?? "none";
  return { context, table, solicited, delivered, unreachable, send, state };
}
export type Fixture = ReturnType<typeof fixture>;

/** Brings the neighbour into a state, its address being A where the state has one. */
export const reach: Record<NeighborState | "none", (f: Fixture, ip: Ip) => void> = {
  none: () => {},
  incomplete: (f, ip) => void f.send(ip, 7),
  reachable: (f, ip) => {
    f.send(ip);
    f.table.advertise(ip, A, true, true, false);
  },
  stale: (f, ip) => f.table.observe(ip, A),
  delay: (f, ip) => {
    f.table.observe(ip, A);
    f.send(ip);
  },
  probe: (f, ip) => {
    reach.delay(f, ip);
    f.context.pass(5_001);
  },
  failed: (f, ip) => {
    f.send(ip);
    f.context.pass(3_001);
  },
  permanent: (f, ip) => void f.table.addStatic(ip, A),
};

const na =
  (mac: number, solicited: 0 | 1, override: 0 | 1) =>
  (f: Fixture, ip: Ip): void =>
    f.table.advertise(ip, mac, solicited === 1, override === 1, false);

export const events = {
  "packet to send": (f: Fixture, ip: Ip) => void f.send(ip),
  "na s0 o0 same": na(A, 0, 0),
  "na s0 o0 other": na(B, 0, 0),
  "na s0 o1 same": na(A, 0, 1),
  "na s0 o1 other": na(B, 0, 1),
  "na s1 o0 same": na(A, 1, 0),
  "na s1 o0 other": na(B, 1, 0),
  "na s1 o1 same": na(A, 1, 1),
  "na s1 o1 other": na(B, 1, 1),
  "na s1 without address": na(0, 1, 1),
  "na s0 without address": na(0, 0, 1),
  "ns same": (f: Fixture, ip: Ip) => f.table.observe(ip, A),
  "ns other": (f: Fixture, ip: Ip) => f.table.observe(ip, B),
  confirmation: (f: Fixture, ip: Ip) => f.table.confirm(ip),
  "last timeout": (f: Fixture, ip: Ip) => {
    const before = f.table.find(ip)?.state;
    for (let i = 0; i < 100_000 && f.table.find(ip)?.state === before; i++) f.context.pass(10);
  },
} as const;
export type EventName = keyof typeof events;
