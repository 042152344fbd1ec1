import { expect, test } from "vitest";
import { Prefix } from "../../netstack/prefix.ts";
import { hostBanner } from "./host-banner.ts";
import { peerAddress } from "./peer-address.ts";
import { type HostArguments, planHost } from "./plan-host.ts";

const nothing = { tap: [], tun: [], address: [], gateway: [], fd: [] };
const plan = (more: Partial<HostArguments>) => planHost({ ...nothing, ...more });

test("one device: addresses belong to it, services in the order of the page", () => {
  expect(
    plan({
      tap: ["tap0"],
      address: ["10.7.0.2/24", "fd07::2/64"],
      echo: "7",
      http: "80",
      fd: ["5"],
    }),
  ).toEqual({
    kind: "host",
    interfaces: [
      {
        name: "tap0",
        mode: "tap",
        addresses: ["10.7.0.2/24", "fd07::2/64"],
        fds: [5],
        queues: 1,
        mtu: null,
      },
    ],
    gateways: [],
    dhcp: false,
    forward: false,
    services: [
      { name: "http", port: 80 },
      { name: "echo", port: 7 },
    ],
    pcap: null,
    probe: true,
  });
});

test("several devices: each address says whose it is", () => {
  const { interfaces } = plan({
    tap: ["a"],
    tun: ["b"],
    address: ["b=10.2.0.1/24", "a=10.1.0.1/24"],
    fd: ["b=4", "b=5"],
    forward: true,
  });
  expect(interfaces.map(({ name, mode, addresses, fds }) => [name, mode, addresses, fds])).toEqual([
    ["a", "tap", ["10.1.0.1/24"], []],
    ["b", "tun", ["10.2.0.1/24"], [4, 5]],
  ]);
});

test("gateways: found by their network, or by the device that is named", () => {
  const gateways = (...gateway: string[]) =>
    plan({ tap: ["a", "b"], address: ["a=10.1.0.1/24", "b=fd02::1/64"], gateway }).gateways;
  expect(gateways("10.1.0.9", "fd02::9", "b=fe80::1")).toEqual([
    { via: "10.1.0.9", device: "a" },
    { via: "fd02::9", device: "b" },
    { via: "fe80::1", device: "b" },
  ]);
  expect(plan({ tap: ["a"], gateway: ["fe80::1"] }).gateways).toEqual([
    { via: "fe80::1", device: "a" },
  ]);
});

test.each<[string, Partial<HostArguments>, RegExp]>([
  ["no device", {}, /say --tap tap0/],
  ["a device twice", { tap: ["a"], tun: ["a"] }, /a is named twice/],
  ["a name too long", { tap: ["x".repeat(16)] }, /1 to 15 characters/],
  ["an address without length", { tap: ["a"], address: ["10.7.0.2"] }, /looks like 10.7.0.2\/24/],
  ["a network's address", { tap: ["a"], address: ["10.7.0.0/24"] }, /it is the network address/],
  [
    "a broadcast address",
    { tap: ["a"], address: ["10.7.0.255/24"] },
    /it is the broadcast address/,
  ],
  ["a group", { tap: ["a"], address: ["ff02::1/64"] }, /it cannot be the address of an interface/],
  ["a loopback address", { tap: ["a"], address: ["127.0.0.2/8"] }, /it is a loopback address/],
  [
    "an address twice",
    { tap: ["a"], address: ["fd07::2/64", "fd07:0::2/64"] },
    /fd07:0::2\/64: a has it already/,
  ],
  ["an address of no device", { tap: ["a"], address: ["b=10.7.0.2/24"] }, /there is no device b/],
  [
    "an address of which device",
    { tap: ["a", "b"], address: ["10.7.0.2/24"] },
    /Say --address a=10.7.0.2\/24/,
  ],
  [
    "a gateway of another network",
    { tap: ["a"], address: ["10.7.0.2/24"], gateway: ["10.8.0.1"] },
    /no --address is in its network.*--gateway a=10.8.0.1/,
  ],
  ["a gateway of which device", { tap: ["a", "b"], gateway: ["fe80::1"] }, /--gateway a=fe80::1/],
  ["a gateway of no device", { tap: ["a"], gateway: ["b=10.7.0.1"] }, /there is no device b/],
  ["a port twice", { tap: ["a"], echo: "80", http: "80" }, /--http and --echo both say 80/],
  ["DHCP without Ethernet", { tun: ["a"], dhcp: true }, /--dhcp needs Ethernet/],
  ["a gateway by name", { tap: ["a"], gateway: ["router"] }, /no IP address/],
  ["a port of letters", { tap: ["a"], http: "www" }, /--http www: a whole number/],
  ["a port too large", { tap: ["a"], echo: "65536" }, /from 1 to 65535/],
  ["an MTU too large", { tap: ["a"], mtu: "65521" }, /from 68 to 65520/],
  ["a descriptor of which device", { tap: ["a", "b"], fd: ["3"] }, /Say --fd a=3/],
])("%s: refused in words", (_, args, message) => {
  expect(() => plan(args)).toThrow(message);
});

test("banner: says what to type on the other side", () => {
  const text = hostBanner(
    {
      plan: plan({ tap: ["tap0"], address: ["10.7.0.1/24", "fd07::2/64"], http: "8080" }),
      version: "1",
      interfaces: [{ mtu: 1500, offload: "no offload" }],
    },
    false,
  );
  expect(text).toContain("ip addr add 10.7.0.2/24 dev tap0");
  expect(text).toContain("ip addr add fd07::1/64 dev tap0");
  expect(text).toContain("curl http://10.7.0.1:8080/");
  expect(text).toContain("Ctrl-C stops it");
});

test.each([
  ["10.7.0.2/24", "10.7.0.1/24"],
  ["10.7.0.1/24", "10.7.0.2/24"],
  ["10.7.0.130/25", "10.7.0.129/25"],
  ["192.0.2.0/31", "192.0.2.1/31"],
  ["192.0.2.1/31", "192.0.2.0/31"],
  ["192.0.2.1/32", "null"],
  ["fd07::1/64", "fd07::2/64"],
  ["fe80::7/127", "fe80::6/127"],
])("the other end's address beside %s: %s", (ours, peer) => {
  expect(String(peerAddress(Prefix.parse(ours)!))).toBe(peer);
});
