import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatSocketAddress,
  type IpAddress,
  ipFromBytes,
  ipToBytes,
  isIpv6,
  isLoopback,
  parseIp,
  parseSocketAddress,
  type SocketAddress,
  sameAddress,
  unmapIp,
} from "./address.ts";

const seed = 20260301;
const ip = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === null) throw new Error(`not an address: ${text}`);
  return parsed;
};

describe("parseIp", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8::1", "2001:db8::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    // RFC 5952 §4.2.2: one zero group is written out
    ["2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    // RFC 5952 §4.2.3: the longest run, the first of equals
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"],
  ])("%s gives %s", (text, canonical) => {
    expect(parseIp(text)).toBe(canonical);
  });

  it.each([
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..2.3",
    "256.1.1.1",
    "01.2.3.4",
    "00.0.0.0",
    "0x7f.0.0.1",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.+4",
    "localhost",
    ":",
    ":::",
    "1:::2",
    "1::2::3",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "[::1]",
    "fe80::1%eth0",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::ffff:01.2.3.4",
  ])("%j is refused", (text) => {
    expect(parseIp(text)).toBeNull();
  });

  it("any bytes, formatted, are canonical and read back", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // runs of zeros are what RFC 5952 is about
      fc
        .array(fc.constantFrom(0, 0, 0, 0, 1, 0x20, 0xff), { minLength: 16, maxLength: 16 })
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        const text = ipFromBytes(raw);
        expect(parseIp(text)).toBe(text);
        expect(ipToBytes(text)).toEqual(raw);
        expect(isIpv6(text)).toBe(raw.length === 16);
        expect(text).not.toMatch(/(^|:)0[0-9a-f]|[A-F]/);
      }),
      { seed, numRuns: 1000 },
    );
  });

  it("any text, parsed, never throws and is stable", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."0123456789abcdefF:.%[]x "),
      maxLength: 48,
    });
    fc.assert(
      fc.property(text, (input) => {
        const parsed = parseIp(input);
        if (parsed !== null) expect(parseIp(parsed)).toBe(parsed);
      }),
      { seed, numRuns: 5000 },
    );
  });

  it("agrees with the platform on what an IPv6 address is", () => {
    const groups = fc.array(
      fc.oneof(
        fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16)),
        fc.constant("0"),
        fc.constant(""),
      ),
      { minLength: 2, maxLength: 9 },
    );
    fc.assert(
      fc.property(groups, (list) => {
        const text = list.join(":");
        const known = URL.canParse(`http://[${text}]/`)
          ? new URL(`http://[${text}]/`).hostname.slice(1, -1)
          : null;
        const ours = parseIp(text);
        if (known === null) expect(ours).toBeNull();
        // URL writes the embedded IPv4 in hexadecimal, and so is compared by its bytes
        else expect(ipToBytes(ours!)).toEqual(ipToBytes(ip(known)));
      }),
      { seed, numRuns: 2000 },
    );
  });
});

describe("ipFromBytes", () => {
  it("reads in the middle of a buffer", () => {
    const raw = Uint8Array.of(9, 9, 10, 0, 0, 7, 9);
    expect(ipFromBytes(raw, 2, 4)).toBe("10.0.0.7");
  });

  it("refuses other lengths and ranges outside the buffer", () => {
    expect(() => ipFromBytes(new Uint8Array(5))).toThrow(RangeError);
    expect(() => ipFromBytes(new Uint8Array(6), 4, 4)).toThrow(RangeError);
  });
});

describe("loopback and mapped addresses", () => {
  it.each([
    ["127.0.0.1", true],
    ["127.255.0.3", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["128.0.0.1", false],
    ["12.7.0.0", false],
    ["::", false],
    ["::127", false],
  ])("%s is loopback: %s", (text, expected) => {
    expect(isLoopback(ip(text))).toBe(expected);
  });

  it("unmapIp takes the prefix off and leaves others alone", () => {
    expect(unmapIp(ip("::ffff:10.1.2.3"))).toBe("10.1.2.3");
    expect(unmapIp(ip("::ffff:0:a01:203"))).toBe("::ffff:0:a01:203");
    expect(unmapIp(ip("10.1.2.3"))).toBe("10.1.2.3");
  });
});

describe("parseSocketAddress", () => {
  it.each([
    ["127.0.0.1:80", { kind: "ip", ip: "127.0.0.1", port: 80 }],
    ["127.0.0.1:0", { kind: "ip", ip: "127.0.0.1", port: 0 }],
    ["[::1]:65535", { kind: "ip", ip: "::1", port: 65_535 }],
    ["[2001:DB8:0::1]:8080", { kind: "ip", ip: "2001:db8::1", port: 8080 }],
    ["*:80", { kind: "ip", ip: "0.0.0.0", port: 80 }],
    ["unix:/run/a b.sock", { kind: "unix", path: "/run/a b.sock" }],
    ["unix:app.sock", { kind: "unix", path: "app.sock" }],
  ])("%s", (text, expected) => {
    expect(parseSocketAddress(text)).toEqual(expected);
  });

  it.each([
    "",
    "80",
    ":80",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:080",
    "127.0.0.1:65536",
    "127.0.0.1:-1",
    "127.0.0.1: 80",
    "::1:80",
    "[::1]",
    "[::1]80",
    "[127.0.0.1]:80",
    "[::1:80",
    "*:*",
    "localhost:80",
    "unix:",
    "unix:/a\0b",
    "http://127.0.0.1:80",
  ])("%j is refused", (text) => {
    expect(parseSocketAddress(text)).toBeNull();
  });

  it("formatted, any address reads back the same", () => {
    const address: fc.Arbitrary<SocketAddress> = fc.oneof(
      fc.record({
        kind: fc.constant("ip" as const),
        ip: fc
          .oneof(
            fc.uint8Array({ minLength: 4, maxLength: 4 }),
            fc.uint8Array({ minLength: 16, maxLength: 16 }),
          )
          .map((raw) => ipFromBytes(raw)),
        port: fc.integer({ min: 0, max: 65_535 }),
      }),
      fc.record({
        kind: fc.constant("unix" as const),
        path: fc.string({ minLength: 1 }).filter((path) => !path.includes("\0")),
      }),
    );
    fc.assert(
      fc.property(address, address, (a, b) => {
        const read = parseSocketAddress(formatSocketAddress(a));
        expect(read).toEqual(a);
        expect(sameAddress(a, read!)).toBe(true);
        expect(sameAddress(a, b)).toBe(formatSocketAddress(a) === formatSocketAddress(b));
      }),
      { seed, numRuns: 500 },
    );
  });
});
