import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { Route } from "./route.ts";
import { RouteQuery } from "./route-query.ts";
import { Host, ip } from "./testing/host.ts";

const two = (): Host =>
  new Host([
    { name: "eth0", addresses: ["10.0.0.1/24", "fd00::1/64"] },
    { name: "eth1", addresses: ["10.0.1.1/24"] },
  ]);

const by = (host: Host, to: string, source?: string): string => {
  const query = new RouteQuery().to(ip(to));
  if (source !== undefined) query.from(ip(source));
  const route = host.internet.routes.lookup(query);
  if (route === null) return "none";
  return route.interface === null ? route.kind : `${route.interface.name} ${route.via ?? "-"}`;
};

const add = (
  host: Host,
  destination: string,
  name: string,
  via?: string,
  metric = 0,
  table = 254,
) =>
  host.internet.routes.add({
    destination: Prefix.parse(destination)!,
    interface: host.interface(name),
    via: via === undefined ? null : ip(via),
    metric,
    table,
  });

describe("routes", () => {
  test("connected, address added, changed and removed, follow it", () => {
    const host = two();
    expect(by(host, "10.0.0.9")).toBe("eth0 -");
    expect(by(host, "fd00::9")).toBe("eth0 -");
    const { addresses } = host.interface("eth0");
    addresses.add(Prefix.parse("10.0.0.2/24")!, "static", "preferred");
    addresses.remove(ip("10.0.0.1"));
    expect(by(host, "10.0.0.9")).toBe("eth0 -");
    addresses.setState(addresses.find(ip("10.0.0.2"))!, "duplicated");
    expect(by(host, "10.0.0.9")).toBe("none");
  });

  test("slaac addresses, added, say nothing of what is on the link (RFC 5942)", () => {
    const host = two();
    host.interface("eth1").addresses.add(Prefix.parse("2001:db8::5/64")!, "stable", "preferred");
    expect(by(host, "2001:db8::9")).toBe("none");
  });

  test("several, matching, longest prefix then metric then age decide", () => {
    const host = two();
    add(host, "0.0.0.0/0", "eth0", "10.0.0.254", 10);
    add(host, "0.0.0.0/0", "eth1", "10.0.1.254", 5);
    add(host, "172.16.0.0/12", "eth0", "10.0.0.253");
    add(host, "172.16.0.0/16", "eth1", "10.0.1.253");
    expect(by(host, "8.8.8.8")).toBe("eth1 10.0.1.254");
    expect(by(host, "172.17.0.1")).toBe("eth0 10.0.0.253");
    expect(by(host, "172.16.0.1")).toBe("eth1 10.0.1.253");
    host.interface("eth1").setUp(false);
    expect(by(host, "8.8.8.8")).toBe("eth0 10.0.0.254");
    expect(by(host, "172.16.0.1")).toBe("eth0 10.0.0.253");
  });

  test("rules, by source and destination, choose tables and refuse", () => {
    const host = two();
    add(host, "0.0.0.0/0", "eth0", "10.0.0.254");
    add(host, "0.0.0.0/0", "eth1", "10.0.1.254", 0, 100);
    const { rules } = host.internet.routes;
    rules.add({ priority: 10, source: Prefix.parse("10.0.1.0/24")!, action: { table: 100 } });
    rules.add({ priority: 5, destination: Prefix.parse("192.0.2.0/24")!, action: "prohibit" });
    expect(by(host, "8.8.8.8")).toBe("eth0 10.0.0.254");
    expect(by(host, "8.8.8.8", "10.0.1.1")).toBe("eth1 10.0.1.254");
    expect(by(host, "192.0.2.9")).toBe("prohibit");
    expect(host.internet.resolve(ip("192.0.2.9"))).toBe("prohibited");
    rules.remove(rules.all[0]!);
    expect(by(host, "192.0.2.9")).toBe("eth0 10.0.0.254");
  });

  test("an incoming rule, for a packet of this host, does not match", () => {
    const host = two();
    const incoming = host.interface("eth0");
    host.internet.routes.rules.add({ priority: 1, incoming, action: "prohibit" });
    expect(by(host, "10.0.1.9")).toBe("eth1 -");
  });

  test("blackholes, more specific than a default, end the search", () => {
    const host = two();
    add(host, "0.0.0.0/0", "eth0", "10.0.0.254");
    host.internet.routes.add({ destination: Prefix.parse("100.64.0.0/10")!, kind: "blackhole" });
    expect(by(host, "100.64.0.1")).toBe("blackhole");
  });

  test("the table, full or asked for the same again, refuses", () => {
    const host = new Host([{ name: "eth0", addresses: ["10.0.0.1/24"] }], { routes: 3 });
    expect(add(host, "10.0.0.0/24", "eth0")).toBeNull();
    expect(add(host, "10.1.0.0/24", "eth0")).not.toBeNull();
    expect(add(host, "10.2.0.0/24", "eth0")).not.toBeNull();
    expect(add(host, "10.3.0.0/24", "eth0")).toBeNull();
    expect(host.internet.routes.removeOf(host.interface("eth0"))).toBe(3);
    expect(add(host, "10.3.0.0/24", "eth0")).not.toBeNull();
  });

  test("a route without an interface or via another version throws RangeError", () => {
    expect(() => new Route({ destination: Prefix.parse("10.0.0.0/8")! })).toThrow(RangeError);
    const host = two();
    expect(() => add(host, "10.0.0.0/8", "eth0", "fd00::9")).toThrow(RangeError);
  });

  test("random routes, added and removed, agree with a linear search", () => {
    const word = fc.constantFrom(0, 1, 0x8000_0000, 0xffff_0000, 0x7fff_ffff);
    const address = fc.oneof(
      word.map((w) => Ip.v4(w)),
      fc.tuple(word, word, word, word).map(([a, b, c, d]) => Ip.v6(a, b, c, d)),
    );
    const prefix = fc
      .tuple(address, fc.nat(128))
      .map(([of, length]) => new Prefix(of, of.version === 4 ? length % 33 : length));
    const route = fc.record({ prefix, metric: fc.nat(3), keep: fc.boolean() });
    fc.assert(
      fc.property(fc.array(route, { maxLength: 60 }), fc.array(address), (specs, asked) => {
        const host = two();
        const { routes } = host.internet;
        const out = host.interface("eth0");
        routes.removeOf(out);
        const kept: Route[] = [];
        const added = specs.map(({ prefix: destination, metric }) =>
          routes.add({ destination, metric, interface: out }),
        );
        added.forEach((one, i) => {
          if (one === null) return;
          if (specs[i]!.keep) kept.push(one);
          else routes.remove(one);
        });
        for (const destination of asked) {
          const best = kept
            .filter((one) => one.destination.contains(destination))
            .sort((a, b) => b.destination.length - a.destination.length || a.metric - b.metric)[0];
          const query = new RouteQuery().to(destination).by(out);
          expect(routes.lookup(query)).toBe(best ?? null);
        }
      }),
      { seed: 71 },
    );
  });
});
