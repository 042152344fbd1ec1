import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksum16 } from "./checksum.ts";
import {
  emitIgmp,
  GroupRecordType,
  type IgmpRepr,
  IgmpView,
  igmpLength,
  parseIgmp,
} from "./igmp.ts";
import { decodeTime8, decodeTime16, encodeTime8, encodeTime16 } from "./multicast-time.ts";
import { hex, u8, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const sources = fc.array(u32, { maxLength: 4 });
const reprs: fc.Arbitrary<IgmpRepr> = fc.oneof(
  fc.record({ kind: fc.constant("query" as const), group: u32, maxResponse: u8 }),
  fc.record({
    kind: fc.constant("query-v3" as const),
    group: u32,
    maxResponse: u8,
    suppress: fc.boolean(),
    robustness: fc.nat(7),
    interval: u8,
    sources,
  }),
  fc.record({
    kind: fc.constantFrom("report-v1" as const, "report-v2" as const, "leave" as const),
    group: u32,
  }),
  fc.record({
    kind: fc.constant("report-v3" as const),
    records: fc.array(fc.record({ type: u8, group: u32, sources }), { maxLength: 3 }),
  }),
);

describe("igmp", () => {
  viewLaws({
    seed: 3376,
    view: () => new IgmpView(),
    reprs,
    emit: emitIgmp,
    length: igmpLength,
    parse: parseIgmp,
    // A query of version 3 without sources, cut to 8 octets, is one of version 2.
    knowsItsEnd: false,
  });

  test.each([
    ["1100 ee9b 00000000", 1],
    ["1164 ee9b 00000000", 2],
    ["1164 ec1e 00000000 027d 0000", 3],
    ["1200 0d03 e0000001", 1],
    ["1600 0903 e0000001", 2],
    ["1700 0803 e0000001", 2],
    ["2200 ddff 00000000", 3],
  ])("a message %s is of version %i", (text, version) => {
    const dv = hex(text);
    const view = new IgmpView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(view.version).toBe(version);
  });

  test.each([
    ["1164 0000 00000000 0000", "malformed"],
    ["1164 0000 00000000 027d 0001", "truncated"],
    ["1164 0000 00000000 027d 0002 0a000001", "truncated"],
    ["1164 0000 00000000 027d 0001 0a000001", "ok"],
    ["2200 0000 0000 0001 0400 0000", "truncated"],
    ["2200 0000 0000 0001 0400 0001 e0000001", "truncated"],
    ["2200 0000 0000 0001 0401 0000 e0000001", "truncated"],
    ["9900 0000 00000000", "unsupported"],
  ])("a message %s, wrapped, is %s", (text, status) => {
    const dv = hex(text);
    expect(new IgmpView().wrap(dv, 0, dv.byteLength)).toBe(status);
  });

  test("a record with auxiliary data, parsed, is told without it, and the next one is found", () => {
    const dv = hex("2200 0000 0000 0002 0401 0000 e00000fb aaaaaaaa 0300 0001 e00000fc 0a000001");
    const view = new IgmpView();
    view.wrap(dv, 0, dv.byteLength);
    expect(parseIgmp(view)).toBeNull();
    dv.setUint16(2, checksum16(dv, 0, dv.byteLength));
    expect(parseIgmp(view)).toEqual({
      kind: "report-v3",
      records: [
        { type: GroupRecordType.changeToExclude, group: 0xe000_00fb, sources: [] },
        { type: GroupRecordType.changeToInclude, group: 0xe000_00fc, sources: [0x0a00_0001] },
      ],
    });
  });
});

describe("times of queries", () => {
  test("codes, decoded and encoded, are the same codes", () => {
    for (let code = 0; code < 256; code++) expect(encodeTime8(decodeTime8(code))).toBe(code);
    for (let code = 0; code < 65_536; code++) {
      if (encodeTime16(decodeTime16(code)) !== code) expect.fail(`code ${code}`);
    }
  });

  test("times between two codes take the lower one, times past the last the last", () => {
    expect([decodeTime8(0x7f), decodeTime8(0x80), decodeTime8(0xff)]).toEqual([127, 128, 31_744]);
    expect([decodeTime16(0x8000), decodeTime16(0xffff)]).toEqual([32_768, 8_387_584]);
    expect([encodeTime8(135), encodeTime8(136), encodeTime8(1e6)]).toEqual([0x80, 0x81, 0xff]);
    expect(encodeTime16(1e9)).toBe(0xffff);
  });
});
