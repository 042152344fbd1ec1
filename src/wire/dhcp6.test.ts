import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dhcp6MessageType, Dhcp6View, dhcp6Length, emitDhcp6, parseDhcp6 } from "./dhcp6.ts";
import { type Dhcp6Options, NO_DHCP6_OPTIONS } from "./dhcp6-options.ts";
import { dnsName } from "./dns-name.ts";
import { hex, ipv6, octets, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const duid = fc.uint8Array({ minLength: 1, maxLength: 20 });
const options: fc.Arbitrary<Dhcp6Options> = fc.record({
  clientIdentifier: maybe(duid),
  serverIdentifier: maybe(duid),
  optionRequest: fc.array(u16, { maxLength: 5 }),
  elapsedTime: maybe(u16),
  status: maybe(fc.record({ code: u16, message: octets(10) })),
  nameServers: fc.array(ipv6, { maxLength: 3 }),
  domainSearch: fc.array(fc.constantFrom(dnsName("example.com")!, dnsName("a.b")!), {
    maxLength: 3,
  }),
  informationRefreshTime: maybe(u32),
  informationMaxRt: maybe(u32),
  other: fc.array(fc.record({ code: fc.integer({ min: 100, max: 0xffff }), value: octets(9) }), {
    maxLength: 3,
  }),
});

function parsed(digits: string) {
  const dv = hex(digits);
  const view = new Dhcp6View();
  expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
  return parseDhcp6(view);
}

describe("dhcp6", () => {
  viewLaws({
    seed: 8415,
    view: () => new Dhcp6View(),
    reprs: fc.record({
      messageType: fc.constantFrom(1, 2, 7, 10, 11, 14, 255),
      transactionId: fc.nat(0xff_ffff),
      options,
    }),
    emit: emitDhcp6,
    length: dhcp6Length,
    parse: parseDhcp6,
    // A message has no length of its own: cut between two options it is a shorter one.
    knowsItsEnd: false,
  });

  test("an information-request, emitted, is as RFC 8415 draws it", () => {
    const repr = {
      messageType: Dhcp6MessageType.informationRequest,
      transactionId: 0x01_0203,
      options: {
        ...NO_DHCP6_OPTIONS,
        clientIdentifier: Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 1),
        optionRequest: [23, 24],
        elapsedTime: 0,
      },
    };
    const dv = new DataView(new ArrayBuffer(32));
    expect(emitDhcp6(repr, dv, 0)).toBe(32);
    expect(dv).toEqual(
      hex("0b010203 0001 000a 00030001020000000001 0008 0002 0000 0006 0004 0017 0018"),
    );
  });

  test("a reply with name servers and search list, read, gives both", () => {
    const server = "20010db8000000000000000000000053";
    const repr = parsed(`07010203 0017 0010 ${server} 0018 000d 076578616d706c65 03636f6d 00`);
    expect(repr.options).toEqual({
      ...NO_DHCP6_OPTIONS,
      nameServers: [[0x2001_0db8, 0, 0, 0x53]],
      domainSearch: ["example.com"],
    });
  });

  test.each([
    ["half a name server", "0017 0008 20010db800000000"],
    ["a compressed search list", "0018 0004 0161 c004"],
    ["a search list cut in a label", "0018 0002 0561"],
    ["half a requested code", "0006 0003 001700"],
    ["half a time", "0020 0002 0001"],
    ["a status without code", "000d 0001 00"],
    ["an empty identifier", "0001 0000"],
  ])("an option with %s is as if it were absent", (_, option) => {
    expect(parsed(`07010203 ${option}`).options).toEqual(NO_DHCP6_OPTIONS);
  });

  test("a relay's message is unsupported, an option that leads out truncated", () => {
    const view = new Dhcp6View();
    expect(view.wrap(hex("0c000000"), 0, 4)).toBe("unsupported");
    expect(view.wrap(hex("0d000000"), 0, 4)).toBe("unsupported");
    expect(view.wrap(hex("07000000 0001 0005 00"), 0, 9)).toBe("truncated");
    expect(view.wrap(hex("07000000 0001 00"), 0, 7)).toBe("truncated");
  });
});
