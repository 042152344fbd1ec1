import { describe, expect, it } from "vitest";
import { Inbound } from "../inbound.ts";
import { Ip } from "../ip-address.ts";
import { TcpListener } from "./listener.ts";
import { ListenerTable } from "./listener-table.ts";
import { DEFAULT_TCP } from "./settings.ts";

function listener(ip: string, options: { reusePort?: boolean; ipv6Only?: boolean } = {}) {
  return new TcpListener(
    { defer() {}, released() {}, fault() {} },
    {
      ip: Ip.parse(ip)!,
      port: 80,
      reusePort: options.reusePort ?? false,
      ipv6Only: options.ipv6Only ?? false,
      backlog: 1,
      synBacklog: 1,
      settings: DEFAULT_TCP,
    },
    () => null,
  );
}

function packetTo(text: string): Inbound {
  const inbound = new Inbound();
  const ip = Ip.parse(text)!;
  inbound.version = ip.version;
  inbound.d0 = ip.w0;
  inbound.d1 = ip.w1;
  inbound.d2 = ip.w2;
  inbound.d3 = ip.w3;
  return inbound;
}

describe("listeners", () => {
  it("the exact address before its family's wildcard before the one of both", () => {
    const table = new ListenerTable();
    const both = listener("::");
    const v4 = listener("0.0.0.0");
    const exact = listener("192.0.2.1");
    for (const each of [both, v4, exact]) table.add(each);
    expect(table.find(packetTo("192.0.2.1"), 80, 7)).toBe(exact);
    expect(table.find(packetTo("192.0.2.2"), 80, 7)).toBe(v4);
    expect(table.find(packetTo("2001:db8::1"), 80, 7)).toBe(both);
    table.remove(v4);
    expect(table.find(packetTo("192.0.2.2"), 80, 7)).toBe(both);
    expect(table.find(packetTo("192.0.2.2"), 81, 7)).toBe(null);
  });

  it("ipv6Only: takes no IPv4; 0.0.0.0: takes no IPv6", () => {
    const table = new ListenerTable();
    table.add(listener("::", { ipv6Only: true }));
    expect(table.find(packetTo("192.0.2.2"), 80, 0)).toBe(null);
    const other = new ListenerTable();
    other.add(listener("0.0.0.0"));
    expect(other.find(packetTo("2001:db8::1"), 80, 0)).toBe(null);
  });

  it("a group of one address: the hash of a flow decides, all get some", () => {
    const table = new ListenerTable();
    const group = [0, 1, 2].map(() => listener("0.0.0.0", { reusePort: true }));
    for (const each of group) table.add(each);
    const chosen = new Set([0, 1, -1, 5, -7].map((h) => table.find(packetTo("10.0.0.1"), 80, h)));
    expect(chosen).toEqual(new Set(group));
    expect(table.find(packetTo("10.0.0.1"), 80, 5)).toBe(table.find(packetTo("10.0.0.1"), 80, 5));
  });

  it.each([
    ["0.0.0.0", "192.0.2.1", {}, true],
    ["192.0.2.2", "192.0.2.1", {}, false],
    ["::", "192.0.2.1", {}, true],
    ["::", "192.0.2.1", { ipv6Only: true }, false],
    ["2001:db8::1", "0.0.0.0", {}, false],
    ["0.0.0.0", "0.0.0.0", { reusePort: true }, false],
  ] as const)("%s is there, %s comes with %o: conflict %s", (there, ip, options, conflict) => {
    const table = new ListenerTable();
    table.add(listener(there, options));
    const { reusePort = false } = options as { reusePort?: boolean };
    expect(table.conflicts(Ip.parse(ip)!, 80, false, reusePort)).toBe(conflict);
  });
});
