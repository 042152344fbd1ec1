import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksum16, verifies } from "./checksum.ts";
import { hex, octets, u8, u16 } from "./testing/fields.ts";
import { viewLaws } from "./testing/view-laws.ts";
import {
  emitVirtioNet,
  GsoType,
  parseVirtioNet,
  VirtioNetFlag,
  type VirtioNetRepr,
  VirtioNetView,
  virtioNetLength,
} from "./virtio-net.ts";

class LongView extends VirtioNetView {
  override wrap(dv: DataView, start: number, end: number) {
    return super.wrap(dv, start, end, 12);
  }
}

const header = {
  flags: u8,
  gsoType: u8,
  headerLength: u16,
  gsoSize: u16,
  checksumFrom: u16,
  checksumOffset: u16,
};

describe.each([
  ["10 octets", () => new VirtioNetView(), fc.record({ ...header, buffers: fc.constant(null) })],
  ["12 octets", () => new LongView(), fc.record({ ...header, buffers: u16 })],
])("virtio-net header of %s", (_, view, reprs) => {
  viewLaws<VirtioNetRepr>({
    seed: 516,
    view,
    reprs,
    emit: emitVirtioNet,
    length: virtioNetLength,
    parse: parseVirtioNet,
  });
});

describe("a checksum left out", () => {
  test("a header as Linux writes it, read, gives its fields", () => {
    const dv = hex("01 01 3600 b405 2200 1000");
    const view = new VirtioNetView();
    expect(view.wrap(dv, 0, 10)).toBe("ok");
    expect([view.needsChecksum, view.dataValid, view.gsoType]).toEqual([
      true,
      false,
      GsoType.tcpV4,
    ]);
    expect([view.headerLength, view.gsoSize]).toEqual([54, 1460]);
    expect([view.checksumFrom, view.checksumOffset]).toEqual([34, 16]);
  });

  test("completed, over the sum of the pseudo header in its place, verifies with that", () => {
    fc.assert(
      fc.property(octets(40), u16, fc.nat(9), (rest, pseudo, skip) => {
        const dv = new DataView(new ArrayBuffer(10 + skip + 4 + rest.length));
        emitVirtioNet({ ...plain, checksumFrom: skip, checksumOffset: 2 }, dv, 0);
        rest.forEach((byte, i) => {
          dv.setUint8(10 + skip + 4 + i, byte);
        });
        dv.setUint16(10 + skip, 0x0101);
        dv.setUint16(10 + skip + 2, pseudo);
        const view = new VirtioNetView();
        view.wrap(dv, 0, dv.byteLength);
        expect(view.completeChecksum()).toBe(true);
        expect(view.needsChecksum).toBe(false);
        expect(verifies(dv, 10 + skip, dv.byteLength, pseudo)).toBe(true);
        const once = checksum16(dv, 10, dv.byteLength);
        expect(view.completeChecksum()).toBe(true);
        expect(checksum16(dv, 10, dv.byteLength)).toBe(once);
      }),
      { seed: 5166 },
    );
  });

  test.each([
    [3, 0],
    [0, 3],
    [0xffff, 0xffff],
  ])("with start %i and offset %i, out of a frame of four octets, is refused", (start, offset) => {
    const dv = new DataView(new ArrayBuffer(16));
    emitVirtioNet({ ...plain, checksumFrom: start, checksumOffset: offset }, dv, 0);
    const view = new VirtioNetView();
    view.wrap(dv, 0, 14);
    expect(view.completeChecksum()).toBe(false);
    expect(dv.getUint32(10)).toBe(0);
  });

  const plain: VirtioNetRepr = {
    flags: VirtioNetFlag.needsChecksum,
    gsoType: GsoType.none,
    headerLength: 0,
    gsoSize: 0,
    checksumFrom: 0,
    checksumOffset: 0,
    buffers: null,
  };
});
