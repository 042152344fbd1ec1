import { describe, expect, test } from "vitest";
import { NetError } from "../../src/core/errors.ts";
import { after, seconds } from "../../src/core/time.ts";
import { FULL_OFFLOAD, Network, type SimulatedHost } from "../../src/drivers/simulation/public.ts";
import type { DeviceOffload } from "../../src/netstack/device.ts";
import { Ip } from "../../src/netstack/ip-address.ts";
import { Capture } from "../../src/netstack/raw/capture.ts";
import type { UdpHandler, UdpOptions } from "../../src/netstack/udp/endpoint.ts";
import type { UdpSocket } from "../../src/netstack/udp/udp-socket.ts";
import { readPcapng } from "../../src/wire/pcapng-reader.ts";

const ip = (text: string): Ip => Ip.parse(text)!;
const BOTH = [
  ["IPv4", ip("10.0.0.1"), ip("10.0.0.2")],
  ["IPv6", ip("fd00::1"), ip("fd00::2")],
] as const;

function pair(offload?: DeviceOffload) {
  const network = new Network({ seed: 768 });
  const settings = { dadTransmits: 0, conflictDetection: "off" } as const;
  const a = network.host("a", { settings });
  const b = network.host("b", { settings });
  const given = offload === undefined ? {} : { offload };
  const link = network.link(
    { host: a, addresses: ["10.0.0.1/24", "fd00::1/64"], ...given },
    { host: b, addresses: ["10.0.0.2/24", "fd00::2/64"], ...given },
  );
  const run = (time = 2) => network.run(after(network.now, seconds(time)));
  run();
  return { network, a, b, link, run };
}

class Ear implements UdpHandler {
  readonly heard: Buffer[] = [];
  readonly from: string[] = [];
  readonly errors: string[] = [];
  onMessage(...[bytes, start, end, from]: Parameters<UdpHandler["onMessage"]>): void {
    this.heard.push(Buffer.from(bytes.subarray(start, end)));
    this.from.push(`${from.ip} ${from.port}`);
  }
  onError(error: NetError): void {
    this.errors.push(error.code);
  }
}

function open(host: SimulatedHost, options: UdpOptions, ear: UdpHandler = new Ear()): UdpSocket {
  const socket = host.stack.udp.open(options, ear);
  if (socket instanceof NetError) throw socket;
  return socket;
}

const bytes = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >>> 8)) & 0xff));

describe.each(BOTH)("datagrams of %s between two hosts", (_, ours, theirs) => {
  test.each([0, 1, 1_472, 1_473, 20_000, 65_000])("of %i bytes, sent, arrive whole", (length) => {
    const { a, b, run } = pair();
    const ear = new Ear();
    open(b, { local: { port: 9 } }, ear);
    const socket = open(a, { local: { port: 5_000 } });
    expect(socket.send(bytes(length), 0, length, { ip: theirs, port: 9 })).toBe("sent");
    run();
    expect(ear.heard.map((one) => one.equals(bytes(length)))).toEqual([true]);
    expect(ear.from).toEqual([`${ours} 5000`]);
  });

  test("to a port where nobody listens, from a connected socket, are refused", () => {
    const { a, run } = pair();
    const ear = new Ear();
    const socket = open(a, { remote: { ip: theirs, port: 9 } }, ear);
    socket.send(bytes(4), 0, 4);
    run();
    expect(ear.errors).toEqual(["ECONNREFUSED"]);
  });

  test.each([
    ["without offloads", undefined],
    ["with offloads", FULL_OFFLOAD],
  ])("as a train, %s, arrive one by one", (_name, offload) => {
    const { a, b, run } = pair(offload);
    const ear = new Ear();
    open(b, { local: { port: 9 } }, ear);
    const all = bytes(100_500);
    const socket = open(a, {});
    expect(socket.sendSegments(all, 0, all.length, 1_000, { ip: theirs, port: 9 })).toBe("sent");
    run();
    expect(ear.heard.map(({ length }) => length)).toEqual([...Array(100).fill(1_000), 500]);
    expect(Buffer.concat(ear.heard).equals(all)).toBe(true);
  });

  test("to a group, are heard by its members on the other host and on this one", () => {
    const { a, b, run } = pair();
    const group = ours.version === 4 ? ip("239.9.9.9") : ip("ff05::9");
    const [here, there, no] = [new Ear(), new Ear(), new Ear()];
    open(a, { local: { port: 9 } }, here).joinGroup(group, a.interface());
    open(b, { local: { port: 9 } }, there).joinGroup(group, b.interface());
    run(5);
    const socket = open(a, {});
    socket.multicastInterface = a.interface();
    expect(socket.send(bytes(4), 0, 4, { ip: group, port: 9 })).toBe("sent");
    socket.multicastLoop = false;
    expect(socket.send(bytes(5), 0, 5, { ip: group, port: 9 })).toBe("sent");
    run();
    const lengths = [here, there, no].map(({ heard }) => heard.map(({ length }) => length));
    expect(lengths).toEqual([[4], [4, 5], []]);
  });

  test("to this host itself, arrive by loopback", () => {
    const { a, run } = pair();
    const ear = new Ear();
    open(a, { local: { ip: ours, port: 9 } }, ear);
    open(a, {}).send(bytes(60_000), 0, 60_000, { ip: ours, port: 9 });
    run();
    expect(ear.heard.map((one) => one.equals(bytes(60_000)))).toEqual([true]);
  });

  test.each([8, 3_000, 65_507])("echo requests of %i bytes, sent, are answered", (length) => {
    const { a, run } = pair();
    const replies: string[] = [];
    const socket = a.stack.ping.open(
      { remote: theirs },
      {
        onReply: (sequence, from, start, end) => {
          const same = bytes(length).equals(from.packet.bytes.subarray(start, end));
          replies.push(`${sequence} ${from.source()} ${same}`);
        },
        onError: (sequence, { kind }) => void replies.push(`${sequence} ${kind}`),
      },
    );
    if (socket instanceof NetError) throw socket;
    for (const sequence of [1, 2]) socket.send(sequence, bytes(length), 0, length);
    run();
    expect(replies).toEqual([`1 ${theirs} true`, `2 ${theirs} true`]);
  });

  test("of a protocol that nobody speaks, are heard by a raw socket", () => {
    const { a, b, run } = pair();
    const heard: string[] = [];
    const options = { version: ours.version, protocol: 253 };
    const receiver = b.stack.raw.open(options, {
      onPacket: (inbound) => void heard.push(`${inbound.source()} ${inbound.payloadLength}`),
    });
    const sender = a.stack.raw.open(options, { onPacket() {} });
    if (receiver instanceof NetError || sender instanceof NetError) throw new Error("not opened");
    for (const length of [10, 4_000]) sender.send(bytes(length), 0, length, theirs);
    run();
    expect(heard).toEqual([`${ours} 10`, `${ours} 4000`]);
  });

  test("captured, are whole in the file though their sums were left to the device", () => {
    const { a, b, run } = pair(FULL_OFFLOAD);
    const chunks: Buffer[] = [];
    const sink = {
      write: (buf: Uint8Array, start: number, end: number) =>
        void chunks.push(Buffer.from(buf.slice(start, end))),
    };
    open(b, { local: { port: 9 } });
    const socket = open(a, {});
    socket.send(bytes(10), 0, 10, { ip: theirs, port: 9 });
    run();
    const capture = new Capture(a.stack.context, sink);
    capture.add(a.interface());
    socket.send(bytes(10), 0, 10, { ip: theirs, port: 9 });
    run(1);
    const { status, sections } = readPcapng(Buffer.concat(chunks));
    const header = 14 + (ours.version === 4 ? 20 : 40);
    expect([status, sections[0]!.packets[0]!.octets.length]).toEqual(["ok", header + 18]);
    expect([...sections[0]!.packets[0]!.octets.subarray(-10)]).toEqual([...bytes(10)]);
  });
});

test.each([3, 5_000])(
  "a broadcast of %i bytes, sent with leave, is heard on the link and here",
  (length) => {
    const { a, b, run } = pair();
    const [here, there] = [new Ear(), new Ear()];
    open(a, { local: { port: 9 } }, here);
    open(b, { local: { port: 9 } }, there);
    const socket = open(a, { local: { port: 5_000 }, broadcast: true });
    for (const to of ["10.0.0.255", "255.255.255.255"]) {
      expect(socket.send(bytes(length), 0, length, { ip: ip(to), port: 9 })).toBe("sent");
    }
    run();
    for (const { heard, from } of [here, there]) {
      expect(heard.map((one) => one.equals(bytes(length)))).toEqual([true, true]);
      expect(new Set(from)).toEqual(new Set(["10.0.0.1 5000"]));
    }
  },
);

test("a broadcast, sent without leave, is refused and heard by nobody", () => {
  const { a, run } = pair();
  const here = new Ear();
  open(a, { local: { port: 9 } }, here);
  const socket = open(a, {});
  for (const to of ["10.0.0.255", "255.255.255.255"]) {
    expect(socket.send(bytes(3), 0, 3, { ip: ip(to), port: 9 })).toBe("denied");
  }
  run();
  expect(here.heard).toEqual([]);
});

test("bound to a broadcast address, a socket hears what is sent there alone, and sends as the host", () => {
  const { a, b, run } = pair();
  const [ear, answers] = [new Ear(), new Ear()];
  const bound = open(b, { local: { ip: ip("10.0.0.255"), port: 9 } }, ear);
  const socket = open(a, { local: { port: 5_000 }, broadcast: true }, answers);
  for (const to of ["10.0.0.255", "255.255.255.255", "10.0.0.2"]) {
    socket.send(bytes(3), 0, 3, { ip: ip(to), port: 9 });
  }
  run();
  expect(ear.heard).toHaveLength(1);
  expect(bound.send(bytes(1), 0, 1, { ip: ip("10.0.0.1"), port: 5_000 })).toBe("sent");
  run();
  expect(answers.from).toEqual(["10.0.0.2 9"]);
});

test("fragments lost on the way, are forgotten in time and told of", () => {
  const { a, b, link, run } = pair();
  const errors: string[] = [];
  const ear = Object.assign(new Ear(), {
    onIcmpError: ({ kind }: { kind: string }) => errors.push(kind),
  });
  open(b, { local: { port: 9 } });
  const socket = open(a, {}, ear);
  socket.send(bytes(1), 0, 1, { ip: ip("10.0.0.2"), port: 9 });
  run();
  link.set({ loss: 0.3 }, "forward");
  for (let i = 0; i < 20; i++) {
    socket.send(bytes(9_000), 0, 9_000, { ip: ip("10.0.0.2"), port: 9 });
    run(1);
  }
  link.set({ loss: 0 }, "forward");
  run(70);
  expect(new Set(errors)).toEqual(new Set(["reassembly-time-exceeded"]));
});
