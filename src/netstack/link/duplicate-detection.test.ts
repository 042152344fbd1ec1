import { describe, expect, test } from "vitest";
import { FOREVER } from "../address-table.ts";
import { IPV6_ALL_NODES, Ip } from "../ip-address.ts";
import { NdpOutput } from "./ndp-output.ts";
import { Segment, type TestHost } from "./testing/segment.ts";

const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;
const PROBE = "33:33:ff:00:00:07 ns :: -> 2001:db8::7";

const conflicts = (host: TestHost): unknown[] =>
  host.events
    .filter((event) => event.kind === "address-conflict")
    .map(({ address, mac }) => [address, mac]);

describe("duplicate address detection", () => {
  test("nobody has it: preferred one to two seconds later, in its group before, then announced", () => {
    const segment = new Segment();
    const a = segment.add(A);
    const address = a.address("2001:db8::7/64");
    expect(address.state).toBe("tentative");
    expect(a.iface.groups.has(Ip.parse("ff02::1:ff00:7")!)).toBe(true);
    segment.pass(999);
    expect(address.state).toBe("tentative");
    segment.pass(1_002);
    expect(address.state).toBe("preferred");
    expect(segment.heard()).toEqual([PROBE, "33:33:00:00:00:02 na 0 2001:db8::7 -> 2001:db8::7"]);
    a.iface.addresses.remove(address.ip);
    expect(a.iface.groups.has(Ip.parse("ff02::1:ff00:7")!)).toBe(false);
  });

  test("first probe: at a random moment of a second", () => {
    const delays = new Set<number>();
    for (let seed = 1; seed <= 8; seed++) {
      const segment = new Segment({}, seed);
      segment.add(A).address("2001:db8::7/64");
      let waited = 0;
      for (; segment.heard().length === 0; waited += 50) segment.pass(50);
      expect(waited).toBeLessThanOrEqual(1_000);
      delays.add(waited);
    }
    expect(delays.size).toBeGreaterThan(3);
  });

  test("somebody has it: duplicated, with who; the owner keeps it", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    const owned = b.address("2001:db8::7/64", "preferred");
    segment.heard();
    const address = a.address("2001:db8::7/64");
    segment.pass(2_000);
    expect(address.state).toBe("duplicated");
    expect(owned.state).toBe("preferred");
    expect(segment.heard()).toContain("33:33:00:00:00:01 na 1 2001:db8::7 -> 2001:db8::7");
    expect(conflicts(a)).toEqual([["2001:db8::7", B]]);
    // It does not answer for what it has not got.
    b.iface.addresses.remove(address.ip);
    segment.heard();
    b.address("fe80::b/64", "preferred");
    b.send("fe80::b", "2001:db8::7");
    segment.pass(100);
    expect(segment.heard().filter((frame) => frame.includes(" na 11 "))).toEqual([]);
  });

  test("two at the same time: the first to hear the other gives way", () => {
    const segment = new Segment();
    const both = [segment.add(A), segment.add(B)].map((host) => host.address("2001:db8::7/64"));
    segment.pass(3_000);
    expect(both.map(({ state }) => state)).toEqual(["duplicated", "preferred"]);
  });

  test("several transmits: a second apart each", () => {
    const segment = new Segment();
    const a = segment.add(A, { dadTransmits: 3 });
    const address = a.address("2001:db8::7/64");
    segment.pass(2_999);
    expect(address.state).toBe("tentative");
    segment.pass(1_002);
    expect(address.state).toBe("preferred");
    expect(segment.heard().filter((frame) => frame === PROBE).length).toBe(3);
  });

  test.each([{ dadTransmits: 0 }, { conflictDetection: "off" as const }])(
    "%o: preferred at once",
    (settings) => {
      const segment = new Segment();
      const a = segment.add(A, settings);
      const address = a.address("2001:db8::7/64");
      expect(address.state).toBe("preferred");
      a.iface.setUp(false);
      a.iface.setUp(true);
      expect(address.state).toBe("preferred");
      expect(segment.heard()).not.toContain(PROBE);
    },
  );

  test("frames come back to their sender: no duplicate; probed again until they do not", () => {
    const segment = new Segment();
    segment.looped = true;
    const address = segment.add(A).address("2001:db8::7/64");
    segment.pass(4_000);
    expect(address.state).toBe("tentative");
    segment.pass(600_000);
    expect(segment.heard().length).toBeLessThan(20);
    segment.looped = false;
    segment.pass(121_000);
    expect(address.state).toBe("preferred");
  });

  test("interface down and up: tentative again, and what has changed meanwhile is seen", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    const address = a.address("2001:db8::7/64");
    const late = a.address("2001:db8::8/64");
    segment.pass(3_000);
    a.iface.addresses.setState(late, "deprecated");
    late.preferredUntil = segment.context.now();
    a.iface.setUp(false);
    b.address("2001:db8::7/64");
    segment.pass(3_000);
    a.iface.setUp(true);
    expect([address.state, late.state]).toEqual(["tentative", "tentative"]);
    segment.pass(3_000);
    expect([address.state, late.state]).toEqual(["duplicated", "deprecated"]);
    expect(late.validUntil).toBe(FOREVER);
  });

  test("added while down, removed while tentative: no probe, no timer is left", () => {
    const segment = new Segment();
    const a = segment.add(A);
    a.iface.setUp(false);
    const address = a.address("2001:db8::7/64");
    segment.pass(5_000);
    expect(segment.heard()).toEqual([]);
    a.iface.setUp(true);
    expect(segment.context.timers).toBe(1);
    a.iface.addresses.remove(address.ip);
    expect(segment.context.timers).toBe(0);
  });

  test("link-local of the mac address duplicated: ipv6 stops on the interface", () => {
    const segment = new Segment();
    const a = segment.add(0x0200_5e10_0001);
    const b = segment.add(0x0200_5e10_0001);
    b.address("fe80::5eff:fe10:1/64", "preferred");
    const address = a.address("fe80::5eff:fe10:1/64");
    const other = a.address("2001:db8::7/64");
    segment.pass(3_000);
    expect(address.state).toBe("duplicated");
    expect(a.iface.settings.ipv6).toBe(false);
    expect(other.state).not.toBe("preferred");
    a.iface.setUp(false);
    a.iface.setUp(true);
    expect(segment.context.timers).toBe(0);
  });

  test("other link-local duplicated: ipv6 goes on", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    b.address("fe80::7/64", "preferred");
    a.address("fe80::7/64");
    segment.pass(3_000);
    expect(a.iface.settings.ipv6).toBe(true);
  });

  test("address in use, claimed by another: told once in ten seconds, kept", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    const address = a.address("2001:db8::7/64");
    segment.pass(3_000);
    const liar = new NdpOutput(b.link);
    for (let i = 0; i < 50; i++) {
      liar.announce(address.ip, IPV6_ALL_NODES, false);
      segment.pass(100);
    }
    expect(address.state).toBe("preferred");
    expect(conflicts(a)).toEqual([["2001:db8::7", B]]);
  });
});
