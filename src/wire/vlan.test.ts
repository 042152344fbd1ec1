import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hex } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";
import { emitVlan, isVlanType, parseVlan, VlanView, vlanLength } from "./vlan.ts";

describe("vlan", () => {
  viewLaws({
    seed: 8021,
    view: () => new VlanView(),
    reprs: fc.record({
      tags: fc.array(
        fc.record({ id: fc.nat(4095), priority: fc.nat(7), dropEligible: fc.boolean() }),
        { minLength: 1, maxLength: 2 },
      ),
      etherType: fc.nat(0xffff).filter((type) => !isVlanType(type)),
    }),
    emit: emitVlan,
    length: vlanLength,
    parse: parseVlan,
  });

  test("two tags, read, give both identifiers and the type of what follows", () => {
    const dv = hex("7064 8100 0005 86dd 60");
    const view = new VlanView();
    expect(view.wrap(dv, 0, dv.byteLength)).toBe("ok");
    expect([view.depth, view.outerId, view.innerId]).toEqual([2, 100, 5]);
    expect([view.priority, view.dropEligible, view.etherType]).toEqual([3, true, 0x86dd]);
    expect([view.payloadStart, view.payloadEnd]).toEqual([8, 9]);
  });

  test("three tags, one in the other, are over the limit", () => {
    const dv = hex("0001 8100 0002 88a8 0003 0800");
    expect(new VlanView().wrap(dv, 0, dv.byteLength)).toBe("limit");
  });
});
