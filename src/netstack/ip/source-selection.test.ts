import { describe, expect, test } from "vitest";
import { InterfaceAddress } from "../address-table.ts";
import type { AddressOrigin, AddressState } from "../events.ts";
import { Prefix } from "../prefix.ts";
import { orderDestinations } from "./destination-ordering.ts";
import { Host, ip } from "./testing/host.ts";

type Candidate = readonly [prefix: string, state?: AddressState, origin?: AddressOrigin];

/** RFC 6724 §10.1 has most of these. */
const cases: readonly [what: string, destination: string, candidates: Candidate[], best: string][] =
  [
    [
      "rule 1",
      "2001:db8:1::1",
      [["2001:db8:1::2/64"], ["2001:db8:1::1/64", "deprecated"]],
      "2001:db8:1::1",
    ],
    ["rule 2: global", "2001:db8:1::1", [["fe80::1/64"], ["2001:db8:3::1/64"]], "2001:db8:3::1"],
    ["rule 2: group", "ff05::1", [["fe80::1/64"], ["2001:db8:3::1/64"]], "2001:db8:3::1"],
    ["rule 2: link", "fe80::9", [["2001:db8:3::1/64"], ["fe80::1/64"]], "fe80::1"],
    [
      "rule 3",
      "2001:db8:1::1",
      [["2001:db8:1::9/64", "deprecated"], ["2001:db8:3::2/64"]],
      "2001:db8:3::2",
    ],
    [
      "rule 6",
      "2002:c633:6401::1",
      [["2001:db8:1::2/64"], ["2002:c633:6401::d5e3/64"]],
      "2002:c633:6401::d5e3",
    ],
    ["rule 6: ula", "fd11::1", [["2001:db8::2/64"], ["fd22::2/64"]], "fd22::2"],
    [
      "rule 7",
      "2001:db8:1::1",
      [["2001:db8:1::2/64"], ["2001:db8:3::9/64", "preferred", "temporary"]],
      "2001:db8:3::9",
    ],
    ["rule 8", "2001:db8:1::1", [["2001:db8:3::2/64"], ["2001:db8:1::2/64"]], "2001:db8:1::2"],
    ["v4 subnet", "10.2.0.9", [["10.1.0.1/16"], ["10.2.0.1/16"]], "10.2.0.1"],
    ["v4 scope", "8.8.8.8", [["169.254.1.1/16"], ["10.2.0.1/16"]], "10.2.0.1"],
  ];

describe("source selection", () => {
  test.each(cases)("%s: to %s", (_what, destination, candidates, best) => {
    for (const order of [candidates, [...candidates].reverse()]) {
      const host = new Host([{ name: "eth0" }]);
      const eth0 = host.interface("eth0");
      for (const version of [4, 6]) {
        const all = Prefix.parse(version === 4 ? "0.0.0.0/0" : "::/0")!;
        host.internet.routes.add({ destination: all, interface: eth0 });
      }
      for (const [prefix, state = "preferred", origin = "static"] of order) {
        eth0.addresses.add(Prefix.parse(prefix)!, origin, state);
      }
      // Our own address is reached by loopback, which this host has not.
      const path = host.internet.resolve(ip(destination));
      expect(typeof path === "string" ? path : path.source.toString()).toBe(best);
    }
  });

  test("tentative addresses, the only ones, are no source", () => {
    const host = new Host([{ name: "eth0" }]);
    const { addresses } = host.interface("eth0");
    addresses.add(Prefix.parse("fe80::1/64")!, "link-local", "tentative");
    const constraint = { interface: host.interface("eth0") };
    expect(host.internet.resolve(ip("fe80::2"), constraint)).toBe("no-source");
  });

  test("an unnumbered interface borrows an address, but no link-local one", () => {
    const host = new Host([{ name: "eth0", addresses: ["10.0.0.1/24"] }, { name: "ppp0" }]);
    const ppp0 = host.interface("ppp0");
    host.internet.routes.add({ destination: Prefix.parse("192.0.2.0/24")!, interface: ppp0 });
    expect(host.internet.resolve(ip("192.0.2.1"))).toMatchObject({ source: ip("10.0.0.1") });
    expect(host.internet.resolve(ip("fe80::1"), { interface: ppp0 })).toBe("no-source");
  });
});

describe("destination order", () => {
  const address = (text: string, state: AddressState = "preferred"): InterfaceAddress =>
    new InterfaceAddress(Prefix.parse(text)!, "static", state);
  const order = (pairs: readonly [string, InterfaceAddress | null][]): string[] =>
    orderDestinations(
      pairs.map(([text]) => ip(text)),
      (destination) => pairs.find(([text]) => ip(text).equals(destination))![1],
    ).map((one) => one.toString());

  test.each([
    ["unreachable last", "2001:db8::1", null, "198.51.100.1", "10.0.0.1/8"],
    ["scope mismatch last", "2001:db8::1", "fe80::1/64", "198.51.100.1", "10.0.0.1/8"],
    ["precedence: v6 first", "198.51.100.1", "10.0.0.1/8", "2001:db8::1", "2001:db8::2/64"],
    ["smaller scope first", "2001:db8::1", "2001:db8::2/64", "fe80::1", "fe80::2/64"],
    [
      "longer match first",
      "2001:db8:3::1",
      "2001:db8:1::2/48",
      "2001:db8:1::1",
      "2001:db8:1::2/48",
    ],
    [
      "label mismatch last",
      "2002:c633:6401::1",
      "2001:db8::2/64",
      "2001:db8:1::1",
      "2001:db8::2/64",
    ],
  ])("%s", (_what, second, secondSource, first, firstSource) => {
    const source = (text: string | null) => (text === null ? null : address(text));
    expect(
      order([
        [second, source(secondSource)],
        [first, source(firstSource)],
      ]),
    ).toEqual([ip(first).toString(), ip(second).toString()]);
  });

  test("equals, sorted, stay in the resolver's order", () => {
    const ours = address("10.0.0.1/8");
    expect(
      order([
        ["198.51.100.7", ours],
        ["198.51.100.5", ours],
      ]),
    ).toEqual(["198.51.100.7", "198.51.100.5"]);
  });
});
