import { describe, expect, test } from "vitest";
import { Ip } from "../ip-address.ts";
import { Segment } from "./testing/segment.ts";

const A = 0x0200_0000_000a;
const B = 0x0200_0000_000b;
const C = 0x0200_0000_000c;

/** Two stations with both families, addresses settled. */
function pair() {
  const segment = new Segment();
  const a = segment.add(A);
  const b = segment.add(B);
  a.address("10.0.0.1/24", "preferred");
  b.address("10.0.0.2/24", "preferred");
  a.address("fe80::a/64", "preferred");
  b.address("fe80::b/64", "preferred");
  segment.pass(5_000);
  segment.heard();
  a.events.length = 0;
  b.events.length = 0;
  return { segment, a, b };
}

describe("arp", () => {
  test("unknown neighbour: asked once, answered, the packets that waited arrive in order", () => {
    const { segment, a, b } = pair();
    expect(a.send("10.0.0.1", "10.0.0.2", 1)).toBe("sent");
    expect(a.send("10.0.0.1", "10.0.0.2", 2)).toBe("sent");
    segment.pass(1);
    expect(segment.heard()).toEqual([
      "ff:ff:ff:ff:ff:ff arp request 10.0.0.1 -> 10.0.0.2",
      "02:00:00:00:00:0a arp reply 10.0.0.2 -> 10.0.0.1",
      "02:00:00:00:00:0b ipv4",
      "02:00:00:00:00:0b ipv4",
    ]);
    expect(b.marks()).toEqual([1, 2]);
    expect(a.stateOf("10.0.0.2")).toBe("reachable");
    // The one asked has learnt the asker, and need not ask back.
    expect(b.stateOf("10.0.0.1")).toBe("stale");
    b.send("10.0.0.2", "10.0.0.1", 3);
    segment.pass(1);
    expect(segment.heard()).toEqual(["02:00:00:00:00:0a ipv4"]);
    expect(a.marks()).toEqual([3]);
  });

  test("stale neighbour: polled by unicast after five seconds", () => {
    const { segment, a } = pair();
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(60_000);
    expect(a.stateOf("10.0.0.2")).toBe("stale");
    segment.heard();
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(5_100);
    expect(segment.heard().slice(1)).toEqual([
      "02:00:00:00:00:0b arp request 10.0.0.1 -> 10.0.0.2",
      "02:00:00:00:00:0a arp reply 10.0.0.2 -> 10.0.0.1",
    ]);
    expect(a.stateOf("10.0.0.2")).toBe("reachable");
  });

  test("third station: learns nothing from what is not for it, but follows who it knows", () => {
    const { segment, a } = pair();
    const c = segment.add(C);
    c.address("10.0.0.3/24", "preferred");
    segment.pass(3_000);
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(1);
    expect(c.stateOf("10.0.0.1")).toBe("none");
    c.link.neighbors.observe(Ip.parse("10.0.0.1")!, 0x0200_0000_00ff);
    a.iface.setUp(false);
    a.iface.setUp(true);
    segment.pass(1);
    expect(c.link.neighbors.find(Ip.parse("10.0.0.1")!)?.mac).toBe(A);
  });

  test("no address: nobody is asked, and the packet is given up", () => {
    const segment = new Segment();
    const a = segment.add(A);
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(3_100);
    expect(segment.heard()).toEqual([]);
    expect(a.undelivered).toEqual([28]);
  });

  test("source of the question: the packet's when it is ours, else one of that network", () => {
    const { segment, a } = pair();
    a.address("10.0.0.9/24", "preferred");
    a.address("192.168.0.1/16", "preferred");
    segment.pass(3_000);
    segment.heard();
    a.send("10.0.0.9", "10.0.0.50");
    a.send("8.8.8.8", "192.168.7.7");
    segment.settle();
    expect(segment.heard()).toEqual([
      "ff:ff:ff:ff:ff:ff arp request 10.0.0.9 -> 10.0.0.50",
      "ff:ff:ff:ff:ff:ff arp request 192.168.0.1 -> 192.168.7.7",
    ]);
  });

  test("ipv4 off: no answer", () => {
    const { segment, a, b } = pair();
    b.iface.settings.ipv4 = false;
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(1);
    expect(segment.heard().length).toBe(1);
  });
});

describe("ndp", () => {
  test("unknown neighbour: its group is asked, it answers solicited and overriding", () => {
    const { segment, a, b } = pair();
    a.send("fe80::a", "fe80::b", 1);
    segment.pass(1);
    expect(segment.heard()).toEqual([
      "33:33:ff:00:00:0b ns fe80::a -> fe80::b",
      "02:00:00:00:00:0a na 11 fe80::b -> fe80::b",
      "02:00:00:00:00:0b ipv6",
    ]);
    expect(b.marks()).toEqual([1]);
    expect(a.stateOf("fe80::b")).toBe("reachable");
    expect(b.stateOf("fe80::a")).toBe("stale");
  });

  test("router: says so, and is known as one until it stops", () => {
    const { segment, a, b } = pair();
    b.iface.settings.forwarding = true;
    a.send("fe80::a", "fe80::b");
    segment.pass(1);
    expect(a.link.neighbors.find(Ip.parse("fe80::b")!)?.isRouter).toBe(true);
    b.iface.settings.forwarding = false;
    segment.pass(60_000);
    a.send("fe80::a", "fe80::b");
    segment.pass(6_000);
    expect(a.stateOf("fe80::b")).toBe("reachable");
    expect(a.link.neighbors.find(Ip.parse("fe80::b")!)?.isRouter).toBe(false);
  });

  test("probe: by unicast, with an option, answered", () => {
    const { segment, a } = pair();
    a.send("fe80::a", "fe80::b");
    segment.pass(60_000);
    segment.heard();
    a.send("fe80::a", "fe80::b");
    segment.pass(5_100);
    expect(segment.heard()).toEqual([
      "02:00:00:00:00:0b ipv6",
      "02:00:00:00:00:0b ns fe80::a -> fe80::b",
      "02:00:00:00:00:0a na 11 fe80::b -> fe80::b",
    ]);
  });

  test("neighbour gone: probed three times, failed, asked anew in public", () => {
    const { segment, a, b } = pair();
    a.send("fe80::a", "fe80::b");
    segment.pass(60_000);
    b.iface.setUp(false);
    segment.heard();
    a.send("fe80::a", "fe80::b");
    segment.pass(8_100);
    expect(segment.heard().slice(1)).toEqual(
      Array(3).fill("02:00:00:00:00:0b ns fe80::a -> fe80::b"),
    );
    expect(a.stateOf("fe80::b")).toBe("failed");
    a.send("fe80::a", "fe80::b");
    segment.settle();
    expect(segment.heard()).toEqual(["33:33:ff:00:00:0b ns fe80::a -> fe80::b"]);
  });

  test("router: remembers a host that has announced a new address (RFC 9131)", () => {
    const { segment, a, b } = pair();
    b.iface.settings.forwarding = true;
    b.iface.groups.join(Ip.parse("ff02::2")!);
    a.address("2001:db8::1/64");
    segment.pass(3_000);
    expect(b.stateOf("2001:db8::1")).toBe("stale");
  });
});

describe("link", () => {
  test("down: all learnt is forgotten, nothing is sent; up: found again", () => {
    const { segment, a, b } = pair();
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(1);
    a.iface.setUp(false);
    expect(a.link.neighbors.size).toBe(0);
    expect(a.send("10.0.0.1", "10.0.0.2")).toBe("unreachable");
    a.iface.setUp(true);
    a.send("10.0.0.1", "10.0.0.2", 5);
    segment.pass(1);
    expect(b.marks()).toEqual([0, 5]);
  });

  test("device without room: full, the packet is as it was", () => {
    const { segment, a } = pair();
    a.send("10.0.0.1", "10.0.0.2");
    segment.pass(1);
    a.full = true;
    expect(a.send("10.0.0.1", "10.0.0.2")).toBe("full");
    expect(a.send("10.0.0.1", "224.0.0.5")).toBe("full");
    a.full = false;
    expect(a.send("10.0.0.1", "10.0.0.2")).toBe("sent");
  });
});
