import { expect, test } from "vitest";
import { type Instant, micros, millis } from "../../core/time.ts";
import type { DevicePort } from "../../netstack/device.ts";
import { Packet } from "../../netstack/packet.ts";
import { checksum16, verifies } from "../../wire/checksum.ts";
import { readPcapng } from "../../wire/pcapng-reader.ts";
import { LinkCapture } from "./capture.ts";
import type { LinkConditions } from "./conditions.ts";
import { FULL_OFFLOAD, type SimulatedDevice } from "./device.ts";
import { Network } from "./network.ts";

/** What a device's stack would see. */
class Recorder implements DevicePort {
  readonly arrivals: { at: number; length: number; id: number }[] = [];
  readonly frames: Uint8Array[] = [];
  readonly events: string[] = [];
  readonly #network: Network;

  constructor(network: Network, device: SimulatedDevice) {
    this.#network = network;
    device.attach(this);
  }

  get ids(): number[] {
    return this.arrivals.map(({ id }) => id);
  }

  receive(packet: Packet): void {
    const { view, start, end } = packet;
    this.frames.push(packet.bytes.slice(start, end));
    this.arrivals.push({
      at: this.#network.simulation.time - 1_000_000,
      length: end - start,
      id: view.getUint16(start + 18),
    });
  }

  ready(): void {
    this.events.push("ready");
  }

  linkChanged(up: boolean): void {
    this.events.push(up ? "up" : "down");
  }

  mtuChanged(mtu: number): void {
    this.events.push(`mtu ${mtu}`);
  }
}

/** An Ethernet frame with an IPv4 packet of that many bytes, with an identification and an ECN field. */
function frame(id: number, length = 100, ecn = 0): Packet {
  const packet = Packet.allocate(256 + length);
  const { view, start } = packet;
  const ip = start + 14;
  view.setUint16(start + 12, 0x0800);
  view.setUint8(ip, 0x45);
  view.setUint8(ip + 1, ecn);
  view.setUint16(ip + 2, length);
  view.setUint16(ip + 4, id);
  view.setUint8(ip + 8, 64);
  view.setUint8(ip + 9, 6);
  view.setUint16(ip + 10, 0);
  view.setUint16(ip + 10, checksum16(view, ip, ip + 20));
  packet.end = ip + length;
  return packet;
}

function pair(forward: Partial<LinkConditions> = {}, seed = 1, trace?: (line: string) => void) {
  const network = new Network(trace === undefined ? { seed } : { seed, trace });
  const a = network.device({ name: "a", offload: FULL_OFFLOAD });
  const b = network.device({ name: "b" });
  const link = network.connect(a, b, forward);
  return { network, a, b, link, atA: new Recorder(network, a), atB: new Recorder(network, b) };
}

const sendMany = (device: SimulatedDevice, count: number, length = 100): void => {
  for (let id = 1; id <= count; id++) device.transmit(frame(id, length));
};

test("calm: a frame arrives after the latency with its bytes", () => {
  const { network, a, atB } = pair({ latency: millis(5) });
  const sent = frame(7);
  a.transmit(sent);
  const bytes = sent.bytes.slice(sent.start, sent.end);
  sent.bytes.fill(0);
  network.run();
  expect(atB.arrivals).toEqual([{ at: 5_000, length: 114, id: 7 }]);
  expect(atB.frames[0]).toEqual(bytes);
});

test("bandwidth: frames follow each other at the link's pace", () => {
  const { network, a, atB } = pair({ latency: millis(1), bandwidth: 114_000 });
  sendMany(a, 3);
  network.run();
  expect(atB.arrivals.map(({ at }) => at)).toEqual([2_000, 3_000, 4_000]);
});

test("bandwidth: a long segment costs as much as the frames it stands for", () => {
  const { network, a, atB } = pair({ latency: micros(0), bandwidth: 1e6 });
  const packet = frame(1, 40 + 5_000);
  const tcp = packet.start + 34;
  packet.view.setUint8(tcp + 12, 0x50);
  packet.checksum = "partial";
  packet.checksumStart = tcp;
  packet.checksumOffset = 16;
  packet.gsoType = 1;
  packet.gsoSize = 1_000;
  a.transmit(packet);
  network.run();
  // Five segments of 1,000 bytes, each with 54 bytes of headers.
  expect(atB.arrivals).toEqual([{ at: 5_270, length: 5_054, id: 1 }]);
});

test("queue: what does not fit is dropped at the tail", () => {
  const { network, a, atB, link } = pair({ bandwidth: 114_000, queueFrames: 3 });
  sendMany(a, 10);
  expect(link.forward.queuedBytes).toBe(3 * 114);
  network.run();
  expect(atB.ids).toEqual([1, 2, 3]);
  expect(link.forward.counters.overflowed).toBe(7);
  expect(link.forward.queuedBytes).toBe(0);
});

test("queue that refuses: transmit says false, ready follows when there is room", () => {
  const { network, a, atA, atB } = pair({
    bandwidth: 114_000,
    queueBytes: 300,
    whenFull: "refuse",
  });
  expect([1, 2, 3].map((id) => a.transmit(frame(id)))).toEqual([true, true, false]);
  expect(atA.events).toEqual([]);
  network.run(() => atA.events.includes("ready"));
  expect(a.transmit(frame(3))).toBe(true);
  network.run();
  expect(atB.ids).toEqual([1, 2, 3]);
  expect(atA.events).toEqual(["ready"]);
});

test("jitter: frames keep their order", () => {
  const { network, a, atB } = pair({ latency: millis(1), jitter: millis(20) });
  sendMany(a, 200);
  network.run();
  expect(atB.ids).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
  expect(new Set(atB.arrivals.map(({ at }) => at)).size).toBeGreaterThan(3);
});

test("reordering: a frame that is held up is passed by later ones", () => {
  const { network, a, atB, link } = pair({ reordering: 0.2, reorderDelay: millis(1) });
  for (let id = 1; id <= 100; id++) {
    network.run((network.now + 100) as Instant);
    a.transmit(frame(id));
  }
  network.run();
  expect(atB.ids).not.toEqual([...atB.ids].sort((x, y) => x - y));
  expect(atB.ids.length).toBe(100);
  expect(link.forward.counters.reordered).toBeGreaterThan(5);
});

test("loss: its share holds, alone and in runs", () => {
  for (const lossRun of [1, 5]) {
    const { network, a, atB } = pair({ loss: 0.1, lossRun }, 3);
    sendMany(a, 10_000, 60);
    network.run();
    const lost = 10_000 - atB.arrivals.length;
    expect(lost).toBeGreaterThan(800);
    expect(lost).toBeLessThan(1_200);
    const runs = atB.ids.filter((id, i) => i > 0 && id !== atB.ids[i - 1]! + 1).length;
    expect(lost / runs).toBeGreaterThan(lossRun * 0.8);
    expect(lost / runs).toBeLessThan(lossRun * 1.3);
  }
});

test("filter: drops the frames that it names", () => {
  const { network, a, atB, link } = pair();
  link.forward.filter = (_, number) => number !== 2 && number !== 4;
  sendMany(a, 5);
  network.run();
  expect(atB.ids).toEqual([1, 3, 5]);
});

test("duplication: a frame comes twice, and both are whole", () => {
  const { network, a, atB } = pair({ duplication: 1 });
  sendMany(a, 3);
  network.run();
  expect([...atB.ids].sort()).toEqual([1, 1, 2, 2, 3, 3]);
  expect(atB.frames[1]).toEqual(atB.frames[0]);
});

test("corruption: one bit of the packet differs, and what was left to the card is filled in before", () => {
  const { network, a, atB } = pair({ corruption: 1 });
  const clean = frame(1, 60);
  clean.checksum = "partial";
  clean.checksumStart = clean.start + 34;
  clean.checksumOffset = 16;
  a.transmit(clean);
  network.run();
  const at = 34;
  const got = atB.frames[0]!;
  const view = new DataView(got.buffer);
  const headerBroken = !verifies(view, 14, 34);
  const bodyBroken = !verifies(view, at, got.length);
  expect(headerBroken || bodyBroken).toBe(true);
  expect(headerBroken && bodyBroken).toBe(false);
});

test("corruption: a frame without a checksum of its own is lost", () => {
  const { network, a, atB, link } = pair({ corruption: 1 });
  const arp = frame(1, 46);
  arp.view.setUint16(arp.start + 12, 0x0806);
  a.transmit(arp);
  network.run();
  expect(atB.frames.length).toBe(0);
  expect(link.forward.counters.lost).toBe(1);
});

test("marking: packets that allow it say that the queue is long, and stay valid", () => {
  const { network, a, atB } = pair({ bandwidth: 1e6, markAbove: 200 });
  for (const [id, ecn] of [0, 0, 0, 1, 2].entries()) a.transmit(frame(id, 100, ecn));
  network.run();
  expect(atB.frames.map((bytes) => bytes[15]! & 3)).toEqual([0, 0, 0, 3, 3]);
  for (const bytes of atB.frames) expect(verifies(new DataView(bytes.buffer), 14, 34)).toBe(true);
});

test("down: what waits and flies is lost, both ends see the carrier, up again works", () => {
  const { network, a, b, atA, atB, link } = pair({ bandwidth: 114_000, latency: millis(3) });
  sendMany(a, 5);
  network.run((network.now + 1_500) as Instant);
  link.down();
  b.transmit(frame(9));
  network.run((network.now + 100) as Instant);
  link.up();
  a.transmit(frame(6));
  network.run();
  expect(atB.ids).toEqual([6]);
  expect(atA.arrivals).toEqual([]);
  expect(atA.events).toEqual(["down", "up"]);
  expect(atB.events).toEqual(["down", "up"]);
});

test("mtu: devices are told, longer packets do not pass", () => {
  const { network, a, atA, atB, link } = pair();
  link.set({ mtu: 1280 });
  expect(a.mtu).toBe(1280);
  expect(atA.events).toEqual(["mtu 1280"]);
  a.transmit(frame(1, 1281));
  a.transmit(frame(2, 1280));
  network.run();
  expect(atB.ids).toEqual([2]);
});

test("asymmetric: each direction has its own conditions", () => {
  const { network, a, b, atA, atB, link } = pair({ latency: millis(1) });
  link.set({ latency: millis(7) }, "backward");
  a.transmit(frame(1));
  b.transmit(frame(2));
  network.run();
  expect(atB.arrivals[0]!.at).toBe(1_000);
  expect(atA.arrivals[0]!.at).toBe(7_000);
});

test("the same seed: the same trace; another one: another", () => {
  const run = (seed: number): string => {
    const lines: string[] = [];
    const rough = {
      loss: 0.1,
      jitter: millis(5),
      duplication: 0.1,
      reordering: 0.1,
      corruption: 0.1,
    };
    const { network, a, b } = pair(rough, seed, (line) => lines.push(line));
    sendMany(a, 100);
    sendMany(b, 100);
    network.run();
    return lines.join("\n");
  };
  expect(run(5)).toBe(run(5));
  expect(run(5)).not.toBe(run(6));
});

test("capture: what an end sends and receives can be read back, checksums filled in", () => {
  const { network, a, b, link } = pair();
  const blocks: Uint8Array[] = [];
  const capture = new LinkCapture({
    write: (buf, start, end) => blocks.push(buf.slice(start, end)),
  });
  const stop = link.capture(capture);
  const partial = frame(1, 60);
  partial.checksum = "partial";
  partial.checksumStart = partial.start + 34;
  partial.checksumOffset = 16;
  a.transmit(partial);
  b.transmit(frame(2));
  network.run();
  stop();
  a.transmit(frame(3));
  const file = readPcapng(Buffer.concat(blocks));
  if (typeof file === "string") throw new Error(file);
  const packets = file.sections[0]!.packets;
  expect(packets.map(({ octets }) => octets.length)).toEqual([74, 114]);
  const sent = packets[0]!.octets;
  const view = new DataView(sent.buffer, sent.byteOffset, sent.length);
  expect(verifies(view, 34, sent.length)).toBe(true);
});

test("switch: floods what it does not know, then sends it where the address was seen", () => {
  const network = new Network({ seed: 1 });
  const segment = network.switch({ latency: millis(1) });
  const devices = ["a", "b", "c"].map((name) => network.device({ name }));
  const recorders = devices.map((device) => {
    segment.plug(device);
    return new Recorder(network, device);
  });
  const send = (from: number, to: number, id: number): void => {
    const packet = frame(id);
    packet.view.setUint32(packet.start + 2, devices[to]!.mac % 0x1_0000_0000);
    packet.view.setUint16(packet.start, 0x0200);
    packet.view.setUint16(packet.start + 6, 0x0200);
    packet.view.setUint32(packet.start + 8, devices[from]!.mac % 0x1_0000_0000);
    devices[from]!.transmit(packet);
    network.run();
  };
  send(0, 1, 1);
  send(1, 0, 2);
  send(0, 1, 3);
  expect(recorders.map(({ ids }) => ids)).toEqual([[2], [1, 3], [1]]);
  expect(recorders[1]!.arrivals[0]!.at).toBe(2_000);
});

test.each<[string, Partial<LinkConditions>]>([
  ["a chance in percent", { loss: 5 }],
  ["no number", { corruption: Number.NaN }],
  ["a latency into the past", { latency: millis(-1) }],
  ["an MTU below IPv4's least", { mtu: 67 }],
  ["an MTU beyond IP's longest", { mtu: 65_536 }],
])(
  "%s: refused when the link is made and when it is changed, which leaves it as it was",
  (_, wrong) => {
    expect(() => pair(wrong)).toThrow(RangeError);
    const { link } = pair();
    const before = link.forward.conditions;
    expect(() => link.set({ jitter: millis(1), ...wrong })).toThrow(RangeError);
    expect(link.forward.conditions).toBe(before);
  },
);
