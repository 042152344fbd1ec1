import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type DnsRecord, type DnsRepr, dnsLength, emitDns, parseDns } from "./dns.ts";
import { type DnsData, DnsType } from "./dns-data.ts";
import { type DnsName, dnsName } from "./dns-name.ts";
import { NO_SVCB_PARAMS, type SvcbParams } from "./dns-svcb.ts";
import { DnsCursor, DnsFlag, DnsView } from "./dns-view.ts";
import { hex, ipv6, octets, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const name = fc.constantFrom(
  ...[".", "com", "example.com", "www.example.com", "Mail.Example.com", "_sip._tcp.a\\.b\\000"].map(
    (text) => dnsName(text)!,
  ),
);

const params: fc.Arbitrary<SvcbParams> = fc
  .record({
    alpn: fc.array(fc.constantFrom("h2", "h3", "http/1.1"), { maxLength: 2 }),
    port: fc.option(u16),
    ipv4Hints: fc.array(u32, { maxLength: 2 }),
    ech: fc.option(octets(4)),
    ipv6Hints: fc.array(ipv6, { maxLength: 2 }),
    other: fc.uniqueArray(
      fc.record({ key: fc.integer({ min: 7, max: 0xffff }), value: octets(4) }),
      {
        maxLength: 2,
        selector: ({ key }) => key,
      },
    ),
  })
  .map((some) => ({
    ...some,
    other: some.other.sort((a, b) => a.key - b.key),
    mandatory: some.port === null ? [] : [3],
    noDefaultAlpn: some.alpn.length > 1,
  }));

const data: fc.Arbitrary<DnsData> = fc.oneof(
  fc.record({ type: fc.constant("A"), address: u32 }),
  fc.record({ type: fc.constant("AAAA"), address: ipv6 }),
  fc.record({ type: fc.constantFrom("NS", "CNAME", "PTR"), name }),
  fc.record({
    type: fc.constant("SOA"),
    primary: name,
    mailbox: name,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
  }),
  fc.record({ type: fc.constant("MX"), preference: u16, exchange: name }),
  fc.record({
    type: fc.constant("TXT"),
    strings: fc.array(octets(20), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ type: fc.constant("SRV"), priority: u16, weight: u16, port: u16, target: name }),
  fc.record({ type: fc.constantFrom("SVCB", "HTTPS"), priority: u16, target: name, params }),
  fc.record({
    type: fc.constant("raw"),
    code: fc.integer({ min: 256, max: 0xffff }),
    octets: octets(20),
  }),
);
const records = fc.array(
  fc.record({ name, class: fc.constant(1), ttl: fc.nat(0x7fff_ffff), data }),
  { maxLength: 4 },
);
const edns = fc.record({
  udpPayloadSize: u16,
  version: fc.nat(255),
  dnssecOk: fc.boolean(),
  options: fc.array(fc.record({ code: u16, value: octets(8) }), { maxLength: 2 }),
});
const message: fc.Arbitrary<DnsRepr> = fc
  .record({
    id: u16,
    flags: fc.subarray(Object.values(DnsFlag)).map((bits) => bits.reduce((a, b) => a | b, 0)),
    opcode: fc.nat(15),
    rcode: fc.nat(0xfff),
    questions: fc.array(fc.record({ name, type: u16, class: u16 }), { maxLength: 2 }),
    answers: records,
    authorities: records,
    additionals: records,
    edns: fc.option(edns),
  })
  .map((repr) => (repr.edns === null ? { ...repr, rcode: repr.rcode & 0xf } : repr));

const query: DnsRepr = {
  id: 1,
  flags: DnsFlag.recursionDesired,
  opcode: 0,
  rcode: 0,
  questions: [{ name: "example.com" as DnsName, type: DnsType.A, class: 1 }],
  answers: [],
  authorities: [],
  additionals: [],
  edns: null,
};

/** The only record of an answer with this type and data in hexadecimal digits; null when refused. */
function record(type: number, digits: string, dnsClass = 1): DnsRecord | null {
  const bytes = digits.replaceAll(/\s/g, "");
  const word = (n: number) => n.toString(16).padStart(4, "0");
  const dv = hex(
    `0001 8000 0000 0001 0000 0000 00 ${word(type)} ${word(dnsClass)} 00000e10
     ${word(bytes.length / 2)} ${bytes}`,
  );
  const view = new DnsView();
  expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
  return parseDns(view)?.answers[0] ?? null;
}

describe("dns", () => {
  viewLaws({
    seed: 1035,
    view: () => new DnsView(),
    reprs: message,
    emit: emitDns,
    length: dnsLength,
    parse: parseDns,
  });

  test("a query, emitted, is what RFC 1035 draws", () => {
    const dv = new DataView(new ArrayBuffer(29));
    expect(emitDns(query, dv, 0)).toBe(29);
    expect(dv).toEqual(
      hex("0001 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001"),
    );
  });

  test("a message with bytes behind it ends where its records do", () => {
    const dv = new DataView(new ArrayBuffer(40));
    emitDns(query, dv, 0);
    const view = new DnsView();
    expect(view.wrap(dv, 0, 40)).toBe("ok");
    expect(view.end).toBe(29);
    expect(view.count(0)).toBe(1);
  });

  test("counts that promise more than there is are truncated", () => {
    const dv = new DataView(new ArrayBuffer(29));
    emitDns(query, dv, 0);
    dv.setUint16(10, 0xffff);
    expect(new DnsView().wrap(dv, 0, 29)).toBe("truncated");
  });

  test("a cursor, over a broken record, stops and says why", () => {
    const dv = hex("0001 8000 0000 0001 0000 0000 80 0000000000000000000000");
    const cursor = new DnsCursor();
    cursor.rewind(dv, 0, dv.byteLength);
    expect(cursor.next()).toBe(false);
    expect(cursor.failure).toBe("malformed");
    expect(cursor.next()).toBe(false);
  });

  test.each([
    ["an A of three octets", DnsType.A, "7f0000"],
    ["an AAAA of four", DnsType.AAAA, "7f000001"],
    ["an NS with bytes behind its name", DnsType.NS, "0161 00 00"],
    ["a CNAME that points at itself", DnsType.CNAME, "c017"],
    ["an MX without exchange", DnsType.MX, "000a"],
    ["an SOA without numbers", DnsType.SOA, "00 00 00000001"],
    ["a TXT with a string that leads out", DnsType.TXT, "05 6161"],
    ["an SRV without target", DnsType.SRV, "0001 0002 0003"],
    ["an HTTPS with a compressed target", DnsType.HTTPS, "0001 c00c"],
    ["an SVCB with keys that descend", DnsType.SVCB, "0001 00 0003 0002 01bb 0001 0003 026832"],
    ["an SVCB with a key twice", DnsType.SVCB, "0001 00 0003 0002 01bb 0003 0002 01bb"],
    ["an SVCB that demands an absent key", DnsType.SVCB, "0001 00 0000 0002 0003"],
    ["an SVCB with half a port", DnsType.SVCB, "0001 00 0003 0001 01"],
    ["an SVCB with an empty protocol", DnsType.SVCB, "0001 00 0001 0001 00"],
    ["an SVCB with no-default-alpn alone", DnsType.SVCB, "0001 00 0002 0000"],
    ["an SVCB with half an address", DnsType.SVCB, "0001 00 0004 0002 7f00"],
    ["an OPT where answers are", DnsType.OPT, ""],
  ])("%s refuses the message", (_, type, digits) => {
    expect(record(type, digits)).toBeNull();
  });

  test("the HTTPS record of RFC 9460's appendix D.2, with port, is read", () => {
    const digits = "0010 03666f6f 076578616d706c65 03636f6d 00 0003 0002 0035";
    expect(record(DnsType.HTTPS, digits)?.data).toEqual({
      type: "HTTPS",
      priority: 16,
      target: "foo.example.com",
      params: { ...NO_SVCB_PARAMS, port: 53 },
    });
  });

  test("known types, in the classes of updates, stay raw", () => {
    for (const dnsClass of [254, 255]) {
      expect(record(DnsType.A, "", dnsClass)?.data).toEqual({
        type: "raw",
        code: 1,
        octets: new Uint8Array(0),
      });
    }
    expect(record(DnsType.A, "7f000001", 0x8001)?.data.type).toBe("A");
    expect(record(DnsType.A, "0161000001", 3)?.data.type).toBe("raw");
  });

  test("a TTL with its top bit set counts as zero", () => {
    const dv = new DataView(new ArrayBuffer(64));
    const answers = [
      { name: dnsName("a")!, class: 1, ttl: 0xffff_ffff, data: { type: "A", address: 1 } },
    ] as const;
    const end = emitDns({ ...query, answers }, dv, 0);
    const view = new DnsView();
    expect(view.wrap(dv, 0, end)).toBe("ok");
    expect(parseDns(view)?.answers[0]?.ttl).toBe(0);
  });

  test("two OPT records, or one cut inside an option, refuse the message", () => {
    const opt = "00 0029 1000 00000000 0000";
    for (const tail of [`0002 ${opt} ${opt}`, "0001 00 0029 1000 00000000 0003 000a00"]) {
      const dv = hex(`0001 0000 0000 0000 0000 ${tail}`);
      const view = new DnsView();
      expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
      expect(parseDns(view)).toBeNull();
    }
  });

  test.each<[string, DnsData]>([
    ["a text of 256 octets", { type: "TXT", strings: [new Uint8Array(256)] }],
    ["no text at all", { type: "TXT", strings: [] }],
    ["data above 65,535 octets", { type: "raw", code: 999, octets: new Uint8Array(65_536) }],
  ])("%s, to be emitted, is refused", (_, data) => {
    const answers = [{ name: dnsName("a")!, class: 1, ttl: 0, data }];
    expect(emitDns({ ...query, answers }, new DataView(new ArrayBuffer(70_000)), 0)).toBe(-1);
  });
});
