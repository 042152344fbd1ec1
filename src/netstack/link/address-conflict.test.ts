import { describe, expect, test } from "vitest";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { ArpOutput } from "./arp-output.ts";
import { Segment, type TestHost } from "./testing/segment.ts";

const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;
const PROBE = "ff:ff:ff:ff:ff:ff arp request 0.0.0.0 -> 10.0.0.7";
const ANNOUNCEMENT = "ff:ff:ff:ff:ff:ff arp request 10.0.0.7 -> 10.0.0.7";

const conflicts = (host: TestHost): unknown[] =>
  host.events
    .filter((event) => event.kind === "address-conflict")
    .map(({ address, mac }) => [address, mac]);

describe("probing", () => {
  test("nobody has it: three probes, then preferred and announced twice", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "probe" });
    const address = a.address("10.0.0.7/24");
    segment.pass(3_999);
    expect(address.state).toBe("tentative");
    segment.pass(3_010);
    expect(address.state).toBe("preferred");
    segment.pass(2_001);
    expect(segment.heard()).toEqual([PROBE, PROBE, PROBE, ANNOUNCEMENT, ANNOUNCEMENT]);
    expect(segment.context.timers).toBe(0);
  });

  test("somebody has it: duplicated; the owner answers the probe", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "probe" });
    const b = segment.add(B);
    b.address("10.0.0.7/24", "preferred");
    segment.pass(5_000);
    segment.heard();
    const address = a.address("10.0.0.7/24");
    segment.pass(10_000);
    expect(address.state).toBe("duplicated");
    expect(segment.heard()).toEqual([PROBE, "02:00:00:00:00:0a arp reply 10.0.0.7 -> 0.0.0.0"]);
    expect(conflicts(a)).toEqual([["10.0.0.7", B]]);
    expect(conflicts(b)).toEqual([]);
  });

  test("two probe at the same time: the first to hear the other's gives way", () => {
    const segment = new Segment();
    const hosts = [A, B].map((mac) => segment.add(mac, { conflictDetection: "probe" }));
    const addresses = hosts.map((host) => host.address("10.0.0.7/24"));
    segment.pass(15_000);
    expect(addresses.map(({ state }) => state).sort()).toEqual(["duplicated", "preferred"]);
  });

  test("tentative: no answer to questions for it, no question from it", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "probe" });
    const b = segment.add(B);
    b.address("10.0.0.2/24", "preferred");
    a.address("10.0.0.7/24");
    b.send("10.0.0.2", "10.0.0.7");
    a.send("10.0.0.7", "10.0.0.2");
    segment.pass(100);
    expect(segment.heard().filter((frame) => /reply|request 10.0.0.7/.test(frame))).toEqual([]);
  });

  test("link down while probing: begins anew when it is back", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "probe" });
    const address = a.address("10.0.0.7/24");
    segment.pass(3_500);
    a.iface.setUp(false);
    segment.pass(60_000);
    expect(address.state).toBe("tentative");
    segment.heard();
    a.iface.setUp(true);
    segment.pass(7_010);
    expect(address.state).toBe("preferred");
    expect(segment.heard().filter((frame) => frame === PROBE).length).toBe(3);
  });

  test("for an address not assigned: tells of the owner, or that there is none", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    b.address("10.0.0.7/24", "preferred");
    const heard: unknown[] = [];
    a.link.conflicts.probe(Ip.parse("10.0.0.7")!, (mac) => heard.push(["7", mac]));
    a.link.conflicts.probe(Ip.parse("10.0.0.8")!, (mac) => heard.push(["8", mac]));
    a.link.conflicts.probe(Ip.parse("10.0.0.9")!, (mac) => heard.push(["9", mac])).cancel();
    segment.pass(10_000);
    expect(heard).toEqual([
      ["7", B],
      ["8", null],
    ]);
    a.iface.addresses.add(Prefix.parse("10.0.0.8/24")!, "dhcp", "preferred");
    expect(segment.heard()).toContain("ff:ff:ff:ff:ff:ff arp request 10.0.0.8 -> 10.0.0.8");
  });
});

describe("announcing and defending", () => {
  test("announce: used at once, asked for, announced, and again when the link is back", () => {
    const segment = new Segment();
    const a = segment.add(A);
    expect(a.address("10.0.0.7/24").state).toBe("preferred");
    segment.pass(5_000);
    expect(segment.heard()).toEqual([PROBE, ANNOUNCEMENT, ANNOUNCEMENT]);
    a.iface.setUp(false);
    a.iface.setUp(true);
    segment.pass(5_000);
    expect(segment.heard()).toEqual([PROBE, ANNOUNCEMENT, ANNOUNCEMENT]);
  });

  test("announce, somebody has it: both are told, both keep it", () => {
    const segment = new Segment();
    const [a, b] = [segment.add(A), segment.add(B)];
    a.address("10.0.0.7/24");
    segment.pass(5_000);
    expect(conflicts(a)).toEqual([]);
    b.address("10.0.0.7/24");
    segment.pass(1_000);
    expect(conflicts(b)[0]).toEqual(["10.0.0.7", A]);
    for (const host of [a, b]) {
      expect(host.iface.addresses.find(Ip.parse("10.0.0.7")!)!.state).toBe("preferred");
    }
  });

  test("off: neither announced nor defended", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "off" });
    const address = a.address("10.0.0.7/24");
    expect(address.state).toBe("preferred");
    new ArpOutput(segment.add(B).link).announce(address.ip.w3);
    segment.pass(5_000);
    expect(segment.heard()).toEqual([ANNOUNCEMENT]);
    expect(conflicts(a)).toEqual([]);
  });

  test("set by hand, claimed by another: defended once in ten seconds, never given up", () => {
    const segment = new Segment();
    const a = segment.add(A);
    const address = a.address("10.0.0.7/24");
    segment.pass(5_000);
    const liar = new ArpOutput(segment.add(B).link);
    segment.heard();
    for (let i = 0; i < 200; i++) {
      liar.announce(address.ip.w3);
      segment.pass(100);
    }
    expect(segment.heard().length).toBe(202);
    expect(address.state).toBe("preferred");
    expect(conflicts(a)).toEqual([
      ["10.0.0.7", B],
      ["10.0.0.7", B],
    ]);
    expect(a.stateOf("10.0.0.7")).toBe("none");
  });

  test("leased, claimed twice in ten seconds: defended, then given up", () => {
    const segment = new Segment();
    const a = segment.add(A);
    const address = a.iface.addresses.add(Prefix.parse("10.0.0.7/24")!, "dhcp", "preferred")!;
    segment.pass(5_000);
    const liar = new ArpOutput(segment.add(B).link);
    liar.announce(address.ip.w3);
    segment.pass(9_000);
    expect(address.state).toBe("preferred");
    liar.announce(address.ip.w3);
    segment.pass(1);
    expect(address.state).toBe("duplicated");
    expect(conflicts(a).length).toBe(2);
  });

  test("removed: no timer is left", () => {
    const segment = new Segment();
    const a = segment.add(A, { conflictDetection: "probe" });
    const address = a.address("10.0.0.7/24");
    expect(segment.context.timers).toBe(1);
    a.iface.addresses.remove(address.ip);
    expect(segment.context.timers).toBe(0);
  });
});
