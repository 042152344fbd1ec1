import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LinkType, PacketDirection, PcapngWriter } from "./pcapng.ts";
import { readPcapng } from "./pcapng-reader.ts";
import { hex, octets, u16 } from "./testing/fields.ts";

const seed = 2004;

/** A sink that keeps everything. */
class Memory {
  readonly blocks: Uint8Array[] = [];

  write(buf: Uint8Array, start: number, end: number): void {
    this.blocks.push(buf.slice(start, end));
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.blocks.flatMap((block) => [...block]));
  }
}

const name = fc.string({ maxLength: 12, unit: fc.constantFrom("t", "a", "p", "0") });
const capture = fc.record({
  application: name,
  interfaces: fc.array(
    fc.record({
      name,
      linkType: u16,
      snapLength: fc.constantFrom(0, 5, 65_535),
      timestampDigits: fc.nat(18),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  packets: fc.array(
    fc.record({
      interfaceId: fc.nat(2),
      timestamp: fc.maxSafeNat(),
      octets: octets(40),
      direction: fc.nat(2),
    }),
    { maxLength: 5 },
  ),
});

function write({ application, interfaces, packets }: Capture): Memory {
  const sink = new Memory();
  const writer = new PcapngWriter(sink, application);
  for (const declared of interfaces) writer.addInterface(declared);
  for (const packet of packets) {
    const buf = Uint8Array.from([9, 9, ...packet.octets, 9]);
    const id = packet.interfaceId % interfaces.length;
    writer.packet(id, packet.timestamp, buf, 2, buf.length - 1, packet.direction);
  }
  return sink;
}

type Capture = typeof capture extends fc.Arbitrary<infer T> ? T : never;

describe("pcapng", () => {
  test("any capture, written and read, is the same, cut at each interface's length", () => {
    fc.assert(
      fc.property(capture, (made) => {
        const { status, sections } = readPcapng(write(made).bytes);
        expect(status).toBe("ok");
        const packets = made.packets.map(({ interfaceId, timestamp, octets, direction }) => {
          const id = interfaceId % made.interfaces.length;
          const snap = made.interfaces[id]!.snapLength;
          return {
            interfaceId: id,
            timestamp: BigInt(timestamp),
            octets: snap === 0 ? octets : octets.slice(0, snap),
            originalLength: octets.length,
            direction,
          };
        });
        expect(sections).toMatchObject([
          { application: made.application, interfaces: made.interfaces, packets },
        ]);
      }),
      { seed, numRuns: 200 },
    );
  });

  test("blocks, each, come whole and have a length of whole words at both ends", () => {
    fc.assert(
      fc.property(capture, (made) => {
        for (const block of write(made).blocks) {
          const dv = new DataView(block.buffer);
          expect(block.length % 4).toBe(0);
          expect(dv.getUint32(4, true)).toBe(block.length);
          expect(dv.getUint32(block.length - 4, true)).toBe(block.length);
        }
      }),
      { seed, numRuns: 50 },
    );
  });

  test("a capture, cut anywhere, gives what came whole", () => {
    const made = write({
      application: "test",
      interfaces: [{ name: "tap0", linkType: 1, snapLength: 0, timestampDigits: 6 }],
      packets: [1, 2].map((n) => ({
        interfaceId: 0,
        timestamp: n,
        octets: new Uint8Array(n),
        direction: PacketDirection.inbound,
      })),
    });
    const ends = made.blocks.map(
      (
        (sum) => (block) =>
          (sum += block.length)
      )(0),
    );
    for (let cut = 1; cut < ends.at(-1)!; cut++) {
      const { status, sections } = readPcapng(made.bytes.subarray(0, cut));
      expect(status).toBe(ends.includes(cut) ? "ok" : "truncated");
      const whole = ends.filter((end) => end <= cut).length;
      expect(sections[0]?.packets.length ?? 0).toBe(Math.max(0, whole - 2));
    }
  });

  test("any bytes, behind a section header or not, are read without throwing", () => {
    const header = "0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000";
    const start = new Uint8Array(hex(header).buffer);
    const words = fc.array(fc.constantFrom(0, 1, 6, 12, 16, 28, 32), { maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(octets(80), words), fc.boolean(), (tail, headed) => {
        const bytes = Array.isArray(tail) ? new Uint8Array(Uint32Array.from(tail).buffer) : tail;
        const file = readPcapng(headed ? Uint8Array.from([...start, ...bytes]) : bytes);
        if (headed) expect(file.sections).toHaveLength(1);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test("a big-endian section with blocks of other types, after a little-endian one, is read", () => {
    const bytes = hex(
      `0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000
       0a0d0d0a 0000001c 1a2b3c4d 00010000 ffffffffffffffff 0000001c
       00000bad 00000010 00000000 00000010
       00000001 00000014 00650000 00000000 00000014
       00000006 00000024 00000000 00000001 00000002 00000003 00000003 aabbcc00 00000024`,
    );
    const { status, sections } = readPcapng(new Uint8Array(bytes.buffer));
    expect(status).toBe("ok");
    expect(sections).toHaveLength(2);
    expect(sections[1]).toMatchObject({
      interfaces: [{ name: "", linkType: LinkType.rawIp, snapLength: 0, timestampDigits: 6 }],
      packets: [
        {
          interfaceId: 0,
          timestamp: 0x1_0000_0002n,
          octets: Uint8Array.of(0xaa, 0xbb, 0xcc),
          originalLength: 3,
          direction: 0,
        },
      ],
    });
  });

  test.each([
    ["no section header", "00000006 0000000c 0000000c", "unsupported"],
    ["an unknown byte order", "0a0d0d0a 0000001c 11111111", "malformed"],
    ["version 2", "0a0d0d0a 0000001c 1a2b3c4d 00020000 ffffffffffffffff 0000001c", "unsupported"],
    ["two lengths", "0a0d0d0a 0000001c 1a2b3c4d 00010000 ffffffffffffffff 00000018", "malformed"],
    ["a length of odd octets", "0a0d0d0a 0000001d 1a2b3c4d", "malformed"],
  ])("a file with %s is refused", (_, digits, status) => {
    expect(readPcapng(new Uint8Array(hex(digits).buffer)).status).toBe(status);
  });

  test("a packet larger than any before, written, finds room", () => {
    const sink = new Memory();
    const writer = new PcapngWriter(sink, "");
    const id = writer.addInterface({ name: "", linkType: 1, snapLength: 0, timestampDigits: 6 });
    const large = new Uint8Array(65_550).fill(7);
    writer.packet(id, 0, large, 0, large.length);
    expect(readPcapng(sink.bytes).sections[0]?.packets[0]?.octets).toEqual(large);
  });
});
