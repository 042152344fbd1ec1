import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emitIcmpv4,
  type Icmpv4Repr,
  Icmpv4Type,
  Icmpv4View,
  icmpv4Length,
  parseIcmpv4,
} from "./icmpv4.ts";
import { hex, octets, u8, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const known = new Set<number>(Object.values(Icmpv4Type));
const data = octets(40);

const reprs: fc.Arbitrary<Icmpv4Repr> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("echo-request" as const, "echo-reply" as const),
    identifier: u16,
    sequence: u16,
    data,
  }),
  fc.record({ kind: fc.constant("unreachable" as const), code: u8, nextHopMtu: u16, data }),
  fc.record({ kind: fc.constant("redirect" as const), code: u8, gateway: u32, data }),
  fc.record({ kind: fc.constant("time-exceeded" as const), code: u8, data }),
  fc.record({ kind: fc.constant("parameter-problem" as const), code: u8, pointer: u8, data }),
  fc.record({
    kind: fc.constant("other" as const),
    type: u8.filter((type) => !known.has(type)),
    code: u8,
    rest: u32,
    data,
  }),
);

describe("icmpv4", () => {
  viewLaws({
    seed: 792,
    view: () => new Icmpv4View(),
    reprs,
    emit: emitIcmpv4,
    length: icmpv4Length,
    parse: parseIcmpv4,
    knowsItsEnd: false,
  });

  test("an echo request, turned into its reply in place, verifies", () => {
    const dv = hex("0800 0000 1234 0007 68656c6c6f");
    const view = new Icmpv4View();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(parseIcmpv4(view)).toBeNull();
    view.type = Icmpv4Type.echoReply;
    view.fillChecksum();
    expect(parseIcmpv4(view)).toEqual({
      kind: "echo-reply",
      identifier: 0x1234,
      sequence: 7,
      data: new TextEncoder().encode("hello"),
    });
  });

  test("errors and queries, by type, are told apart", () => {
    const view = new Icmpv4View();
    const errors = [];
    for (let type = 0; type < 256; type++) {
      view.wrap(new DataView(Uint8Array.of(type, 0, 0, 0, 0, 0, 5, 0xdc).buffer), 0, 8);
      if (view.isError) errors.push(type);
    }
    expect(errors).toEqual([3, 4, 5, 11, 12]);
    expect(view.nextHopMtu).toBe(1500);
  });
});
