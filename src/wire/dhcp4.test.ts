import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  Dhcp4MessageType,
  Dhcp4Operation,
  type Dhcp4Repr,
  Dhcp4View,
  dhcp4Length,
  emitDhcp4,
  parseDhcp4,
} from "./dhcp4.ts";
import { type Dhcp4Options, NO_DHCP4_OPTIONS } from "./dhcp4-options.ts";
import { dnsName } from "./dns-name.ts";
import { hex, mac, octets, u8, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const addresses = fc.array(u32, { maxLength: 70 });
const text = (maxLength: number, minLength = 1) =>
  fc.string({ minLength, maxLength, unit: fc.constantFrom("a", "-", "é", "/") });
const route = fc.tuple(u32, fc.nat(32), u32).map(([destination, prefixLength, router]) => ({
  destination: (destination & (prefixLength === 0 ? 0 : -1 << (32 - prefixLength))) >>> 0,
  prefixLength,
  router,
}));

const options: fc.Arbitrary<Dhcp4Options> = fc.record({
  subnetMask: maybe(u32),
  routers: addresses,
  nameServers: addresses,
  hostName: maybe(text(300)),
  domainName: maybe(text(20)),
  interfaceMtu: maybe(u16),
  broadcastAddress: maybe(u32),
  ntpServers: addresses,
  requestedAddress: maybe(u32),
  leaseTime: maybe(u32),
  serverIdentifier: maybe(u32),
  parameterRequestList: fc.array(u8, { maxLength: 20 }),
  message: maybe(text(20)),
  maximumMessageSize: maybe(u16),
  renewalTime: maybe(u32),
  rebindingTime: maybe(u32),
  vendorClass: maybe(text(20)),
  clientIdentifier: maybe(octets(300)),
  domainSearch: fc.array(fc.constantFrom(dnsName("example.com")!, dnsName("a.example.com")!), {
    maxLength: 30,
  }),
  classlessRoutes: fc.array(route, { maxLength: 40 }),
  other: fc
    .uniqueArray(fc.record({ code: fc.integer({ min: 200, max: 254 }), value: octets(600) }), {
      maxLength: 3,
      selector: ({ code }) => code,
    })
    .map((some) => some.sort((a, b) => a.code - b.code)),
});

const discover: Dhcp4Repr = {
  operation: Dhcp4Operation.request,
  messageType: Dhcp4MessageType.discover,
  hops: 0,
  transactionId: 0x1234_5678,
  seconds: 0,
  broadcast: false,
  clientAddress: 0,
  yourAddress: 0,
  nextServer: 0,
  relay: 0,
  clientMac: 0x0200_0000_0001,
  serverName: "",
  bootFile: "",
  options: NO_DHCP4_OPTIONS,
};

/** The discover message with these octets as options. */
function withOptions(digits: string, file = "", server = ""): DataView {
  const area = new Uint8Array(hex(digits).buffer);
  const dv = new DataView(new ArrayBuffer(240 + area.length));
  const bytes = new Uint8Array(dv.buffer);
  const whole = new DataView(new ArrayBuffer(300));
  emitDhcp4(discover, whole, 0);
  bytes.set(new Uint8Array(whole.buffer, 0, 240));
  bytes.set(new Uint8Array(hex(server).buffer), 44);
  bytes.set(new Uint8Array(hex(file).buffer), 108);
  bytes.set(area, 240);
  return dv;
}

function parsed(dv: DataView): Dhcp4Repr {
  const view = new Dhcp4View();
  expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
  return parseDhcp4(view);
}

describe("dhcp4", () => {
  viewLaws({
    seed: 2131,
    view: () => new Dhcp4View(),
    reprs: fc.record({
      operation: u8,
      messageType: fc.integer({ min: 1, max: 255 }),
      hops: u8,
      transactionId: u32,
      seconds: u16,
      broadcast: fc.boolean(),
      clientAddress: u32,
      yourAddress: u32,
      nextServer: u32,
      relay: u32,
      clientMac: mac,
      serverName: text(64, 0),
      bootFile: text(128, 0),
      options: fc.oneof(fc.constant(NO_DHCP4_OPTIONS), options),
    }),
    emit: emitDhcp4,
    length: dhcp4Length,
    parse: parseDhcp4,
    // Padding and the end option may be cut off.
    knowsItsEnd: false,
  });

  test("a discover, emitted, is 300 octets and opens as RFC 2131 draws it", () => {
    const dv = new DataView(new ArrayBuffer(300));
    expect(emitDhcp4(discover, dv, 0)).toBe(300);
    expect(dv.getUint32(0)).toBe(0x0101_0600);
    expect(dv.getUint32(236)).toBe(0x6382_5363);
    expect(dv.getUint32(240)).toBe(0x3501_01ff);
  });

  test("options in both overloaded fields, of which one is split over three places, are joined", () => {
    const repr = parsed(withOptions("350102 340103 0c0161 ff", "0c0162 00 ff 0c0178", "0c0163 ff"));
    expect(repr.messageType).toBe(Dhcp4MessageType.offer);
    expect(repr.options.hostName).toBe("abc");
    expect([repr.bootFile, repr.serverName]).toEqual(["", ""]);
    expect(repr.options.other).toEqual([]);
  });

  test("an overload of one field leaves the other a text", () => {
    const repr = parsed(withOptions("350102 340102 ff", "2f62", "0c0163 ff"));
    expect([repr.bootFile, repr.serverName, repr.options.hostName]).toEqual(["/b", "", "c"]);
  });

  test("an option that leads out of an overloaded field is malformed, out of the message truncated", () => {
    const view = new Dhcp4View();
    const bad = withOptions("350102 340102 ff", "", `${"00".repeat(62)} 0c05`);
    expect(view.wrap(bad, 0, bad.byteLength)).toBe("malformed");
    const cut = withOptions("350102 0c0561");
    expect(view.wrap(cut, 0, cut.byteLength)).toBe("truncated");
  });

  test("an overload inside an overloaded field, or above 3, changes nothing", () => {
    expect(parsed(withOptions("350102 340101 ff", "340103 ff", "61")).serverName).toBe("a");
    expect(parsed(withOptions("350102 340107 ff", "", "61")).serverName).toBe("a");
  });

  test("classless routes, of four lengths, are read", () => {
    const digits = "18 0a0000 0a000001 00 c0a80001 10 0a11 0a000002 20 0a1b8180 00000000";
    const repr = parsed(withOptions(`350105 79 1d ${digits} ff`));
    expect(repr.options.classlessRoutes).toEqual([
      { destination: 0x0a00_0000, prefixLength: 24, router: 0x0a00_0001 },
      { destination: 0, prefixLength: 0, router: 0xc0a8_0001 },
      { destination: 0x0a11_0000, prefixLength: 16, router: 0x0a00_0002 },
      { destination: 0x0a1b_8180, prefixLength: 32, router: 0 },
    ]);
  });

  test.each([
    ["a prefix of 33 bits", "79 05 21 00000000"],
    ["a route without router", "79 03 08 0a 00"],
    ["half an address", "03 02 0a00"],
    ["no address", "03 00"],
    ["a mask of five octets", "01 05 ffffff0000"],
    ["a search list that loops", "77 02 c000"],
    ["a name of NULs", "0c 02 0000"],
  ])("an option with %s is as if it were absent", (_, option) => {
    expect(parsed(withOptions(`350105 ${option} ff`)).options).toEqual(NO_DHCP4_OPTIONS);
  });

  test("the search list of RFC 3397's example, split in two, is joined before it is read", () => {
    const first = "03656e67 056170706c65 03636f6d 00 09 6d61726b65";
    const repr = parsed(withOptions(`350105 77 15 ${first} 77 06 74696e67 c004 ff`));
    expect(repr.options.domainSearch).toEqual(["eng.apple.com", "marketing.apple.com"]);
  });

  test.each([
    ["other hardware", 1, 6],
    ["another hardware length", 2, 8],
    ["another cookie", 236, 0],
  ])("%s is unsupported, as is BOOTP", (_, at, value) => {
    const dv = withOptions("350101 ff");
    dv.setUint8(at, value);
    expect(new Dhcp4View().wrap(dv, 0, dv.byteLength)).toBe("unsupported");
    const bootp = withOptions("ff");
    expect(new Dhcp4View().wrap(bootp, 0, bootp.byteLength)).toBe("unsupported");
  });
});
