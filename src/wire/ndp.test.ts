import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Ipv6Words } from "./ipv6-address.ts";
import { emitNdp, type NdpRepr, NdpView, ndpLength, parseNdp } from "./ndp.ts";
import { type NdpOption, NdpOptionType } from "./ndp-options.ts";
import { hex, ipv6, mac, u8, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const source: Ipv6Words = [0xfe80_0000, 0, 0, 2];
const destination: Ipv6Words = [0xff02_0000, 0, 1, 0xff00_0001];
const eights = (less: number, most: number) =>
  fc
    .integer({ min: less > 0 ? 1 : 0, max: most })
    .chain((n) => fc.uint8Array({ minLength: 8 * n - less, maxLength: 8 * n - less }));
const known = new Set<number>(Object.values(NdpOptionType));

const option: fc.Arbitrary<NdpOption> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("source-link-layer" as const, "target-link-layer" as const),
    mac,
  }),
  fc.record({
    kind: fc.constant("prefix" as const),
    prefix: ipv6,
    length: fc.nat(128),
    onLink: fc.boolean(),
    autonomous: fc.boolean(),
    validLifetime: u32,
    preferredLifetime: u32,
  }),
  fc.record({ kind: fc.constant("redirected-header" as const), data: eights(0, 4) }),
  fc.record({ kind: fc.constant("mtu" as const), mtu: u32 }),
  fc.record({
    kind: fc.constant("recursive-dns" as const),
    lifetime: u32,
    servers: fc.array(ipv6, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("other" as const),
    type: u8.filter((type) => !known.has(type)),
    data: eights(2, 3),
  }),
);
const options = fc.array(option, { maxLength: 3 });

const reprs: fc.Arbitrary<NdpRepr> = fc.oneof(
  fc.record({ kind: fc.constant("router-solicitation" as const), options }),
  fc.record({
    kind: fc.constant("router-advertisement" as const),
    hopLimit: u8,
    managed: fc.boolean(),
    otherConfiguration: fc.boolean(),
    routerLifetime: u16,
    reachableTime: u32,
    retransTimer: u32,
    options,
  }),
  fc.record({ kind: fc.constant("neighbor-solicitation" as const), target: ipv6, options }),
  fc.record({
    kind: fc.constant("neighbor-advertisement" as const),
    router: fc.boolean(),
    solicited: fc.boolean(),
    override: fc.boolean(),
    target: ipv6,
    options,
  }),
  fc.record({ kind: fc.constant("redirect" as const), target: ipv6, destination: ipv6, options }),
);

describe("ndp", () => {
  viewLaws<NdpRepr>({
    seed: 4861,
    view: () => new NdpView(),
    reprs,
    emit: (repr, dv, start) => emitNdp(repr, dv, start, source, destination),
    length: ndpLength,
    parse: (view: NdpView) => parseNdp(view, source, destination),
    knowsItsEnd: false,
  });

  test("a neighbour solicitation, read, gives its target and the sender's address", () => {
    const dv = hex(
      `8700 0000 00000000 fe80 ${"00".repeat(13)} 01  05 01 000005dc 0000 01 01 02005e100001`,
    );
    const view = new NdpView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(view.isTarget([0xfe80_0000, 0, 0, 1])).toBe(true);
    expect(view.isTarget([0xfe80_0000, 0, 0, 2])).toBe(false);
    expect(view.optionAt(NdpOptionType.sourceLinkLayer)).toBe(32);
    expect(view.optionAt(NdpOptionType.targetLinkLayer)).toBe(-1);
    expect(parseNdp(view, source, destination)).toBeNull();
  });

  test.each([
    ["8500 0000 00000000", "ok"],
    ["8501 0000 00000000", "malformed"],
    ["8500 0000 00000000 0100 000000000000", "malformed"],
    ["8500 0000 00000000 0102 000000000000", "truncated"],
    ["8500 0000 00000000 01", "truncated"],
    ["8600 0000 00000000", "truncated"],
    ["8000 0000 00000000", "unsupported"],
  ])("a message %s, wrapped, is %s", (text, status) => {
    const dv = hex(text);
    expect(new NdpView().wrap(dv, 0, dv.byteLength)).toBe(status);
  });

  test("an option of a known type with another length, parsed, is kept as it is", () => {
    const repr: NdpRepr = {
      kind: "router-solicitation",
      options: [{ kind: "other", type: NdpOptionType.sourceLinkLayer, data: new Uint8Array(14) }],
    };
    const dv = new DataView(new ArrayBuffer(24));
    expect(emitNdp(repr, dv, 0, source, destination)).toBe(24);
    const view = new NdpView();
    view.wrap(dv, 0, 24);
    expect(parseNdp(view, source, destination)).toEqual(repr);
  });
});
