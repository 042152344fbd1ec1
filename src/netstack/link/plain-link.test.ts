import { expect, test } from "vitest";
import { NO_OFFLOAD } from "../device.ts";
import { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import { Packet } from "../packet.ts";
import { Prefix } from "../prefix.ts";
import { PlainLink } from "./plain-link.ts";
import { TestContext } from "./testing/test-context.ts";

function fixture() {
  const sent: number[] = [];
  const received: string[] = [];
  let full = false;
  const device = {
    medium: "ip" as const,
    mac: 0,
    mtu: 1500,
    offload: NO_OFFLOAD,
    attach: () => {},
    close: () => {},
    transmit: (packet: Packet) => {
      if (!full) sent.push(packet.length);
      return !full;
    },
  };
  const iface = new Interface(new TestContext(), 1, "tun0", device);
  const link = new PlainLink(iface, {
    receiveIpv4: (_, packet, group) => void received.push(`4 ${packet.length} ${group}`),
    receiveIpv6: (_, packet, group) => void received.push(`6 ${packet.length} ${group}`),
    undeliverable: () => {},
  });
  iface.link = link;
  iface.setUp(true);
  const packetOf = (...bytes: number[]): Packet => {
    const packet = Packet.allocate();
    packet.bytes.set(bytes, packet.start);
    packet.end = packet.start + bytes.length;
    return packet;
  };
  const fill = (): void => {
    full = true;
  };
  return { iface, link, sent, received, packetOf, fill };
}

test("packets in: the version says whose; others and empty ones are errors", () => {
  const { iface, received, packetOf } = fixture();
  for (const bytes of [[0x45, 0], [0x60], [0x50], []]) iface.receive(packetOf(...bytes));
  expect(received).toEqual(["4 2 false", "6 1 false"]);
  expect(iface.counters.inErrors).toBe(2);
});

test("packets out: as they are, to anybody; full when there is no room", () => {
  const { link, sent, packetOf, fill } = fixture();
  for (const to of ["10.0.0.2", "224.0.0.1", "fe80::1"]) {
    expect(link.send(Ip.parse(to)!, packetOf(0x45, 1, 2))).toBe("sent");
  }
  expect(sent).toEqual([3, 3, 3]);
  fill();
  expect(link.send(Ip.parse("10.0.0.2")!, packetOf(0x45))).toBe("full");
});

test("tentative addresses: preferred at once, nobody can be asked", () => {
  const { iface, sent } = fixture();
  for (const text of ["10.0.0.1/24", "2001:db8::1/64"]) {
    const address = iface.addresses.add(Prefix.parse(text)!, "static", "tentative");
    expect(address?.state).toBe("preferred");
  }
  expect(sent).toEqual([]);
});
