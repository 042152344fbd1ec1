import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import { Ip } from "../ip-address.ts";
import {
  A,
  B,
  type EventName,
  events,
  fixture,
  peer,
  peer4,
  reach,
} from "./testing/neighbor-fixture.ts";

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
