import { expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { instant } from "../../core/time.ts";
import { seq } from "../../wire/seq.ts";
import { type Device, type DevicePort, NO_OFFLOAD } from "../device.ts";
import { Ip } from "../ip-address.ts";
import { Stack } from "../stack.ts";
import { TcpConnection } from "./connection.ts";
import { FlowRegistry } from "./flow-registry.ts";
import { SegmentSender } from "./segment-sender.ts";
import { DEFAULT_TCP } from "./settings.ts";
import type { TcpFlow } from "./tcp-flow.ts";
import { TransmitQueue } from "./transmit-queue.ts";

const LOCAL = Ip.parse("192.0.2.1")!;
const REMOTE = Ip.parse("192.0.2.2")!;
const NOW = instant(1_000_000);

/** A device that has room when it is told so. */
class Narrow implements Device {
  readonly medium = "ip";
  readonly mac = 0;
  readonly mtu = 1_500;
  readonly offload = NO_OFFLOAD;
  port!: DevicePort;
  room = false;
  sent = 0;

  attach(port: DevicePort): void {
    this.port = port;
  }

  transmit(): boolean {
    if (this.room) this.sent++;
    return this.room;
  }

  close(): void {}
}

function world() {
  const device = new Narrow();
  const stack = new Stack({ clock: { now: () => NOW }, rng: new SeededRng(1), wake() {} });
  const settings = { conflictDetection: "off", linkLocal: false, ipv6: false } as const;
  stack.addInterface({ name: "tun0", device, settings });
  stack.configuration.addAddress("tun0", "192.0.2.1/24");
  const queue = new TransmitQueue(stack.context, stack.ip, new SegmentSender(stack.ip));
  const flows = new FlowRegistry(stack.context, queue, { forget() {}, fault() {} });
  device.sent = 0;
  const connect = (localPort: number): TcpFlow => {
    const flow = flows.create({ local: LOCAL, localPort, remote: REMOTE, remotePort: 9 }, null);
    flow.connection = TcpConnection.connect(flow, flow, DEFAULT_TCP, 1_460, seq(1), 0, flow);
    return flow;
  };
  return { device, queue, flows, connect };
}

it("a device that stays full: flows that have closed meanwhile are not kept", () => {
  const { device, queue, flows, connect } = world();
  for (let port = 1_000; port < 4_000; port++) {
    const flow = connect(port);
    queue.flush(NOW);
    flow.connection!.abort();
  }
  expect(flows.table.size).toBe(0);
  expect(queue.blocked).toBeLessThanOrEqual(256);
  device.room = true;
  device.port.ready();
  queue.flush(NOW);
  expect([device.sent, queue.blocked]).toEqual([0, 0]);
});

it("a device that had no room: all flows that wait for it send, once each", () => {
  const { device, queue, connect } = world();
  for (let port = 1_000; port < 2_000; port++) connect(port);
  queue.flush(NOW);
  expect([device.sent, queue.blocked]).toEqual([0, 1_000]);
  device.room = true;
  device.port.ready();
  queue.flush(NOW);
  expect([device.sent, queue.blocked]).toEqual([1_000, 0]);
});
