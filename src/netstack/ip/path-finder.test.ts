import { describe, expect, test } from "vitest";
import { Prefix } from "../prefix.ts";
import type { NoPath, Path, PathConstraint } from "./ip-layer.ts";
import { Host, type InterfaceSpec, ip } from "./testing/host.ts";

const specs: readonly InterfaceSpec[] = [
  { name: "lo", addresses: ["127.0.0.1/8", "::1/128"], medium: "loopback", mtu: 65_535 },
  { name: "eth0", addresses: ["10.0.0.1/24", "2001:db8::1/64", "fe80::a/64"] },
  { name: "eth1", addresses: ["10.0.1.1/24", "fe80::b/64"] },
];

function host(limits = {}): Host {
  const made = new Host(specs, limits);
  const destination = Prefix.parse("0.0.0.0/0")!;
  made.internet.routes.add({
    destination,
    via: ip("10.0.0.254"),
    interface: made.interface("eth0"),
  });
  return made;
}

const show = (path: Path | NoPath): string =>
  typeof path === "string" ? path : `${path.interface.name} ${path.nextHop} ${path.source}`;

describe("paths", () => {
  const one =
    (name: string) =>
    (of: Host): PathConstraint => ({ interface: of.interface(name) });
  const from =
    (source: string, anySource = false) =>
    (): PathConstraint => ({
      source: ip(source),
      anySource,
    });
  const none = (): undefined => undefined;

  test.each([
    ["10.0.0.9", none, "eth0 10.0.0.9 10.0.0.1"],
    ["8.8.8.8", none, "eth0 10.0.0.254 10.0.0.1"],
    ["8.8.8.8", from("10.0.1.1"), "eth0 10.0.0.254 10.0.1.1"],
    ["8.8.8.8", from("192.0.2.1"), "no-source"],
    ["8.8.8.8", from("192.0.2.1", true), "eth0 10.0.0.254 192.0.2.1"],
    ["8.8.8.8", from("127.0.0.1"), "no-source"],
    ["8.8.8.8", from("2001:db8::1"), "no-source"],
    ["8.8.8.8", one("eth1"), "no-route"],
    ["2a00::1", none, "no-route"],
    ["0.0.0.0", none, "no-route"],
    ["127.0.0.1", none, "lo 127.0.0.1 127.0.0.1"],
    ["127.0.0.5", none, "lo 127.0.0.5 127.0.0.1"],
    ["::1", none, "lo ::1 ::1"],
    ["10.0.1.1", none, "lo 10.0.1.1 10.0.1.1"],
    ["10.0.0.255", none, "eth0 255.255.255.255 10.0.0.1"],
    ["255.255.255.255", one("eth1"), "eth1 255.255.255.255 10.0.1.1"],
    ["255.255.255.255", from("10.0.1.1"), "eth1 255.255.255.255 10.0.1.1"],
    ["239.1.1.1", none, "eth0 239.1.1.1 10.0.0.1"],
    ["239.1.1.1", one("eth1"), "eth1 239.1.1.1 10.0.1.1"],
    ["fe80::9", none, "no-route"],
    ["fe80::9", one("eth1"), "eth1 fe80::9 fe80::b"],
    ["fe80::9", from("fe80::b"), "eth1 fe80::9 fe80::b"],
    ["ff02::1", one("eth0"), "eth0 ff02::1 fe80::a"],
    ["ff01::1", none, "lo ff01::1 ::1"],
  ] as const)("to %s, %o: %s", (to, constraint, expected) => {
    const made = host();
    expect(show(made.internet.resolve(ip(to), constraint(made)))).toBe(expected);
  });

  test("asked again, the same object is given; of another constraint, another", () => {
    const { internet } = host();
    const first = internet.resolve(ip("10.0.0.9"));
    expect(internet.resolve(ip("10.0.0.9"), { source: ip("0.0.0.0") })).not.toBe(first);
    expect(internet.resolve(ip("10.0.0.9"))).toBe(first);
  });

  test.each([
    ["a route", (of: Host) => of.internet.routes.remove([...of.internet.routes.all][0]!)],
    ["an address", (of: Host) => of.interface("eth1").addresses.remove(ip("10.0.1.1"))],
    ["an interface down", (of: Host) => of.interface("eth1").setUp(false)],
    ["an interface gone", (of: Host) => of.internet.removeInterface(of.interface("eth1"))],
  ])("%s, changed, makes paths invalid", (_what, change) => {
    const made = host();
    const path = made.internet.resolve(ip("8.8.8.8")) as Path;
    expect(path.valid).toBe(true);
    change(made);
    expect(path.valid).toBe(false);
    const { internet } = made;
    expect(internet.send(path, internet.scratch(), 17, 0, 0, "never")).toBe("unreachable");
  });

  test("many destinations, beyond the limit, are forgotten, and those held live on", () => {
    const { internet } = host({ paths: 20 });
    const held = internet.resolve(ip("8.0.0.1")) as Path;
    for (let i = 0; i < 500; i++) internet.resolve(ip(`9.0.${i >> 8}.${i & 255}`));
    expect(internet.paths).toBe(20);
    expect([held.valid, held.mtu]).toEqual([true, 1500]);
  });

  test("confirmed, it tells the link", () => {
    const made = host();
    (made.internet.resolve(ip("8.8.8.8")) as Path).confirm();
    expect(made.link("eth0").confirmed).toBe(1);
  });
});
