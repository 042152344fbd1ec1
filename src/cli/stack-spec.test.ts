import { expect, test } from "vitest";
import { BadStackSpec, parseStackSpec } from "./stack-spec.ts";

test("a stack, described in full, is read", () => {
  expect(
    parseStackSpec("tap=tap0,address=10.7.0.2/24,address=fd07::2/64,gateway=10.7.0.1,mtu=9000"),
  ).toEqual({
    device: "tap0",
    mode: "tap",
    addresses: ["10.7.0.2/24", "fd07::2/64"],
    gateways: ["10.7.0.1"],
    dhcp: false,
    mtu: 9000,
  });
  expect(parseStackSpec("tap=t1,dhcp")).toMatchObject({ mode: "tap", dhcp: true, addresses: [] });
});

test.each([
  ["address=10.7.0.2/24", "no device given"],
  ["tap=a", "no address given"],
  ["tun=a,dhcp", "dhcp needs Ethernet"],
  ["tap=a,tap=b,address=10.7.0.2/24", "one device only"],
  ["tap=,address=10.7.0.2/24", "is no name of an interface"],
  ["tap=a-name-that-is-long,address=10.7.0.2/24", "is no name of an interface"],
  ["tap=a,address=10.7.0.2", "needs the form"],
  ["tap=a,address=10.7.0.300/24", "needs the form"],
  ["tap=a,address=10.7.0.2/24,gateway=10.7.0.1/24", "is no IP address"],
  ["tap=a,address=10.7.0.255/24", "is the broadcast address"],
  ["tap=a,address=127.0.0.1/8", "is a loopback address"],
  ["tap=a,address=10.7.0.2/24,gateway=10.8.0.1", "no address is in its network"],
  ["tap=a,address=10.7.0.2/24,mtu=70000", "is not between"],
  ["tap=a,adress=10.7.0.2/24", 'unknown "adress=10.7.0.2/24"'],
])("a stack described as %s is refused and told why", (text, why) => {
  expect(() => parseStackSpec(text)).toThrow(BadStackSpec);
  expect(() => parseStackSpec(text)).toThrow(why);
});
