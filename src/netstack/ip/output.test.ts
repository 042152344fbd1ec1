import { describe, expect, test } from "vitest";
import { checksum16, pseudoSumV4 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import type { Fragmenting, Path, SendVerdict } from "./ip-layer.ts";
import { Host, ip } from "./testing/host.ts";
import { readIpv4, readIpv6 } from "./testing/packets.ts";

const made = (mtu = 1500): Host =>
  new Host([{ name: "eth0", addresses: ["10.0.0.1/24", "2001:db8::1/64"], mtu }]);

function send(
  host: Host,
  to: string,
  length: number,
  fragmenting: Fragmenting = "never",
  trafficClass = 0,
): SendVerdict {
  const path = host.internet.resolve(ip(to)) as Path;
  const packet = host.internet.scratch();
  for (let i = 0; i < length; i++) packet.bytes[packet.start + i] = i;
  packet.end = packet.start + length;
  const { start } = packet;
  const verdict = host.internet.send(path, packet, 17, 0, trafficClass, fragmenting);
  expect(packet.start).toBe(start);
  return verdict;
}

describe("output", () => {
  test("ipv4, atomic, has DF and no identification; its header's sum is right", () => {
    const host = made();
    expect(send(host, "10.0.0.9", 100, "never", 0xb9)).toBe("sent");
    const { packet } = host.take()[0]!;
    expect(readIpv4(packet)).toMatchObject({
      source: "10.0.0.1",
      destination: "10.0.0.9",
      ttl: 64,
      protocol: 17,
      dontFragment: true,
      identification: 0,
    });
    expect(packet.view.getUint8(packet.start + 1)).toBe(0xb9);
  });

  test("ipv4, that may be cut, has an identification of its own each time", () => {
    const host = made();
    for (let i = 0; i < 3; i++) send(host, "10.0.0.9", 100, "allowed");
    const ids = host.take().map(({ packet }) => readIpv4(packet).identification);
    expect(new Set(ids).size).toBe(3);
  });

  test("ipv6 has its traffic class and length", () => {
    const host = made();
    expect(send(host, "2001:db8::9", 100, "never", 0xb9)).toBe("sent");
    const { packet } = host.take()[0]!;
    expect(readIpv6(packet)).toMatchObject({ hopLimit: 64, nextHeader: 17 });
    expect(packet.length).toBe(140);
    expect(packet.view.getUint32(packet.start)).toBe(0x6b90_0000);
  });

  test.each([
    ["10.0.0.9", 1480, "never", "sent", 1],
    ["10.0.0.9", 1481, "never", "too-big", 0],
    ["10.0.0.9", 1481, "allowed", "sent", 2],
    ["10.0.0.9", 65_516, "allowed", "too-big", 0],
    ["2001:db8::9", 1460, "never", "sent", 1],
    ["2001:db8::9", 1461, "never", "too-big", 0],
    ["2001:db8::9", 1461, "allowed", "sent", 2],
  ] as const)("to %s, %i bytes, %s: %s in %i", (to, length, fragmenting, verdict, count) => {
    const host = made();
    expect(send(host, to, length, fragmenting)).toBe(verdict);
    expect(host.take()).toHaveLength(count);
  });

  test.each(["full", "unreachable"] as const)("the link's %s is passed on", (verdict) => {
    const host = made();
    host.link("eth0").verdict = verdict;
    expect(send(host, "10.0.0.9", 100)).toBe(verdict);
    expect(send(host, "2001:db8::9", 3000, "allowed")).toBe(verdict);
  });

  test("a partial checksum, for a device that does none, is completed", () => {
    const host = made();
    const path = host.internet.resolve(ip("10.0.0.9")) as Path;
    const packet = host.internet.scratch();
    const { view, start } = packet;
    packet.end = start + 20;
    for (let i = 0; i < 20; i++) view.setUint8(start + i, i);
    const pseudo = pseudoSumV4(0x0a00_0001, 0x0a00_0009, IpProtocol.udp, 20);
    view.setUint16(start + 6, 0);
    const expected = checksum16(view, start, start + 20, pseudo);
    view.setUint16(start + 6, pseudo);
    packet.checksum = "partial";
    packet.checksumStart = start;
    packet.checksumOffset = 6;
    expect(host.internet.send(path, packet, IpProtocol.udp, 0, 0, "never")).toBe("sent");
    const { payload } = readIpv4(host.take()[0]!.packet);
    expect(new DataView(payload.buffer).getUint16(6)).toBe(expected);
  });

  test("a long segment, larger than the path once cut, is too big", () => {
    const host = made();
    const path = host.internet.resolve(ip("10.0.0.9")) as Path;
    for (const [size, verdict] of [
      [1461, "too-big"],
      [1460, "sent"],
    ] as const) {
      const packet = host.internet.scratch();
      packet.end = packet.start + 20 + 5000;
      packet.bytes.fill(0, packet.start, packet.end);
      packet.view.setUint8(packet.start + 12, 0x50);
      packet.gsoType = GsoType.tcpV4;
      packet.gsoSize = size;
      packet.checksum = "partial";
      packet.checksumStart = packet.start;
      packet.checksumOffset = 16;
      expect(host.internet.send(path, packet, IpProtocol.tcp, 0, 0, "never")).toBe(verdict);
    }
    expect(host.take().map(({ packet }) => packet.length)).toEqual([1500, 1500, 1500, 660]);
  });

  test.each([
    ["0.0.0.0", "224.0.0.22", 24],
    ["::", "ff02::16", 48],
  ])("past the tables, from %s to %s, with a router alert", (source, destination, header) => {
    const host = made();
    const packet = host.internet.scratch();
    packet.end = packet.start + 8;
    const out = host.interface("eth0");
    const verdict = host.internet.sendOn(out, ip(source), ip(destination), packet, 2, 1, true);
    expect(verdict).toBe("sent");
    const [sent] = host.take();
    expect([sent!.nextHop, sent!.packet.length]).toEqual([destination, header + 8]);
    if (header === 24)
      expect(readIpv4(sent!.packet)).toMatchObject({ source, destination, ttl: 1 });
    else {
      const read = readIpv6(sent!.packet);
      expect(read).toMatchObject({ source, destination, hopLimit: 1, nextHeader: 0 });
      expect([...read.payload.slice(0, 8)]).toEqual([2, 0, 5, 2, 0, 0, 1, 0]);
    }
  });

  test("a whole packet, without source and sum, is filled in and cut where it may be", () => {
    const host = made();
    const path = host.internet.resolve(ip("10.0.0.9")) as Path;
    for (const [df, verdict, count] of [
      [0, "sent", 2],
      [0x4000, "too-big", 0],
    ] as const) {
      const packet = host.internet.scratch();
      const { view, start } = packet;
      packet.end = start + 2000;
      packet.bytes.fill(0, start, packet.end);
      view.setUint8(start, 0x45);
      view.setUint16(start + 6, df);
      view.setUint8(start + 8, 9);
      view.setUint8(start + 9, 99);
      ip("10.0.0.9").write(view, start + 16);
      expect(host.internet.sendWhole(path, packet)).toBe(verdict);
      const sent = host.take();
      expect(sent).toHaveLength(count);
      for (const piece of sent) {
        expect(readIpv4(piece.packet)).toMatchObject({ source: "10.0.0.1", ttl: 9, protocol: 99 });
      }
    }
  });
});
