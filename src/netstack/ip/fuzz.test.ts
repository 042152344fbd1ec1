import fc from "fast-check";
import { expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv4View } from "../../wire/ipv4.ts";
import { Host, packetOf } from "./testing/host.ts";
import { datagram, icmpv4, packetBytes } from "./testing/packets.ts";

const ADDRESSES4 = ["10.0.0.1", "10.0.0.2", "10.0.1.7", "255.255.255.255", "224.0.0.1", "0.0.0.0"];
const ADDRESSES6 = ["2001:db8::1", "2001:db8::2", "fe80::1", "ff02::1", "::", "2001:db8:1::7"];

const protocol = fc.oneof(fc.constantFrom(0, 1, 6, 17, 43, 44, 51, 58, 59, 60), fc.nat(255));
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  fc.uint8Array({ minLength: 1400, maxLength: 1600 }),
  fc.constant(icmpv4({ kind: "unreachable", code: 4, nextHopMtu: 0, data: datagram(28) })),
);
const family = (addresses: readonly string[]) =>
  fc.record({
    source: fc.constantFrom(...addresses),
    destination: fc.constantFrom(...addresses),
    protocol,
    payload,
    ttl: fc.nat(3),
    dontFragment: fc.boolean(),
    moreFragments: fc.boolean(),
    fragmentOffset: fc.nat(20).map((n) => n * 8),
  });
/** Whole packets of which some octets are changed; the header's sum is mended half of the time. */
const nearlyValid = fc
  .record({
    spec: fc.oneof(family(ADDRESSES4), family(ADDRESSES6)),
    changes: fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 }),
    cut: fc.nat(3),
    mend: fc.boolean(),
  })
  .map(({ spec, changes, cut, mend }) => {
    const bytes = packetBytes(spec);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    const view = new Ipv4View();
    if (mend && view.wrap(new DataView(bytes.buffer), 0, bytes.length) === "ok")
      view.fillChecksum();
    return bytes.slice(0, bytes.length - (cut === 3 ? 7 : 0));
  });
const frame = fc.record({
  bytes: fc.oneof(
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 120 }) },
    { weight: 6, arbitrary: nearlyValid },
  ),
  by: fc.constantFrom("eth0", "eth1", "lo"),
  linkGroup: fc.boolean(),
  pass: fc.nat(2_000_000),
  checksum: fc.constantFrom("complete", "verified", "partial"),
});

const limits = { paths: 8, fragmentBytes: 20_000, fragmentedDatagrams: 8, icmpErrorBurst: 10 };

test("packets, random and nearly valid, are taken without a throw, and nothing grows", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 60 }),
      fc.boolean(),
      (frames, forwarding) => {
        const settings = { forwarding };
        const host = new Host(
          [
            { name: "lo", addresses: ["127.0.0.1/8", "::1/128"], medium: "loopback", mtu: 65_535 },
            { name: "eth0", addresses: ["10.0.0.1/24", "2001:db8::1/64", "fe80::1/64"], settings },
            { name: "eth1", addresses: ["10.0.1.1/24", "2001:db8:1::1/64"], settings, mtu: 1280 },
          ],
          limits,
        );
        host.internet.register({
          protocol: IpProtocol.udp,
          handlePacket: (inbound) => {
            expect(inbound.payloadEnd).toBeGreaterThanOrEqual(inbound.payloadStart);
            expect(inbound.payloadEnd).toBeLessThanOrEqual(inbound.packet.end);
            return "port-unreachable";
          },
          handleIcmpError: (error) => {
            expect(error.transportEnd - error.transportStart).toBeGreaterThanOrEqual(8);
            return true;
          },
        });
        for (const { bytes, by, linkGroup, pass, checksum } of frames) {
          const packet = packetOf(bytes);
          packet.checksum = checksum;
          packet.checksumStart = packet.start + 20;
          packet.checksumOffset = 6;
          host.receive(by, packet, linkGroup);
          for (const sent of host.take()) {
            expect(sent.packet.length).toBeLessThanOrEqual(host.interface(sent.by).mtu);
            expect(sent.packet.length).toBeGreaterThan(20);
          }
          host.context.pass(pass as never);
          expect(host.internet.paths).toBeLessThanOrEqual(limits.paths);
          expect(host.internet.pathMtus.size).toBeLessThanOrEqual(limits.paths);
          expect(host.internet.reassembler.bytes).toBeLessThanOrEqual(limits.fragmentBytes);
        }
        host.context.pass(seconds(700));
        expect(host.internet.pathMtus.size).toBe(0);
        expect(host.internet.reassembler.bytes).toBe(0);
      },
    ),
    { seed: 20_261, numRuns: 300 },
  );
});
