import fc from "fast-check";
import { expect, test } from "vitest";
import { Ip } from "./ip-address.ts";
import { masked, matchingBits, Prefix } from "./prefix.ts";

test.each([
  ["10.7.0.2/24", "10.7.0.0/24", "10.7.0.255"],
  ["10.7.0.2/31", "10.7.0.2/31", null],
  ["10.7.0.2", "10.7.0.2/32", null],
  ["255.1.2.3/0", "0.0.0.0/0", "255.255.255.255"],
  ["fd07::2/64", "fd07::/64", null],
  ["fd07::2/127", "fd07::2/127", null],
  ["2001:db8:ffff:ffff::1/33", "2001:db8:8000::/33", null],
])("%s has network %s and broadcast %s", (text, network, broadcast) => {
  const prefix = Prefix.parse(text)!;
  expect(prefix.network().toString()).toBe(network);
  expect(prefix.broadcast()?.toString() ?? null).toBe(broadcast);
});

test.each([
  "10.0.0.1/33",
  "10.0.0.1/-1",
  "10.0.0.1/08",
  "10.0.0.1/",
  "::1/129",
  "/8",
  "10.0.0/8",
  "10.0.0.1/8 ",
])("%j is no prefix", (text) => expect(Prefix.parse(text)).toBeNull());

test("prefixes, any, contain what shares their bits and nothing else", () => {
  const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
  fc.assert(
    fc.property(
      words,
      fc.integer({ min: 0, max: 128 }),
      fc.integer({ min: 0, max: 127 }),
      (w, length, bit) => {
        const ip = Ip.v6(...w);
        const flip = w.map((word, i) => (bit >> 5 === i ? word ^ (1 << (31 - (bit & 31))) : word));
        const other = Ip.v6(flip[0]!, flip[1]!, flip[2]!, flip[3]!);
        expect(matchingBits(ip, other)).toBe(bit);
        expect(new Prefix(ip, length).contains(other)).toBe(bit >= length);
        expect(masked(ip, length).equals(masked(other, length))).toBe(bit >= length);
      },
    ),
    { seed: 5, numRuns: 300 },
  );
});

test("a prefix holds no address of the other family", () => {
  expect(Prefix.parse("0.0.0.0/0")!.contains(Ip.parse("::1")!)).toBe(false);
  expect(Prefix.parse("::/0")!.contains(Ip.parse("1.2.3.4")!)).toBe(false);
});
