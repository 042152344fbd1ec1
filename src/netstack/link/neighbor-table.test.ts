import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import type { NeighborState } from "../events.ts";
import { Ip } from "../ip-address.ts";
import type { StackLimits } from "../limits.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import { NeighborTable } from "./neighbor-table.ts";
import { TestContext } from "./testing/test-context.ts";

const peer = Ip.parse("fe80::2")!;
const peer4 = Ip.parse("10.0.0.2")!;
const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;

function packetOf(length: number, mark = 0): Packet {
  const packet = Packet.allocate(PACKET_HEADROOM + length);
  packet.end = packet.start + length;
  packet.bytes[packet.start] = mark;
  return packet;
}

function fixture(limits: Partial<StackLimits> = {}) {
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
type Fixture = ReturnType<typeof fixture>;

/** Brings the neighbour into a state, its address being A where the state has one. */
const reach: Record<NeighborState | "none", (f: Fixture, ip: Ip) => void> = {
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

const events = {
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
type EventName = keyof typeof events;

/** RFC 4861 appendix C, and §7.2.5 where they differ: state and link address after the event. */
const rows: Record<NeighborState | "none", Record<EventName, string>> = {
  none: {
    "packet to send": "incomplete -",
    "na s0 o0 same": "none",
    "na s0 o0 other": "none",
    "na s0 o1 same": "none",
    "na s0 o1 other": "none",
    "na s1 o0 same": "none",
    "na s1 o0 other": "none",
    "na s1 o1 same": "none",
    "na s1 o1 other": "none",
    "na s1 without address": "none",
    "na s0 without address": "none",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "none",
    "last timeout": "none",
  },
  incomplete: {
    "packet to send": "incomplete -",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale B",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "reachable B",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "incomplete -",
    "na s0 without address": "incomplete -",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "incomplete -",
    "last timeout": "failed -",
  },
  reachable: {
    "packet to send": "reachable A",
    "na s0 o0 same": "reachable A",
    "na s0 o0 other": "stale A",
    "na s0 o1 same": "reachable A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "stale A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "reachable A",
    "ns same": "reachable A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "stale A",
  },
  stale: {
    "packet to send": "delay A",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale A",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "stale A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "stale A",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "stale A",
  },
  delay: {
    "packet to send": "delay A",
    "na s0 o0 same": "delay A",
    "na s0 o0 other": "delay A",
    "na s0 o1 same": "delay A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "delay A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "delay A",
    "ns same": "delay A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "probe A",
  },
  probe: {
    "packet to send": "probe A",
    "na s0 o0 same": "probe A",
    "na s0 o0 other": "probe A",
    "na s0 o1 same": "probe A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "reachable A",
    "na s1 o0 other": "probe A",
    "na s1 o1 same": "reachable A",
    "na s1 o1 other": "reachable B",
    "na s1 without address": "reachable A",
    "na s0 without address": "probe A",
    "ns same": "probe A",
    "ns other": "stale B",
    confirmation: "reachable A",
    "last timeout": "failed -",
  },
  failed: {
    "packet to send": "failed -",
    "na s0 o0 same": "stale A",
    "na s0 o0 other": "stale B",
    "na s0 o1 same": "stale A",
    "na s0 o1 other": "stale B",
    "na s1 o0 same": "stale A",
    "na s1 o0 other": "stale B",
    "na s1 o1 same": "stale A",
    "na s1 o1 other": "stale B",
    "na s1 without address": "failed -",
    "na s0 without address": "failed -",
    "ns same": "stale A",
    "ns other": "stale B",
    confirmation: "failed -",
    "last timeout": "none",
  },
  permanent: Object.fromEntries(
    Object.keys(events).map((event) => [event, "permanent A"]),
  ) as Record<EventName, string>,
};

const cases = Object.entries(rows).flatMap(([state, row]) =>
  Object.entries(row).map(([event, outcome]) => [state, event, outcome] as const),
);

describe.each([peer, peer4])("states of %s", (ip) => {
  test.each(cases)("%s: %s makes it %s", (state, event, outcome) => {
    const f = fixture();
    reach[state as NeighborState](f, ip);
    expect(f.state(ip)).toBe(state);
    events[event as EventName](f, ip);
    const neighbor = f.table.find(ip);
    const mac = neighbor?.mac === A ? "A" : neighbor?.mac === B ? "B" : "-";
    expect(neighbor === null ? "none" : `${neighbor.state} ${mac}`).toBe(outcome);
    expect(neighbor?.ready ?? false).toBe(/reachable|delay|probe|permanent/.test(outcome));
  });
});

describe("resolution", () => {
  test("incomplete: three solicitations a second apart, then failed, told and forgotten", () => {
    const f = fixture();
    expect(f.send(peer, 1)).toBe("waiting");
    expect(f.send(peer, 2)).toBe("waiting");
    expect(f.solicited).toEqual(["multicast fe80::2"]);
    f.context.pass(2_500);
    expect(f.solicited.length).toBe(3);
    expect(f.unreachable).toEqual([]);
    f.context.pass(600);
    expect(f.unreachable).toEqual([1, 2]);
    expect(f.send()).toBe("unreachable");
    expect(f.solicited.length).toBe(3);
    f.context.pass(3_100);
    expect(f.context.drain()).toEqual(["fe80::2 incomplete", "fe80::2 failed", "fe80::2 removed"]);
    expect(f.context.timers).toBe(0);
    expect(f.table.waitingBytes).toBe(0);
  });

  test("incomplete: an answer sends what waits, in order", () => {
    const f = fixture();
    for (let i = 1; i <= 3; i++) f.send(peer, i);
    f.table.advertise(peer, A, true, true, true);
    expect(f.delivered).toEqual([1, 2, 3]);
    expect(f.table.waitingBytes).toBe(0);
    expect(f.table.find(peer)?.isRouter).toBe(true);
  });

  test("probe: three unicast solicitations, then failed; the next packet begins anew at once", () => {
    const f = fixture();
    reach.probe(f, peer);
    f.context.pass(3_000);
    expect(f.solicited).toEqual(Array(3).fill("unicast fe80::2"));
    expect(f.state()).toBe("failed");
    expect(f.send()).toBe("waiting");
    expect(f.solicited.at(-1)).toBe("multicast fe80::2");
  });

  test("reachable: confirmations keep it so; times are random about the base", () => {
    const f = fixture();
    reach.reachable(f, peer);
    for (let i = 0; i < 100; i++) {
      f.context.pass(10_000);
      f.table.confirm(peer);
    }
    expect(f.state()).toBe("reachable");
    f.context.pass(14_900);
    expect(f.state()).toBe("reachable");
    f.context.pass(30_200);
    expect(f.state()).toBe("stale");
  });

  test("reachable: a shorter time from a router holds for the next confirmation", () => {
    const f = fixture();
    f.table.setReachableTime(seconds(2));
    f.table.setRetransTimer(seconds(2));
    reach.reachable(f, peer);
    f.context.pass(3_002);
    expect(f.state()).toBe("stale");
    expect(f.table.retransTimer).toBe(seconds(2));
    reach.reachable(f, peer4);
    f.context.pass(3_002);
    expect(f.state(peer4)).toBe("reachable");
  });

  test("router flag: told to who watches, also when nothing else changed", () => {
    const f = fixture();
    const heard: string[] = [];
    f.table.watch({ onState: (ip, state, router) => void heard.push(`${ip} ${state} ${router}`) });
    f.table.observe(peer, A);
    f.table.setRouter(peer, true);
    f.table.setRouter(peer, true);
    f.table.advertise(peer, A, false, true, false);
    expect(heard).toEqual(["fe80::2 stale false", "fe80::2 stale true", "fe80::2 stale false"]);
  });

  test("group and missing link addresses: never learnt", () => {
    const f = fixture();
    for (const mac of [0, 0xffff_ffff_ffff, 0x0100_5e00_0001]) {
      f.table.observe(peer, mac);
      f.send();
      f.table.advertise(peer, mac, true, true, false);
    }
    expect(f.state()).toBe("incomplete");
    expect(f.table.addStatic(peer, 0x0100_5e00_0001)).toBe(false);
  });
});

describe("static entries", () => {
  test("added: sends what waits; removed: gone; reset: stays", () => {
    const f = fixture();
    f.send(peer, 9);
    expect(f.table.addStatic(peer, A)).toBe(true);
    expect(f.delivered).toEqual([9]);
    expect(f.table.addStatic(peer, B)).toBe(true);
    f.table.observe(peer4, A);
    f.table.reset();
    expect(f.table.list()).toEqual([{ ip: peer, mac: B, state: "permanent", isRouter: false }]);
    expect(f.table.remove(peer)).toBe(true);
    expect(f.table.remove(peer)).toBe(false);
    expect(f.table.size).toBe(0);
  });

  test("too many: refused, and dynamic ones still find room", () => {
    const f = fixture({ neighbors: 16 });
    for (let i = 0; i < 12; i++) expect(f.table.addStatic(Ip.v4(i + 1), A)).toBe(true);
    expect(f.table.addStatic(Ip.v4(99), A)).toBe(false);
    expect(f.table.remove(Ip.v4(1))).toBe(true);
    expect(f.table.addStatic(Ip.v4(99), A)).toBe(true);
    expect(f.send(peer4)).toBe("waiting");
  });
});

describe("bounds", () => {
  test("scan of a /64 through us: neighbours in use stay, the table does not grow", () => {
    const f = fixture({ neighbors: 64 });
    const used = Array.from({ length: 20 }, (_, i) => Ip.v6(0x2001_0db8, 0, 1, i));
    for (const ip of used) reach.reachable(f, ip);
    for (let i = 0; i < 5_000; i++) f.send(Ip.v6(0x2001_0db8, 0, 2, i));
    expect(f.table.size).toBe(64);
    for (const ip of used) expect(f.state(ip)).toBe("reachable");
    expect(f.table.waitingBytes).toBeLessThan(64 * 1024);
    f.context.pass(10_000);
    expect(f.table.size).toBe(20);
  });

  test("a neighbour that makes up addresses: those in use stay, resolution goes on", () => {
    const f = fixture({ neighbors: 64 });
    reach.reachable(f, peer);
    f.send(Ip.v6(1, 2, 3, 4));
    for (let i = 0; i < 5_000; i++) f.table.observe(Ip.v6(0x2001_0db8, 0, 2, i), B);
    expect(f.table.size).toBe(64);
    expect(f.state()).toBe("reachable");
    expect(f.send(Ip.v6(1, 2, 3, 5))).toBe("waiting");
  });

  test("full of neighbours in use: strangers are not taken, a packet of ours evicts the idle one", () => {
    const f = fixture({ neighbors: 16 });
    const all = Array.from({ length: 16 }, (_, i) => Ip.v4(i + 1));
    for (const ip of all) reach.reachable(f, ip);
    f.table.observe(Ip.v4(100), B);
    expect(f.state(Ip.v4(100))).toBe("none");
    for (const ip of all) if (ip.w3 !== 3) f.send(ip);
    f.send(Ip.v4(101));
    expect(f.state(Ip.v4(3))).toBe("none");
    expect(f.table.size).toBe(16);
  });

  test("packets that wait: the oldest of a neighbour goes, and all of them have a bound in bytes", () => {
    const f = fixture({ packetsPerNeighbor: 3, bytesAwaitingNeighbors: 4_000 });
    for (let i = 1; i <= 5; i++) f.send(peer, i);
    for (let i = 1; i < 100; i++) f.send(Ip.v4(i), 50, 900);
    expect(f.table.waitingBytes).toBeGreaterThan(2_900);
    expect(f.table.waitingBytes).toBeLessThanOrEqual(4_000);
    f.table.advertise(peer, A, true, true, false);
    expect(f.delivered).toEqual([3, 4, 5]);
  });

  test("any sequence: counts, timers and bytes agree with the entries", () => {
    const names = Object.keys(events).filter((name) => name !== "last timeout") as EventName[];
    const step = fc.tuple(
      fc.constantFrom(...names, "static" as const, "remove" as const, "time" as const),
      fc.integer({ min: 1, max: 12 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const f = fixture({ neighbors: 8, packetsPerNeighbor: 2, bytesAwaitingNeighbors: 2_000 });
        for (const [name, n] of steps) {
          const ip = n % 2 === 0 ? Ip.v4(n) : Ip.v6(1, 2, 3, n);
          if (name === "static") f.table.addStatic(ip, A);
          else if (name === "remove") f.table.remove(ip);
          else if (name === "time") f.context.pass(n * 700);
          else events[name](f, ip);
          const list = f.table.list();
          expect(list.length).toBe(f.table.size);
          expect(list.filter(({ ip }) => ip.version === 4).length).toBeLessThanOrEqual(8);
          const waiting = list.filter(({ state }) => state === "incomplete").length;
          if (waiting === 0) expect(f.table.waitingBytes).toBe(0);
          for (const { state, mac } of list) {
            expect(mac === null).toBe(state === "incomplete" || state === "failed");
          }
        }
        f.table.reset();
        expect(f.context.timers).toBe(0);
        expect(f.table.waitingBytes).toBe(0);
      }),
      { seed: 4861, numRuns: 300 },
    );
  });
});
