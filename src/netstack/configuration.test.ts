import { describe, expect, test } from "vitest";
import { SeededRng } from "../core/random.ts";
import { instant } from "../core/time.ts";
import { type Device, type DevicePort, NO_OFFLOAD } from "./device.ts";
import { MAIN_RULE } from "./ip/routing-rules.ts";
import { Ip } from "./ip-address.ts";
import { Stack } from "./stack.ts";

class SilentDevice implements Device {
  readonly medium = "ethernet";
  readonly mac = 0x0200_0000_0001;
  readonly mtu = 1500;
  readonly offload = NO_OFFLOAD;
  closed = false;
  attach(_port: DevicePort): void {}
  transmit(): boolean {
    return true;
  }
  close(): void {
    this.closed = true;
  }
}

function configured() {
  let now = instant(0);
  const stack = new Stack({ clock: { now: () => now }, rng: new SeededRng(4), wake: () => {} });
  const heard: string[] = [];
  stack.watch((event) => heard.push(describeEvent(event)));
  const device = new SilentDevice();
  stack.addInterface({ name: "eth0", device, settings: { linkLocal: false } });
  const pass = (seconds: number): void => {
    for (const end = now + seconds * 1e6; now < end; ) {
      now = instant(Math.min(end, Math.max(now + 1, stack.nextTimeout() ?? end)));
      stack.run();
    }
  };
  return { stack, heard, device, pass, configuration: stack.configuration };
}

const describeEvent = (event: { readonly kind: string }): string =>
  Object.values(event)
    .map((value) => `${value}`)
    .join(" ");

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return "no error";
};

describe("a configuration, changed while the stack runs", () => {
  test("in settings, they count from then on; groups of routers are joined and left", () => {
    const { configuration, heard, stack } = configured();
    const iface = stack.interface("eth0")!;
    const routers = ["ff02::2", "ff05::2"].map((text) => Ip.parse(text)!);
    const member = () => routers.map((group) => iface.groups.has(group));
    configuration.changeSettings("eth0", { forwarding: true, hopLimit: 32 });
    expect(iface.settings).toMatchObject({ forwarding: true, hopLimit: 32, linkLocal: false });
    expect(member()).toEqual([true, true]);
    expect(heard.filter((text) => text.startsWith("settings"))).toEqual([
      "settings-changed eth0 [object Object]",
    ]);
    configuration.changeSettings("eth0", { forwarding: false });
    expect(member()).toEqual([false, false]);
    configuration.changeSettings("eth0", { linkLocal: true });
    expect(iface.addresses.all.map(({ origin }) => origin)).toEqual(["link-local"]);
  });

  test.each([
    { vlan: 4095 },
    { vlan: -1 },
    { hopLimit: 0 },
    { hopLimit: 256 },
    { dadTransmits: 0.5 },
  ])("in settings that make no sense, %o: refused, and nothing changes", (changes) => {
    const { configuration, heard, stack } = configured();
    const before = { ...stack.interface("eth0")!.settings };
    const count = heard.length;
    expect(code(() => configuration.changeSettings("eth0", changes))).toMatch(/^EINVAL: /);
    expect(code(() => configuration.changeSettings("eth9", {}))).toMatch(
      /^(ENOENT|EINVAL): .*eth9/,
    );
    expect(stack.interface("eth0")!.settings).toEqual(before);
    expect(heard.length).toBe(count);
  });

  test.each(["10.7.0.0/24", "10.7.0.255/24", "10.7.0.3/30", "224.0.0.1/24", "0.0.0.0/0"])(
    "by %s, which is no host's: refused",
    (address) => {
      const { configuration } = configured();
      expect(code(() => configuration.addAddress("eth0", address))).toMatch(/^EINVAL: /);
    },
  );

  test.each(["10.7.0.0/31", "10.7.0.255/32", "10.7.0.255/16", "10.7.0.1/0"])(
    "by %s, which may be a host's: has it",
    (address) => {
      const { configuration } = configured();
      configuration.addAddress("eth0", address);
      expect(configuration.addresses.at(-1)?.ip).toBe(address.split("/")[0]);
    },
  );

  test("lists routes, rules and neighbours as they are added", () => {
    const { configuration } = configured();
    configuration.addAddress("eth0", "10.7.0.2/24");
    const rule = { priority: 7, from: "10.0.0.0/8", incoming: "eth0", table: 9 } as const;
    configuration.addRule(rule);
    expect(configuration.rules).toEqual([rule, { priority: 32_766, table: 254 }]);
    configuration.addRoute({ destination: "default", via: "10.7.0.1", metric: 5, table: 9 });
    expect(configuration.routes).toContainEqual({
      destination: "0.0.0.0/0",
      via: "10.7.0.1",
      interface: "eth0",
      metric: 5,
      table: 9,
      kind: "unicast",
      origin: "static",
    });
    const neighbor = { interface: "eth0", address: "10.7.0.9", mac: "02:00:00:00:00:09" };
    configuration.addNeighbor(neighbor);
    const state = "permanent";
    expect(configuration.neighbors).toEqual([{ ...neighbor, state, isRouter: false }]);
    for (const known of configuration.rules.slice(0, 1)) configuration.removeRule(known);
    expect(configuration.rules).toEqual([{ priority: 32_766, table: 254 }]);
  });

  test("by an IPv4 address, has it and its route at once and says so", () => {
    const { configuration, heard, stack } = configured();
    configuration.addAddress("eth0", "10.7.0.2/24");
    expect(configuration.addresses.at(-1)).toEqual({
      interface: "eth0",
      ip: "10.7.0.2",
      prefixLength: 24,
      state: "preferred",
      origin: "static",
    });
    expect(heard).toContainEqual(expect.stringMatching(/^address-added eth0 10\.7\.0\.2\/24 /));
    expect(heard).toContainEqual(expect.stringMatching(/^route-added 10\.7\.0\.0\/24 /));
    configuration.removeAddress("eth0", "10.7.0.2");
    expect(heard.slice(-2).sort()).toEqual([
      "address-removed eth0 10.7.0.2/24",
      expect.stringMatching(/^route-removed 10\.7\.0\.0\/24 /),
    ]);
    expect([...stack.ip.routes.all].filter((route) => route.interface?.name === "eth0")).toEqual(
      [],
    );
  });

  test("by an IPv6 address, uses it after duplicate address detection", () => {
    const { configuration, heard, pass } = configured();
    const address = configuration.addAddress("eth0", "fd07::2/64");
    expect(address.state).toBe("tentative");
    pass(3);
    expect(address.state).toBe("preferred");
    expect(heard).toContain("address-changed eth0 fd07::2/64 preferred static");
  });

  test("by routes and neighbours, finds them again by their text", () => {
    const { configuration, heard, stack } = configured();
    configuration.addAddress("eth0", "10.7.0.2/24");
    const route = configuration.addRoute({ destination: "default", via: "10.7.0.1", metric: 5 });
    expect([route.destination.toString(), route.interface?.name]).toEqual(["0.0.0.0/0", "eth0"]);
    configuration.removeRoute({ destination: "0.0.0.0/0", via: "10.7.0.1", metric: 5 });
    expect(heard.at(-1)).toMatch(/^route-removed 0\.0\.0\.0\/0 10\.7\.0\.1 eth0 5 /);
    configuration.addNeighbor({ interface: "eth0", address: "10.7.0.9", mac: "02:00:00:00:00:09" });
    const neighbors = stack.interface("eth0")!.link.neighbors!;
    expect(neighbors.list().map(({ ip, state }) => `${ip} ${state}`)).toEqual([
      "10.7.0.9 permanent",
    ]);
    configuration.removeNeighbor("eth0", "10.7.0.9");
    expect(neighbors.size).toBe(0);
  });

  test("by rules, routes by the tables that they name", () => {
    const { configuration, heard, stack } = configured();
    configuration.addAddress("eth0", "10.7.0.2/24");
    configuration.addAddress("eth0", "10.7.0.3/24");
    configuration.addRoute({ destination: "default", via: "10.7.0.1" });
    configuration.addRoute({ destination: "default", via: "10.7.0.9", table: 7 });
    const hop = (source: string): string => {
      const path = stack.ip.resolve(Ip.parse("192.0.2.1")!, { source: Ip.parse(source)! });
      return typeof path === "string" ? path : `${path.nextHop}`;
    };
    const rule = { priority: 100, from: "10.7.0.3", table: 7 };
    configuration.addRule(rule);
    expect([hop("10.7.0.2"), hop("10.7.0.3")]).toEqual(["10.7.0.1", "10.7.0.9"]);
    const refusal = { priority: 50, to: "192.0.2.0/24", table: "prohibit" } as const;
    configuration.addRule(refusal);
    expect(hop("10.7.0.3")).toBe("prohibited");
    expect(heard.slice(-2)).toEqual(["rule-added 100 7", "rule-added 50 -1"]);
    configuration.removeRule({ ...refusal, to: "192.0.2.9/24" });
    configuration.removeRule({ ...rule, from: "10.7.0.3/32" });
    expect(hop("10.7.0.3")).toBe("10.7.0.1");
    expect(stack.ip.routes.rules.all).toHaveLength(1);
  });

  test("by an interface taken away, keeps nothing of it", () => {
    const { configuration, heard, device, stack } = configured();
    configuration.addAddress("eth0", "10.7.0.2/24");
    configuration.addRoute({ destination: "default", via: "10.7.0.1" });
    configuration.addRule({ priority: 9, incoming: "eth0", table: 7 });
    expect(stack.removeInterface("eth0")).toBe(true);
    expect(stack.removeInterface("eth0")).toBe(false);
    expect(device.closed).toBe(true);
    expect(heard.at(-1)).toBe("interface-removed eth0");
    expect(stack.ip.routes.rules.all).toEqual([MAIN_RULE]);
    expect(configuration.addresses.map(({ interface: name }) => name)).toEqual(["lo", "lo"]);
    expect([...stack.ip.routes.all].filter(({ interface: on }) => on !== stack.loopback)).toEqual(
      [],
    );
  });
});

test.each([
  ["EINVAL", "addAddress", ["eth0", "10.7.0.2.3/24"], "10.7.0.2/24"],
  ["EINVAL", "addAddress", ["eth0", "224.0.0.1/24"], "cannot be"],
  ["EADDRINUSE", "addAddress", ["lo", "127.0.0.1/8"], "already"],
  ["EINVAL", "addAddress", ["eth0", "127.0.0.2/8"], "loopback address"],
  ["EINVAL", "addAddress", ["eth0", "::1/128"], "loopback address"],
  ["ENOENT", "addAddress", ["eth9", "10.7.0.2/24"], "there are lo, eth0"],
  ["ENOENT", "removeAddress", ["eth0", "10.7.0.2/24"], "no address"],
  ["ENETUNREACH", "addRoute", [{ destination: "10.0.0.0/8", via: "192.0.2.1" }], "name the one"],
  ["EINVAL", "addRoute", [{ destination: "default" }], "needs the router"],
  ["ENOENT", "removeRoute", [{ destination: "10.0.0.0/8", interface: "eth0" }], "no such route"],
  ["EINVAL", "addRoute", [{ destination: "10.0.0.0/8", via: "fd07::1" }], "of another version"],
  ["EINVAL", "addRule", [{ priority: -1, table: 7 }], "a priority is"],
  ["EINVAL", "addRule", [{ priority: 1, table: 0.5 }], "a table is"],
  ["EINVAL", "addRule", [{ priority: 1, from: "10.7", table: 7 }], "10.7.0.2/24"],
  ["EINVAL", "addRule", [{ priority: 1, from: "10.0.0.0/8", to: "::/0", table: 7 }], "no packet"],
  ["ENOENT", "addRule", [{ priority: 1, incoming: "eth9", table: 7 }], "no interface eth9"],
  ["EADDRINUSE", "addRule", [{ priority: 32_766, table: 254 }], "already"],
  ["ENOENT", "removeRule", [{ priority: 1, table: 7 }], "no such rule"],
  ["EINVAL", "addNeighbor", [{ interface: "eth0", address: "10.0.0.1", mac: "2:0" }], "not a MAC"],
  ["EINVAL", "addNeighbor", [{ interface: "lo", address: "10.0.0.1", mac: "2:0" }], "no link addr"],
] as const)(
  "a configuration asked what makes no sense answers %s to %s %j",
  (kind, method, args, why) => {
    const { configuration } = configured();
    const call = configuration[method] as unknown as (...given: readonly unknown[]) => unknown;
    const said = code(() => call.apply(configuration, [...args]));
    expect(said.startsWith(`${kind}: `)).toBe(true);
    expect(said).toContain(why);
  },
);
