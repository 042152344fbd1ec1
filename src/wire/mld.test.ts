import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ipv6Words } from "./ipv6-address.ts";
import { emitMld, type MldRepr, MldView, mldLength, parseMld } from "./mld.ts";
import { hex, ipv6, u8, u16 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const source: Ipv6Words = [0xfe80_0000, 0, 0, 2];
const destination: Ipv6Words = [0xff02_0000, 0, 0, 0x16];
const sources = fc.array(ipv6, { maxLength: 3 });
const reprs: fc.Arbitrary<MldRepr> = fc.oneof(
  fc.record({ kind: fc.constant("query" as const), group: ipv6, maxResponse: u16 }),
  fc.record({
    kind: fc.constant("query-v2" as const),
    group: ipv6,
    maxResponse: u16,
    suppress: fc.boolean(),
    robustness: fc.nat(7),
    interval: u8,
    sources,
  }),
  fc.record({ kind: fc.constantFrom("report" as const, "done" as const), group: ipv6 }),
  fc.record({
    kind: fc.constant("report-v2" as const),
    records: fc.array(fc.record({ type: u8, group: ipv6, sources }), { maxLength: 3 }),
  }),
);

describe("mld", () => {
  viewLaws<MldRepr>({
    seed: 3810,
    view: () => new MldView(),
    reprs,
    emit: (repr, dv, start) => emitMld(repr, dv, start, source, destination),
    length: mldLength,
    parse: (view: MldView) => parseMld(view, source, destination),
    // A query of version 2 without sources, cut to 24 octets, is one of version 1.
    knowsItsEnd: false,
  });

  const group = `ff02 ${"00".repeat(13)} fb`;
  test.each([
    [`8200 0000 2710 0000 ${group}`, "ok"],
    [`8200 0000 2710 0000 ${group} 0000`, "malformed"],
    [`8200 0000 2710 0000 ${group} 027d 0001`, "truncated"],
    [`8200 0000 2710 0000 ${group} 027d 0002 ${group}`, "truncated"],
    [`8200 0000 2710 0000 ${group} 027d 0001 ${group}`, "ok"],
    ["8300 0000 0000 0000 ff02", "truncated"],
    ["8f00 0000 0000 0000", "ok"],
    ["8f00 0000 0000 0001", "truncated"],
    [`8f00 0000 0000 0001 0400 0001 ${group}`, "truncated"],
    [`8f00 0000 0000 0001 0401 0000 ${group}`, "truncated"],
    ["8500 0000 00000000", "unsupported"],
  ])("a message %s, wrapped, is %s", (text, status) => {
    const dv = hex(text);
    expect(new MldView().wrap(dv, 0, dv.byteLength)).toBe(status);
  });
});
