import { expect, test } from "vitest";
import { ConfiguredHost } from "./testing/configured-host.ts";
import { words } from "./testing/host.ts";
import { advertise, ROUTER, sendNdp } from "./testing/router.ts";

const FAR = "2001:db8:ffff::1";
const BETTER = "fe80::77";

function routed(limits = {}): ConfiguredHost {
  const host = new ConfiguredHost({}, limits);
  host.settle();
  advertise(host);
  return host;
}

interface Told {
  readonly target?: string;
  readonly destination?: string;
  readonly from?: string;
  readonly hopLimit?: number;
}

function redirect(host: ConfiguredHost, told: Told = {}): void {
  const own = host.iface.addresses.all[0]!.ip.toString();
  const repr = {
    kind: "redirect" as const,
    target: words(told.target ?? BETTER),
    destination: words(told.destination ?? FAR),
    options: [{ kind: "target-link-layer" as const, mac: 0x0200_0000_0077 }],
  };
  sendNdp(host, repr, told.from ?? ROUTER, own, told.hopLimit ?? 255);
}

test("redirect to a better router: a host route, and its link address is known", () => {
  const host = routed();
  redirect(host);
  expect(host.routes()).toContain(`${FAR}/128 ${BETTER}`);
  const neighbor = host.iface.link.neighbors!.list().find(({ ip }) => ip.toString() === BETTER);
  expect(neighbor).toMatchObject({ mac: 0x0200_0000_0077, state: "stale", isRouter: true });
});

test("redirect to the destination itself: it is on the link", () => {
  const host = routed();
  redirect(host, { target: FAR });
  expect(host.routes()).toContain(`${FAR}/128 on-link`);
});

test("redirected again by the new router: the route follows", () => {
  const host = routed();
  redirect(host);
  redirect(host, { from: BETTER, target: "fe80::78" });
  expect(host.routes().filter((route) => route.startsWith(FAR))).toEqual([`${FAR}/128 fe80::78`]);
});

// RFC 4861 §8.1
test.each([
  ["from who is not the first hop", { from: "fe80::66" }],
  ["through a router", { hopLimit: 254 }],
  ["for a group", { destination: "ff0e::1" }],
  ["to an address beyond the link", { target: "2001:db8::77" }],
])("redirect %s: ignored", (_name, told) => {
  const host = routed();
  redirect(host, told);
  expect(host.autoconf.redirects.size).toBe(0);
  expect(host.routes()).toEqual([`::/0 ${ROUTER}`]);
});

test("the router that redirected is gone: so is the route", () => {
  const host = routed();
  redirect(host);
  advertise(host, { lifetime: 0 });
  expect(host.routes()).toEqual([]);
});

test("many redirects: the oldest go", () => {
  const host = routed({ redirectsPerInterface: 3 });
  for (let i = 1; i <= 50; i++) redirect(host, { destination: `2001:db8:ffff::${i}` });
  expect(
    host
      .routes()
      .slice(1)
      .map((route) => route.split("/")[0]),
  ).toEqual(["2001:db8:ffff::48", "2001:db8:ffff::49", "2001:db8:ffff::50"]);
});
