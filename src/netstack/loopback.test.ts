import { expect, test } from "vitest";
import type { DevicePort } from "./device.ts";
import { LoopbackDevice } from "./loopback.ts";
import { PACKET_HEADROOM, Packet } from "./packet.ts";

function attached(limit: number) {
  const seen: number[] = [];
  let woken = 0;
  let ready = 0;
  const device = new LoopbackDevice(limit, () => void woken++);
  const send = (value: number, length: number): boolean => {
    const packet = Packet.allocate();
    packet.reset();
    packet.end = PACKET_HEADROOM + length;
    packet.bytes.fill(value, packet.start, packet.end);
    packet.checksum = "partial";
    packet.checksumStart = packet.start + 1;
    return device.transmit(packet);
  };
  const port: DevicePort = {
    receive: (packet) => {
      expect(packet.checksum).toBe("partial");
      expect(packet.checksumStart).toBe(packet.start + 1);
      seen.push(packet.bytes[packet.end - 1]! * 100_000 + packet.length);
      if (packet.bytes[packet.start] === 7) send(8, 20);
    },
    ready: () => void ready++,
    linkChanged: () => {},
    mtuChanged: () => {},
  };
  device.attach(port);
  return { device, send, seen, woken: () => woken, ready: () => ready };
}

test("loopback, packets of all sizes, come back in order at the next delivery", () => {
  const { device, send, seen, woken } = attached(10);
  send(1, 40);
  send(2, 65_535);
  send(3, 2_048);
  expect(seen).toEqual([]);
  expect(woken()).toBe(3);
  device.deliver();
  expect(seen).toEqual([100_040, 265_535, 302_048]);
});

test("loopback, a packet sent while one is delivered, waits for the next delivery", () => {
  const { device, send, seen } = attached(10);
  send(7, 30);
  device.deliver();
  expect(seen).toEqual([700_030]);
  device.deliver();
  expect(seen).toEqual([700_030, 800_020]);
});

test("loopback, full, refuses and says when there is room", () => {
  const { device, send, seen, ready } = attached(2);
  expect([send(1, 20), send(2, 20), send(3, 20)]).toEqual([true, true, false]);
  expect(ready()).toBe(0);
  device.deliver();
  expect(ready()).toBe(1);
  expect(seen.length).toBe(2);
  device.deliver();
  expect(ready()).toBe(1);
});
