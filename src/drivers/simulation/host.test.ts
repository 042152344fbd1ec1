import { expect, test } from "vitest";
import { after, millis, seconds } from "../../core/time.ts";
import { Network } from "./network.ts";

const quiet = { settings: { linkLocal: false, ipv6: false } } as const;

test("two hosts, linked: each has an interface with its address, up, with the link's MTU", () => {
  const network = new Network({ seed: 1 });
  const a = network.host("a", quiet);
  const b = network.host("b", quiet);
  network.link({ host: a, addresses: ["10.0.0.1/24"] }, b, { mtu: 9000 });
  expect(a.interface().up).toBe(true);
  expect(a.interface().mtu).toBe(9000);
  expect(a.stack.configuration.addresses.some(({ ip }) => ip === "10.0.0.1")).toBe(true);
  expect(b.interface("eth0").device.mac).not.toBe(a.interface("eth0").device.mac);
});

test("a timer of a stack: the host runs at its instant, and only then", () => {
  const network = new Network({ seed: 1 });
  const a = network.host("a", quiet);
  const fired: number[] = [];
  const start = network.now;
  const { context } = a.stack;
  context.schedule({ onTimer: (now) => fired.push(now - start) }, after(start, millis(500)));
  context.schedule({ onTimer: (now) => fired.push(now - start) }, after(start, millis(20)));
  network.run(after(start, seconds(1)));
  expect(fired).toEqual([20_000, 500_000]);
});

test("link down and up: the interfaces follow", () => {
  const network = new Network({ seed: 1 });
  const a = network.host("a", quiet);
  const b = network.host("b", quiet);
  const link = network.link(a, b);
  const seen: string[] = [];
  a.stack.watch(({ kind }) => seen.push(kind));
  link.down();
  expect([a.interface().up, b.interface().up]).toEqual([false, false]);
  link.set({ mtu: 1280 });
  link.up();
  expect(seen).toEqual(["interface-down", "mtu-changed", "interface-up"]);
});

test("a segment: all hosts are on one Ethernet, later ones too", () => {
  const network = new Network({ seed: 1 });
  const hosts = ["a", "b", "c"].map((name) => network.host(name, quiet));
  const segment = network.segment(hosts.slice(0, 2));
  const link = network.join(segment, {
    host: hosts[2]!,
    interface: "lan",
    addresses: ["10.0.0.3/24"],
  });
  expect(hosts[2]!.interface("lan").up).toBe(true);
  expect(segment.linkOf(hosts[2]!.device("lan"))).toBe(link);
});

test("a handler that throws: the step throws it, the network goes on", () => {
  const network = new Network({ seed: 1 });
  network.simulation.fault(new Error("first"));
  const a = network.host("a", quiet);
  a.wake();
  expect(() => network.step()).toThrow("first");
  expect(network.run(() => true)).toBe(true);
});
