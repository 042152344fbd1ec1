import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emitNdp } from "../../wire/ndp.ts";
import type { NdpOption } from "../../wire/ndp-options.ts";
import { Ip } from "../ip-address.ts";
import { ConfiguredHost } from "./testing/configured-host.ts";
import { words } from "./testing/host.ts";
import { advertise, prefixOption, ROUTER, sendNdp } from "./testing/router.ts";

const settled = (settings = {}, limits = {}): ConfiguredHost => {
  const host = new ConfiguredHost(settings, limits);
  host.settle();
  return host;
};

const defaultRoute = (host: ConfiguredHost): string | undefined =>
  host
    .routes()
    .find((route) => route.startsWith("::/0 "))
    ?.slice(5);

const solicitations = (host: ConfiguredHost) =>
  host.sent(58).filter(({ view, start }) => view.getUint8(start) === 133);

/** Sends something beyond the link, and waits for the first hop's silence. */
function sendBeyond(host: ConfiguredHost): void {
  const path = host.ip.resolve(Ip.parse("2001:db8:ffff::1")!);
  if (typeof path === "string") throw new Error(path);
  const packet = host.ip.scratch();
  packet.end = packet.start + 16;
  host.ip.send(path, packet, 253, 0, 0, "never");
  host.pass(20);
}

describe("soliciting", () => {
  test("up: routers are asked from the link-local address, with ours, ever more slowly", () => {
    const host = new ConfiguredHost();
    host.pass(4);
    const [first] = solicitations(host);
    expect(first).toMatchObject({ destination: "ff02::2", hopLimit: 255 });
    expect(first!.source).toMatch(/^fe80::/);
    expect(first!.view.getUint8(first!.start + 8)).toBe(1);
    host.pass(30);
    // 4, 8 and 16 seconds later, give or take a tenth.
    expect(solicitations(host).length).toBe(3);
    host.pass(10 * 3600);
    const late = solicitations(host).length;
    expect(late).toBeGreaterThan(12);
    expect(late).toBeLessThan(22);
  });

  test("answered by a default router: no more; by another: on", () => {
    const host = settled();
    advertise(host, { lifetime: 0 });
    solicitations(host);
    host.pass(60);
    expect(solicitations(host).length).toBeGreaterThan(1);
    advertise(host);
    host.pass(600);
    expect(solicitations(host).length).toBe(0);
  });

  test("the last router is gone: asked again", () => {
    const host = settled();
    advertise(host, { lifetime: 10 });
    solicitations(host);
    host.pass(12);
    expect(solicitations(host).length).toBe(1);
  });

  test.each([{ forwarding: true }, { acceptRouterAdvertisements: false }, { ipv6: false }])(
    "%o: nobody is asked, nothing taken",
    (settings) => {
      const host = settled(settings);
      host.pass(60);
      expect(solicitations(host).length).toBe(0);
      advertise(host, { options: [prefixOption("2001:db8::", 100, 100)] });
      host.settle();
      expect(host.routes()).toEqual([]);
      expect(host.addresses("stable")).toEqual([]);
    },
  );
});

describe("advertisements", () => {
  test("router: default route until its lifetime ends or it says so", () => {
    const host = settled();
    advertise(host, { lifetime: 1800 });
    expect(defaultRoute(host)).toBe(ROUTER);
    host.pass(1799);
    expect(defaultRoute(host)).toBe(ROUTER);
    host.pass(1);
    expect(defaultRoute(host)).toBeUndefined();
    advertise(host, { lifetime: 1800 });
    advertise(host, { lifetime: 0 });
    expect(defaultRoute(host)).toBeUndefined();
    expect(host.context.events.filter(({ kind }) => kind.startsWith("router-")).length).toBe(4);
  });

  test.each([
    ["through a router", { receivedHopLimit: 254 }],
    ["from a global address", { from: "2001:db8::99" }],
  ])("%s: ignored", (_name, advertised) => {
    const host = settled();
    advertise(host, { ...advertised, options: [prefixOption("2001:db8::", 100, 100)] });
    expect(host.routes()).toEqual([]);
  });

  test("parameters: hop limit, MTU and times are taken, nonsense is not, and go with the link", () => {
    const host = settled();
    const { neighbors } = host.iface.link;
    advertise(host, { hopLimit: 48, retransTimer: 2000, options: [{ kind: "mtu", mtu: 1400 }] });
    expect([host.iface.settings.hopLimit, host.iface.mtu]).toEqual([48, 1400]);
    expect(neighbors!.retransTimer).toBe(2_000_000);
    advertise(host, {
      hopLimit: 1,
      retransTimer: 0xffff_ffff,
      options: [{ kind: "mtu", mtu: 1000 }],
    });
    advertise(host, { options: [{ kind: "mtu", mtu: 9000 }] });
    expect([host.iface.settings.hopLimit, host.iface.mtu]).toEqual([48, 1400]);
    expect(neighbors!.retransTimer).toBe(2_000_000);
    host.iface.linkChanged(false);
    expect([host.iface.settings.hopLimit, host.iface.mtu]).toEqual([64, 1500]);
  });

  test("on-link prefix: a route while it is valid, withdrawn at once by zero", () => {
    const host = settled();
    const prefix = (valid: number) =>
      prefixOption("2001:db8:5::", 0, valid, { autonomous: false, length: 48 });
    advertise(host, { options: [prefix(100)] });
    expect(host.routes()).toContain("2001:db8:5::/48 on-link");
    host.pass(99);
    expect(host.routes()).toContain("2001:db8:5::/48 on-link");
    host.pass(1);
    expect(host.routes()).not.toContain("2001:db8:5::/48 on-link");
    advertise(host, { options: [prefix(100)] });
    advertise(host, { options: [prefix(0)] });
    expect(host.routes()).not.toContain("2001:db8:5::/48 on-link");
  });

  test("route information: a route through that router, by preference, until its lifetime ends", () => {
    const host = settled();
    const information = (flags: number, lifetime: number): NdpOption => {
      const data = new Uint8Array(14);
      data[0] = 48;
      data[1] = flags;
      new DataView(data.buffer).setUint32(2, lifetime);
      data.set([0x20, 1, 0xd, 0xb8, 0, 7], 6);
      return { kind: "other", type: 24, data };
    };
    advertise(host, { from: "fe80::1", options: [information(0, 100)] });
    expect(host.routes()).toContain("2001:db8:7::/48 fe80::1");
    advertise(host, { from: "fe80::2", options: [information(0x08, 50)] });
    expect(host.routes()).toContain("2001:db8:7::/48 fe80::2");
    advertise(host, { from: "fe80::3", options: [information(0x10, 50)] });
    host.pass(51);
    expect(host.routes()).toContain("2001:db8:7::/48 fe80::1");
    host.pass(50);
    expect(host.routes().join()).not.toContain("2001:db8:7::/48");
  });
});

describe("choice of a router", () => {
  test("preferences: high over medium over low, whatever came first", () => {
    const host = settled();
    advertise(host, { from: "fe80::3", preference: 3 });
    expect(defaultRoute(host)).toBe("fe80::3");
    advertise(host, { from: "fe80::2" });
    expect(defaultRoute(host)).toBe("fe80::2");
    advertise(host, { from: "fe80::1", preference: 1 });
    expect(defaultRoute(host)).toBe("fe80::1");
    advertise(host, { from: "fe80::4", preference: 1 });
    expect(defaultRoute(host)).toBe("fe80::1");
  });

  test("silent: the next reachable one, in turn while none is, back when one is heard", () => {
    const host = settled();
    const options = [prefixOption("2001:db8::", 90_000, 90_000)];
    advertise(host, { from: "fe80::1", mac: 0x0200_0000_0011, lifetime: 9000, options });
    advertise(host, { from: "fe80::2", mac: 0x0200_0000_0012, lifetime: 9000 });
    host.settle();
    expect(defaultRoute(host)).toBe("fe80::1");
    sendBeyond(host);
    expect(defaultRoute(host)).toBe("fe80::2");
    const tried = new Set<string>();
    for (let i = 0; i < 6; i++) {
      sendBeyond(host);
      tried.add(defaultRoute(host)!);
    }
    expect([...tried].sort()).toEqual(["fe80::1", "fe80::2"]);
    advertise(host, { from: "fe80::1", mac: 0x0200_0000_0011, lifetime: 9000 });
    expect(defaultRoute(host)).toBe("fe80::1");
  });

  test("limit: further routers are ignored", () => {
    const host = settled({}, { defaultRouters: 2 });
    for (let i = 1; i < 50; i++) advertise(host, { from: `fe80::${i}`, preference: 1 });
    expect(host.autoconf.routes.defaultRouters.map(String)).toEqual(["fe80::1", "fe80::2"]);
  });

  test("a router that says it is a host: no router any more", () => {
    const host = settled();
    advertise(host);
    const repr = {
      kind: "neighbor-advertisement" as const,
      router: false,
      solicited: false,
      override: true,
      target: words(ROUTER),
      options: [{ kind: "target-link-layer" as const, mac: 0x0200_0000_0099 }],
    };
    sendNdp(host, repr, ROUTER, "ff02::1");
    expect(defaultRoute(host)).toBeUndefined();
  });
});

test("name servers: learnt from RDNSS and DNSSL until their lifetimes end", () => {
  const host = settled();
  const search = new Uint8Array(6 + 16);
  new DataView(search.buffer).setUint32(2, 300);
  search.set([7, ...Buffer.from("example"), 3, ...Buffer.from("org"), 0], 6);
  advertise(host, {
    options: [
      { kind: "recursive-dns", lifetime: 100, servers: [words("2001:db8::53"), words("::")] },
      { kind: "other", type: 31, data: search },
    ],
  });
  expect(host.nameServers.addresses).toEqual(["2001:db8::53"]);
  expect(host.nameServers.domains).toEqual(["example.org"]);
  host.pass(100);
  expect(host.nameServers.addresses).toEqual([]);
  expect(host.nameServers.domains).toEqual(["example.org"]);
  host.iface.setUp(false);
  expect(host.nameServers.domains).toEqual([]);
  expect(host.context.events.filter(({ kind }) => kind === "name-servers").length).toBe(4);
});

test("fuzz: whatever routers say, nothing throws and nothing grows past its bound", () => {
  const option: fc.Arbitrary<NdpOption> = fc.oneof(
    fc.record({
      kind: fc.constant("prefix" as const),
      prefix: fc.tuple(fc.constant(0x2001_0db8), fc.nat(40), fc.constant(0), fc.constant(0)),
      length: fc.constantFrom(0, 48, 64, 128, 200),
      onLink: fc.boolean(),
      autonomous: fc.boolean(),
      validLifetime: fc.constantFrom(0, 1, 10_000, 0xffff_ffff),
      preferredLifetime: fc.constantFrom(0, 1, 5000, 0xffff_ffff),
    }),
    fc.record({
      kind: fc.constant("other" as const),
      type: fc.constantFrom(24, 31, 99),
      data: fc.constantFrom(6, 14, 22).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
    }),
    fc.record({
      kind: fc.constant("recursive-dns" as const),
      lifetime: fc.nat(100),
      servers: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()), {
        minLength: 1,
        maxLength: 9,
      }),
    }),
    fc.record({ kind: fc.constant("mtu" as const), mtu: fc.nat(70_000) }),
  );
  const step = fc.record({
    from: fc.nat(60).map((n) => `fe80::${n.toString(16)}`),
    lifetime: fc.constantFrom(0, 1, 1800),
    preference: fc.nat(3),
    hopLimit: fc.nat(255),
    reachableTime: fc.nat(0xffff_ffff),
    retransTimer: fc.nat(100_000),
    options: fc.array(option, { maxLength: 8 }),
    wait: fc.constantFrom(0, 1, 100, 10_000),
  });
  const run = (steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): void => {
    const host = settled({ temporaryAddresses: true });
    for (const { wait, ...advertised } of steps) {
      advertise(host, advertised);
      host.pass(wait);
      host.frames.length = 0;
      const { limits } = host.context;
      expect(host.autoconf.routes.defaultRouters.length).toBeLessThanOrEqual(limits.defaultRouters);
      expect(host.autoconf.prefixes.size).toBeLessThanOrEqual(limits.prefixesPerInterface);
      expect(host.autoconf.addresses.prefixes).toBeLessThanOrEqual(limits.prefixesPerInterface);
      expect(host.nameServers.servers.length).toBeLessThanOrEqual(limits.nameServers);
      expect(host.nameServers.domains.length).toBeLessThanOrEqual(limits.searchDomains);
      expect(host.iface.mtu).toBeGreaterThanOrEqual(1280);
    }
    host.iface.setUp(false);
    expect(host.addresses()).toEqual([]);
    expect(host.routes()).toEqual([]);
    expect(host.nameServers.servers).toEqual([]);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), run), { seed: 4, numRuns: 60 });
});

test("fuzz: torn advertisements and redirects do nothing but be ignored", () => {
  const host = settled();
  const options = [prefixOption("2001:db8::", 100, 200)];
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 80 });
  const run = (type: number, tail: Uint8Array, cut: number): void => {
    host.receive({
      source: ROUTER,
      destination: "ff02::1",
      protocol: 58,
      hopLimit: 255,
      emit(view, start) {
        const repr = { kind: "router-solicitation" as const, options };
        const end = emitNdp(repr, view, start, words(ROUTER), words("ff02::1")) - cut;
        view.setUint8(start, type);
        for (const [i, byte] of tail.entries()) view.setUint8(start + 4 + i, byte);
        return Math.max(start, end);
      },
    });
  };
  fc.assert(fc.property(fc.constantFrom(134, 137), bytes, fc.nat(40), run), { seed: 5 });
  host.pass(10);
});
