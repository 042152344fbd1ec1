import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EthernetView,
  EtherType,
  emitEthernet,
  ethernetLength,
  parseEthernet,
} from "./ethernet.ts";
import { BROADCAST_MAC, isGroupMac, macText, multicastMacV4, parseMac } from "./mac.ts";
import { hex, mac } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

describe("ethernet", () => {
  viewLaws({
    seed: 8023,
    view: () => new EthernetView(),
    reprs: fc.record({
      destination: mac,
      source: mac,
      etherType: fc.integer({ min: 0x600, max: 0xffff }),
    }),
    emit: emitEthernet,
    length: ethernetLength,
    parse: parseEthernet,
  });

  test("a frame, read, gives its addresses, its type and its payload", () => {
    const dv = hex("ffffffffffff 02005e100001 0800 4500");
    const view = new EthernetView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(view.destination).toBe(BROADCAST_MAC);
    expect(macText(view.source)).toBe("02:00:5e:10:00:01");
    expect(view.etherType).toBe(EtherType.ipv4);
    expect([view.payloadStart, view.payloadEnd]).toEqual([14, 16]);
    view.destination = 0x0200_0000_0002;
    view.source = 0xfe00_0000_0001;
    expect(view.destination).toBe(0x0200_0000_0002);
    expect(macText(view.source)).toBe("fe:00:00:00:00:01");
  });

  test("a frame of 802.3, with a length for a type, is unsupported", () => {
    const dv = hex("ffffffffffff 02005e100001 0026 4242");
    expect(new EthernetView().wrap(dv, 0, dv.byteLength)).toBe("unsupported");
  });

  test("texts of MAC addresses, read, are addresses or null", () => {
    expect(parseMac("02:00:5E-10:00:01")).toBe(0x0200_5e10_0001);
    for (const wrong of [
      "",
      "02:00:5e:10:00",
      "0200.5e10.0001",
      "02:00:5e:10:00:0g",
      "2:0:0:0:0:1",
    ])
      expect(parseMac(wrong)).toBeNull();
    fc.assert(
      fc.property(mac, (address) => {
        expect(parseMac(macText(address))).toBe(address);
      }),
      { seed: 48 },
    );
  });

  test("group addresses, of multicast and broadcast, have the group bit", () => {
    expect(multicastMacV4(0xefff_fffa)).toBe(0x0100_5e7f_fffa);
    expect([BROADCAST_MAC, multicastMacV4(0xe000_0001)].every(isGroupMac)).toBe(true);
    expect(isGroupMac(0x0200_0000_0001)).toBe(false);
  });
});
