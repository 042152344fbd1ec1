import fc from "fast-check";
import { expect, test } from "vitest";
import { hashWords, IPV4_BROADCAST, IPV6_LOOPBACK, Ip } from "./ip-address.ts";

const v4 = fc.integer({ min: 0, max: 0xffff_ffff }).map((n) => Ip.v4(n));
const v6 = fc
  .tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer())
  .map(([a, b, c, d]) => Ip.v6(a, b, c, d));

test("addresses, any, come back from their text and their bytes", () => {
  fc.assert(
    fc.property(fc.oneof(v4, v6), (ip) => {
      const view = new DataView(new ArrayBuffer(20));
      const end = ip.write(view, 2);
      const read = ip.version === 4 ? Ip.read4(view, 2) : Ip.read6(view, 2);
      expect(end).toBe(ip.version === 4 ? 6 : 18);
      expect(read.equals(ip)).toBe(true);
      expect(Ip.parse(ip.toString())?.equals(ip)).toBe(true);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test("an IPv4 address and its mapped IPv6 one differ by version alone", () => {
  const four = Ip.parse("192.0.2.1")!;
  const six = Ip.v6(four.w0, four.w1, four.w2, four.w3);
  expect(four.equals(six)).toBe(false);
  expect(six.toString()).toBe("::ffff:192.0.2.1");
});

test.each([
  ["0.0.0.0", "isUnspecified"],
  ["::", "isUnspecified"],
  ["127.255.0.1", "isLoopback"],
  ["::1", "isLoopback"],
  ["224.0.0.1", "isMulticast"],
  ["239.255.255.255", "isMulticast"],
  ["ff02::fb", "isMulticast"],
  ["169.254.9.9", "isLinkLocal"],
  ["fe80::1", "isLinkLocal"],
  ["febf::1", "isLinkLocal"],
  ["255.255.255.255", "isLimitedBroadcast"],
] as const)("%s %s and nothing else", (text, kind) => {
  const ip = Ip.parse(text)!;
  const kinds = [
    "isUnspecified",
    "isLoopback",
    "isMulticast",
    "isLinkLocal",
    "isLimitedBroadcast",
  ] as const;
  expect(kinds.filter((name) => ip[name])).toEqual([kind]);
});

test.each([
  "223.255.255.255",
  "240.0.0.1",
  "fec0::1",
  "2001:db8::1",
  "::2",
  "128.0.0.1",
  "169.253.0.1",
])("%s is of no special kind", (text) => {
  const ip = Ip.parse(text)!;
  expect(
    ip.isUnspecified || ip.isLoopback || ip.isMulticast || ip.isLinkLocal || ip.isLimitedBroadcast,
  ).toBe(false);
});

test("hashes of neighbouring addresses fill their buckets evenly", () => {
  const buckets = new Array<number>(256).fill(0);
  for (let i = 0; i < 65_536; i++) buckets[hashWords(99, 0, 0, 0xffff, 0x0a00_0000 + i) & 255]!++;
  expect(Math.max(...buckets)).toBeLessThan(256 * 1.4);
  expect(Math.min(...buckets)).toBeGreaterThan(256 * 0.6);
  expect(hashWords(1, 0, 0, 0, 1)).not.toBe(hashWords(2, 0, 0, 0, 1));
});

test("constants hold what their names say", () => {
  expect(`${IPV4_BROADCAST} ${IPV6_LOOPBACK}`).toBe("255.255.255.255 ::1");
});
