import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChecksumState, PACKET_HEADROOM, Packet } from "../../netstack/packet.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { flowHash } from "./flow-hash.ts";
import { readVirtioHeader, writeVirtioHeader } from "./virtio-header.ts";

const AT = PACKET_HEADROOM - 10;

test("what is written is read back, whatever was in the memory", () => {
  const shape = fc.record({
    checksum: fc.constantFrom<ChecksumState>("complete", "verified", "partial"),
    start: fc.integer({ min: 0, max: 60 }),
    offset: fc.constantFrom(6, 16),
    gso: fc.constantFrom(GsoType.none, GsoType.tcpV4, GsoType.tcpV6 | GsoType.ecn),
    size: fc.integer({ min: 1, max: 65_535 }),
    junk: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(shape, ({ checksum, start, offset, gso, size, junk }) => {
      const packet = Packet.allocate(1024);
      packet.bytes.fill(junk);
      packet.end = packet.start + 200;
      packet.checksum = checksum;
      if (checksum === "partial") {
        packet.checksumStart = packet.start + start;
        packet.checksumOffset = offset;
        packet.gsoType = gso;
        packet.gsoSize = gso === GsoType.none ? 0 : size;
      }
      writeVirtioHeader(packet, packet.view, AT, packet.start);
      const { checksumStart, checksumOffset, gsoType, gsoSize } = packet;
      packet.gsoSize = 1;
      packet.checksumStart = 1;
      expect(readVirtioHeader(packet, AT)).toBe(true);
      expect(packet).toMatchObject({ checksum, checksumStart, checksumOffset, gsoType, gsoSize });
    }),
    { seed: 3 },
  );
});

test("any header: read without a throw; a checksum field outside of the frame is refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (header) => {
      const packet = Packet.allocate(1024);
      packet.bytes.set(header, AT);
      packet.end = packet.start + 60;
      const fine = readVirtioHeader(packet, AT);
      const field = packet.checksumStart + packet.checksumOffset + 2;
      expect(fine).toBe(packet.checksum !== "partial" || field <= packet.end);
    }),
    { seed: 4, numRuns: 500 },
  );
});

test("flow hash: one flow has one hash, flows spread, short packets do not throw", () => {
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(0, 0x4500_0028);
  view.setUint8(9, 6);
  view.setUint32(12, 0x0a07_0001);
  view.setUint32(16, 0x0a07_0002);
  const seen = new Set<number>();
  for (let port = 0; port < 64; port++) {
    view.setUint16(20, 40_000 + port);
    view.setUint16(30, port * 7);
    const hash = flowHash(view, 0, 40);
    view.setUint32(24, port);
    expect(flowHash(view, 0, 40)).toBe(hash);
    seen.add(hash % 4);
  }
  expect(seen.size).toBe(4);
  // A fragment has no ports: all fragments of a datagram take one way.
  view.setUint16(6, 0x2000);
  const first = flowHash(view, 0, 40);
  view.setUint16(20, 1);
  expect(flowHash(view, 0, 40)).toBe(first);
  for (let end = 0; end <= 40; end++) flowHash(view, 0, end);
});
