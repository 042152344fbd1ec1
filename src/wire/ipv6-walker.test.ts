import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emitIpv6Fragment,
  type Ipv6FragmentRepr,
  ipv6FragmentLength,
  parseIpv6Fragment,
} from "./ipv6-fragment.ts";
import {
  emitIpv6Options,
  Ipv6Options,
  type Ipv6OptionsRepr,
  ipv6OptionsLength,
  parseIpv6Options,
} from "./ipv6-options.ts";
import { Ipv6Walker } from "./ipv6-walker.ts";
import { hex, octets, u8, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

/** A walker whose packet starts with one type of header. */
function startingWith(type: number) {
  return class extends Ipv6Walker {
    override wrap(dv: DataView, start: number, end: number) {
      return super.wrap(dv, start, end, type);
    }
  };
}
const AtOptions = startingWith(60);
const AtFragment = startingWith(44);

function walk(first: number, text: string) {
  const dv = hex(text);
  const walker = new Ipv6Walker();
  return { status: walker.wrap(dv, 0, dv.byteLength, first), walker };
}

const protocols = fc.constantFrom(6, 17, 58, 50, 59);

describe("ipv6 options", () => {
  viewLaws<Ipv6OptionsRepr>({
    seed: 82006,
    view: () => new AtOptions(),
    reprs: fc.record({
      nextHeader: protocols,
      options: fc.array(fc.record({ type: fc.integer({ min: 2, max: 255 }), data: octets(20) }), {
        maxLength: 8,
      }),
    }),
    emit: emitIpv6Options,
    length: ipv6OptionsLength,
    parse: (view: Ipv6Walker) =>
      view.destinationOptionsAt < 0 ? null : parseIpv6Options(view.dv, view.destinationOptionsAt),
  });

  test("options of each kind, unknown, say what to do with the packet", () => {
    const dv = hex("3b 01 0500 4500 8500 c500 0102 0000 0000");
    const options = new Ipv6Options();
    options.reset(dv, 0);
    const actions = [];
    while (options.step() === "ok") actions.push(options.unknownAction);
    expect(actions).toEqual(["skip", "discard", "report", "report-unless-multicast"]);
  });

  test.each([
    ["3b00 0100 0100 0100", "end", "three PadN of two octets"],
    ["3b01 0106 000000000000 0104 00000000", "limit", "PadN of eight octets"],
    ["3b00 0000 0000 0000", "end", "six Pad1"],
    ["3b00 0105 0000 0000", "truncated", "an option that ends after its header"],
    ["3b00 0000 0000 0001", "truncated", "an option without a length"],
    [`3b02 ${"0500".repeat(9)} 01020000`, "limit", "nine options"],
  ])("a header %s, walked to its end, is %s: %s", (text, last) => {
    const dv = hex(text);
    const options = new Ipv6Options();
    options.reset(dv, 0);
    let status = options.step();
    while (status === "ok") status = options.step();
    expect(status).toBe(last);
  });

  test("more octets of options than a header holds are not emitted", () => {
    const option = { type: 5, data: new Uint8Array(255) };
    const repr = { nextHeader: 59, options: new Array(8).fill(option) };
    expect(emitIpv6Options(repr, new DataView(new ArrayBuffer(4096)), 0)).toBe(-1);
  });
});

describe("ipv6 fragment", () => {
  viewLaws<Ipv6FragmentRepr>({
    seed: 820045,
    view: () => new AtFragment(),
    reprs: fc.record({
      nextHeader: protocols,
      offset: fc.nat(8191).map((units) => units * 8),
      more: fc.boolean(),
      identification: u32,
    }),
    emit: emitIpv6Fragment,
    length: ipv6FragmentLength,
    parse: (view: Ipv6Walker) =>
      view.fragmentAt < 0 ? null : parseIpv6Fragment(view.dv, view.fragmentAt),
  });
});

describe("the walk over extension headers", () => {
  test("all headers in the order of RFC 8200 §4.1 are found", () => {
    const { status, walker } = walk(
      0,
      `3c00 0502 0000 0100  2b00 0104 00000000  2c00 0400 00000000  3300 0001 0000abcd
       3c04 0000 00000001 0000000000000000 00000000 00000000  0600 0104 00000000  ffff`,
    );
    expect(status).toBe("ok");
    expect(walker).toMatchObject({ hopByHopAt: 0, routingAt: 16, fragmentAt: 24, protocol: 6 });
    expect([walker.destinationOptionsAt, walker.payloadStart, walker.payloadEnd]).toEqual([
      56, 64, 66,
    ]);
    expect([walker.routingType, walker.segmentsLeft]).toEqual([4, 0]);
    expect([walker.isFragment, walker.fragmentOffset, walker.moreFragments]).toEqual([
      true,
      0,
      true,
    ]);
    expect(walker.identification).toBe(0xabcd);
  });

  test("a protocol at once ends the walk where it started", () => {
    const { status, walker } = walk(17, "0001 0002");
    expect([status, walker.protocol, walker.payloadStart]).toEqual(["ok", 17, 0]);
    expect([walker.isFragment, walker.moreFragments, walker.identification]).toEqual([
      false,
      false,
      0,
    ]);
    expect([walker.routingType, walker.segmentsLeft]).toEqual([-1, 0]);
  });

  test("a fragment that is not the first ends the walk, whatever its payload says to be", () => {
    const { status, walker } = walk(44, "3c00 0008 00000001 ffff");
    expect([status, walker.protocol, walker.payloadStart]).toEqual(["ok", 60, 8]);
    expect([walker.fragmentOffset, walker.moreFragments]).toEqual([8, false]);
  });

  test("a first fragment without its whole chain is truncated (RFC 7112 §5)", () => {
    expect(walk(44, "3c00 0001 00000001 0601").status).toBe("truncated");
  });

  test("hop-by-hop options after another header are malformed, and the pointer says where", () => {
    const { status, walker } = walk(60, "0000 0104 00000000 3b00 0104 00000000");
    expect([status, walker.problemAt]).toEqual(["malformed", 0]);
  });

  test("a second fragment header is malformed", () => {
    expect(walk(44, "2c00 0001 00000001 3b00 0001 00000002").status).toBe("malformed");
  });

  test("nine headers, and headers of more than 2,048 octets, are over the limit", () => {
    expect(walk(60, "3c00 0104 00000000".repeat(9)).status).toBe("limit");
    const long = `3cff ${"00".repeat(2046)}3b00 0104 00000000`;
    expect(walk(60, long).status).toBe("limit");
  });

  test("any chain of types, over any octets, ends within the range", () => {
    fc.assert(
      fc.property(
        u8,
        fc.array(fc.constantFrom(0, 1, 43, 44, 51, 60), { maxLength: 90 }),
        (first, o) => {
          const dv = new DataView(Uint8Array.from(o).buffer);
          const walker = new Ipv6Walker();
          if (walker.wrap(dv, 0, o.length, first) !== "ok") return;
          expect(walker.payloadStart).toBeLessThanOrEqual(o.length);
        },
      ),
      { seed: 7112, numRuns: 500 },
    );
  });
});
