import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ArpOperation, ArpView, arpLength, emitArp, parseArp } from "./arp.ts";
import { hex, mac, u16, u32 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";

describe("arp", () => {
  viewLaws({
    seed: 826,
    view: () => new ArpView(),
    reprs: fc.record({
      operation: u16,
      senderMac: mac,
      senderIp: u32,
      targetMac: mac,
      targetIp: u32,
    }),
    emit: emitArp,
    length: arpLength,
    parse: parseArp,
  });

  test("a request, padded to a frame, is read", () => {
    const dv = hex("0001 0800 06 04 0001 02005e100001 0a000002 000000000000 0a000001 00000000");
    const view = new ArpView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect(parseArp(view)).toEqual({
      operation: ArpOperation.request,
      senderMac: 0x0200_5e10_0001,
      senderIp: 0x0a00_0002,
      targetMac: 0,
      targetIp: 0x0a00_0001,
    });
  });

  test.each([
    ["0006 0800 06 04 0001", "unsupported"],
    ["0001 86dd 06 04 0001", "unsupported"],
    ["0001 0800 08 04 0001", "malformed"],
    ["0001 0800 06 10 0001", "malformed"],
    ["0001 0800 06 04 0001", "truncated"],
  ])("a packet that starts with %s is %s", (start, status) => {
    const dv = hex(start);
    expect(new ArpView().wrap(dv, 0, dv.byteLength)).toBe(status);
  });
});
