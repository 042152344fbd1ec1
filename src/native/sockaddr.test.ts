import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type IpAddress, parseIp, type SocketAddress, unmapIp } from "../core/address.ts";
import { nativeAvailable } from "./libc.ts";
import { SockaddrBox } from "./sockaddr.ts";

const ip = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => {
  const parsed = parseIp(text);
  return parsed === null ? ("0.0.0.0" as IpAddress) : unmapIp(parsed);
});
const address: fc.Arbitrary<SocketAddress> = fc.oneof(
  fc.record({ kind: fc.constant("ip" as const), ip, port: fc.integer({ min: 0, max: 65_535 }) }),
  fc.record({
    kind: fc.constant("unix" as const),
    path: fc.stringMatching(/^\/[a-zäß0-9./-]{0,50}$/),
  }),
);

describe.runIf(nativeAvailable() === null)("sockaddr", () => {
  it("any address encoded, decoded: is the same", () => {
    const box = new SockaddrBox();
    fc.assert(
      fc.property(address, (given) => {
        box.encode(given);
        expect(box.decode()).toEqual(given);
      }),
      { seed: 20260304 },
    );
  });

  it("an IP address saved, the box reused, restored: is the same", () => {
    const box = new SockaddrBox();
    fc.assert(
      fc.property(ip, fc.integer({ min: 0, max: 65_535 }), (someIp, port) => {
        const given: SocketAddress = { kind: "ip", ip: someIp, port };
        box.encode(given);
        const saved = box.save();
        box.encode({ kind: "unix", path: "/tmp/something-else-entirely.sock" });
        box.restore(saved);
        expect(box.decode()).toEqual(given);
      }),
      { seed: 20260305 },
    );
  });

  it("a Unix address saved: only the family is kept", () => {
    const box = new SockaddrBox();
    box.encode({ kind: "unix", path: "/tmp/a.sock" });
    box.restore(box.save());
    expect(box.decode()).toEqual({ kind: "unix", path: "" });
  });

  it.each<SocketAddress>([
    { kind: "ip", ip: "localhost" as IpAddress, port: 80 },
    { kind: "ip", ip: "127.0.0.1" as IpAddress, port: 65_536 },
    { kind: "ip", ip: "127.0.0.1" as IpAddress, port: -1 },
    { kind: "ip", ip: "127.0.0.1" as IpAddress, port: 1.5 },
    { kind: "unix", path: "" },
    { kind: "unix", path: "x".repeat(108) },
    { kind: "unix", path: "a\0b" },
  ])("no address (%o), encoded: throws EINVAL", (given) => {
    expect(() => new SockaddrBox().encode(given)).toThrow(
      expect.objectContaining({ code: "EINVAL" }),
    );
  });
});
