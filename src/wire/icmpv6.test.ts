import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pseudoSumWords } from "./checksum.ts";
import {
  emitIcmpv6,
  type Icmpv6Repr,
  Icmpv6Type,
  Icmpv6View,
  icmpv6Length,
  parseIcmpv6,
} from "./icmpv6.ts";
import type { Ipv6Words } from "./ipv6-address.ts";
import { octets, u8, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const source: Ipv6Words = [0xfe80_0000, 0, 0, 1];
const destination: Ipv6Words = [0x2001_0db8, 0, 0, 0xffff_ffff];
const sumFor = (view: Icmpv6View) =>
  pseudoSumWords(source, destination, 58, view.payloadEnd - view.start);

const known = new Set<number>([1, 2, 3, 4, 128, 129]);
const data = octets(40);
const reprs: fc.Arbitrary<Icmpv6Repr> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
    identifier: u16,
    sequence: u16,
    data,
  }),
  fc.record({
    kind: fc.constantFrom("unreachable" as const, "time-exceeded" as const),
    code: u8,
    data,
  }),
  fc.record({ kind: fc.constant("packet-too-big" as const), mtu: u32, data }),
  fc.record({ kind: fc.constant("parameter-problem" as const), code: u8, pointer: u32, data }),
  fc.record({
    kind: fc.constant("other" as const),
    type: u8.filter((type) => !known.has(type)),
    code: u8,
    rest: u32,
    data,
  }),
);

describe("icmpv6", () => {
  viewLaws<Icmpv6Repr>({
    seed: 4443,
    view: () => new Icmpv6View(),
    reprs,
    emit: (repr, dv, start) => emitIcmpv6(repr, dv, start, source, destination),
    length: icmpv6Length,
    parse: (view: Icmpv6View) => parseIcmpv6(view, sumFor(view)),
    knowsItsEnd: false,
  });

  test("an echo request, answered in place, verifies for its addresses and for no others", () => {
    const repr: Icmpv6Repr = {
      kind: "echo-request",
      identifier: 1,
      sequence: 2,
      data: Uint8Array.of(9),
    };
    const dv = new DataView(new ArrayBuffer(9));
    emitIcmpv6(repr, dv, 0, source, destination);
    const view = new Icmpv6View();
    expect(view.wrap(dv, 0, 9)).toBe("ok");
    expect(view.checksumVerifies(pseudoSumWords(source, source, 58, 9))).toBe(false);
    view.type = Icmpv6Type.echoReply;
    view.identifier = 77;
    expect(parseIcmpv6(view, sumFor(view))).toBeNull();
    view.fillChecksum(sumFor(view));
    expect(parseIcmpv6(view, sumFor(view))).toEqual({
      ...repr,
      kind: "echo-reply",
      identifier: 77,
    });
    expect(view.isError).toBe(false);
  });
});
