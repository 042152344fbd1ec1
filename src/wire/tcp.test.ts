import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pseudoSumV4 } from "./checksum.ts";
import { seq } from "./seq.ts";
import {
  emitTcp,
  fillTcpChecksum,
  parseTcp,
  TcpFlag,
  type TcpRepr,
  TcpView,
  tcpLength,
} from "./tcp.ts";
import { NO_TCP_OPTIONS, type TcpOptions } from "./tcp-options.ts";

const seed = 9293;
const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const syn: fc.Arbitrary<TcpOptions> = fc.record({
  maximumSegmentSize: maybe(u16),
  windowScale: maybe(fc.nat(14)),
  sackPermitted: fc.boolean(),
  timestamps: maybe(fc.record({ value: u32, echo: u32 })),
  fastOpen: maybe(
    fc.constantFrom(0, 4, 6, 8, 12, 16).chain((n) => fc.uint8Array({ minLength: n, maxLength: n })),
  ),
  userTimeout: maybe(
    fc.record({ unit: fc.constantFrom("seconds", "minutes"), value: fc.nat(0x7fff) }),
  ),
  sack: fc.constant([]),
});
const block = fc.record({ start: u32.map(seq), end: u32.map(seq) });
const running: fc.Arbitrary<TcpOptions> = fc.record({
  maximumSegmentSize: fc.constant(null),
  windowScale: fc.constant(null),
  sackPermitted: fc.constant(false),
  timestamps: maybe(fc.record({ value: u32, echo: u32 })),
  fastOpen: fc.constant(null),
  userTimeout: fc.constant(null),
  sack: fc.array(block, { maxLength: 3 }),
});
const anyRepr: fc.Arbitrary<TcpRepr> = fc.record({
  sourcePort: u16,
  destinationPort: u16,
  sequence: u32.map(seq),
  acknowledgment: u32.map(seq),
  flags: fc.nat(0x1ff),
  window: u16,
  urgentPointer: u16,
  options: fc.oneof(syn, running),
  payloadLength: fc.nat(20),
});

const plain: TcpRepr = {
  sourcePort: 80,
  destinationPort: 40_000,
  sequence: seq(0xffff_fffe),
  acknowledgment: seq(7),
  flags: TcpFlag.ack,
  window: 1024,
  urgentPointer: 0,
  options: NO_TCP_OPTIONS,
  payloadLength: 0,
};

/** A segment of `payload` bytes with these options as they are. */
function segment(options: readonly number[], payload = 0): DataView {
  const dv = viewOf(new Uint8Array(20 + options.length + payload));
  emitTcp(plain, dv, 0);
  dv.setUint8(12, ((20 + options.length) / 4) << 4);
  options.forEach((byte, i) => {
    dv.setUint8(20 + i, byte);
  });
  return dv;
}

describe("a TCP view", () => {
  test("any bytes, wrapped and read, give a status and stay inside", () => {
    const view = new TcpView();
    const offset = fc.nat(255);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 13, maxLength: 70 }), offset, (bytes, byte) => {
        bytes[12] = byte;
        const dv = viewOf(bytes);
        if (view.wrap(dv, 0, bytes.length) !== "ok") return;
        expect(view.headerLength + view.payloadLength).toBe(bytes.length);
        const repr = parseTcp(view);
        expect(repr.sequence).toBeGreaterThanOrEqual(0);
        const room = viewOf(new Uint8Array(200));
        expect(emitTcp(repr, room, 0)).toBeLessThanOrEqual(60);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test("a segment, cut inside its header, is truncated", () => {
    const dv = segment([2, 4, 5, 0xb4, 1, 1, 4, 2]);
    const view = new TcpView();
    for (let end = 0; end < 28; end++) expect(view.wrap(dv, 0, end)).toBe("truncated");
    expect(view.wrap(dv, 0, 28)).toBe("ok");
    expect(view.options.maximumSegmentSize).toBe(1460);
    expect(view.options.sackPermitted).toBe(true);
  });

  test("a data offset below five words is malformed", () => {
    const dv = segment([]);
    dv.setUint8(12, 0x40);
    expect(new TcpView().wrap(dv, 0, 20)).toBe("malformed");
  });

  test.each<[string, readonly number[]]>([
    ["a length of 0", [2, 0, 0, 0]],
    ["a length of 1", [254, 1, 0, 0]],
    ["a length past the end", [1, 3, 4, 0]],
    ["a kind without length", [1, 1, 1, 3]],
  ])("options with %s are malformed", (_, options) => {
    expect(new TcpView().wrap(segment(options), 0, 20 + options.length)).toBe("malformed");
  });

  test("unknown and ill-sized options, among good ones, are skipped", () => {
    const options = [253, 6, 1, 2, 3, 4, 2, 3, 9, 3, 4, 9, 9, 34, 5, 1, 2, 3, 5, 6, 0, 0, 0, 0];
    const dv = segment([...options, 2, 4, 2, 24, 3, 3, 200, 1]);
    const view = new TcpView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(view.options.toOptions()).toEqual({
      ...NO_TCP_OPTIONS,
      maximumSegmentSize: 536,
      windowScale: 14,
    });
  });

  test("the end of options, before another, ends the list", () => {
    const view = new TcpView();
    expect(view.wrap(segment([1, 0, 2, 0]), 0, 24)).toBe("ok");
    expect(view.options.maximumSegmentSize).toBe(-1);
  });

  test("MD5 signature and TCP-AO, carried, are recognised and forgotten by the next segment", () => {
    const md5 = [19, 18, ...new Array<number>(16).fill(7), 1, 1];
    const ao = [29, 16, ...new Array<number>(14).fill(7)];
    const view = new TcpView();
    const dv = segment([...md5, ...ao]);
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect([view.options.hasMd5Signature, view.options.hasAuthentication]).toEqual([true, true]);
    expect(view.wrap(segment([]), 0, 20)).toBe("ok");
    expect([view.options.hasMd5Signature, view.options.hasAuthentication]).toEqual([false, false]);
  });

  test("SYN, FIN and data, each, count in the sequence length", () => {
    const view = new TcpView();
    for (const [flags, extra] of [
      [TcpFlag.ack, 0],
      [TcpFlag.syn, 1],
      [TcpFlag.fin | TcpFlag.ack, 1],
      [TcpFlag.syn | TcpFlag.fin, 2],
    ] as const) {
      const dv = segment([], 5);
      dv.setUint8(13, flags);
      expect(view.wrap(dv, 0, 25)).toBe("ok");
      expect(view.sequenceLength).toBe(5 + extra);
    }
  });

  test("a user timeout in minutes, read, comes as seconds", () => {
    const view = new TcpView();
    expect(view.wrap(segment([28, 4, 0x80, 3]), 0, 24)).toBe("ok");
    expect(view.options.userTimeoutSeconds).toBe(180);
    expect(view.wrap(segment([28, 4, 0, 90]), 0, 24)).toBe("ok");
    expect(view.options.userTimeoutSeconds).toBe(90);
  });
});

describe("a TCP repr", () => {
  test("any, emitted and parsed, is the same, and its checksum holds", () => {
    const bytes = new Uint8Array(120);
    const dv = viewOf(bytes);
    const view = new TcpView();
    fc.assert(
      fc.property(anyRepr, fc.uint8Array({ minLength: 20, maxLength: 20 }), (repr, data) => {
        const start = 1;
        const end = start + tcpLength(repr);
        fc.pre(fits(repr.options));
        bytes.fill(0xee);
        const payload = emitTcp(repr, dv, start);
        expect(payload).toBe(end - repr.payloadLength);
        bytes.set(data.subarray(0, repr.payloadLength), payload);
        const pseudo = pseudoSumV4(1, 2, 6, tcpLength(repr));
        fillTcpChecksum(dv, start, end, pseudo);
        expect(view.wrap(dv, start, end)).toBe("ok");
        expect(parseTcp(view)).toEqual(repr);
        expect(view.checksumHolds(pseudo)).toBe(true);
        expect(view.checksumHolds((pseudo + 1) & 0xffff)).toBe(false);
        expect(bytes[end]).toBe(0xee);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test("more SACK blocks than fit, emitted beside timestamps, are cut to three", () => {
    const blocks = [1, 3, 5, 7].map((n) => ({ start: seq(n), end: seq(n + 1) }));
    const options = { ...NO_TCP_OPTIONS, timestamps: { value: 1, echo: 2 }, sack: blocks };
    const dv = viewOf(new Uint8Array(60));
    expect(emitTcp({ ...plain, options }, dv, 0)).toBe(60);
    const view = new TcpView();
    expect(view.wrap(dv, 0, 60)).toBe("ok");
    expect(view.options.toOptions().sack).toEqual(blocks.slice(0, 3));
    expect(tcpLength({ ...plain, options: { ...NO_TCP_OPTIONS, sack: blocks } })).toBe(20 + 36);
  });

  test("timestamps alone, emitted, take the aligned form of RFC 7323", () => {
    const dv = viewOf(new Uint8Array(32));
    const timestamps = { value: 0xffff_ffff, echo: 0x8000_0000 };
    emitTcp({ ...plain, options: { ...NO_TCP_OPTIONS, timestamps } }, dv, 0);
    expect(dv.getUint32(20)).toBe(0x0101_080a);
    const view = new TcpView();
    expect(view.wrap(dv, 0, 32)).toBe("ok");
    expect(view.options.timestampValue).toBe(0xffff_ffff);
    expect(view.options.timestampEcho).toBe(0x8000_0000);
  });

  test("one that does not fit, emitted, is refused before anything is written", () => {
    const dv = viewOf(new Uint8Array(24));
    expect(emitTcp({ ...plain, payloadLength: 5 }, dv, 0)).toBe(-1);
    expect(dv.getUint16(0)).toBe(0);
  });
});

/** A full SYN leaves no room for the user timeout, which is then left out. */
function fits(options: TcpOptions): boolean {
  return options.userTimeout === null || (options.fastOpen?.length ?? 0) <= 12;
}
