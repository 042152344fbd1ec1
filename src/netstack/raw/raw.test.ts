import { beforeEach, describe, expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { seconds } from "../../core/time.ts";
import { verifies } from "../../wire/checksum.ts";
import { Ipv4View } from "../../wire/ipv4.ts";
import { readPcapng } from "../../wire/pcapng-reader.ts";
import { inboundOf, ipv4Packet, ipv6Packet, pattern } from "../fragments/testing/ip-packets.ts";
import { VirtualContext } from "../fragments/testing/virtual-context.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { Packet } from "../packet.ts";
import { RecordingIp, silentInterface } from "../udp/testing/recording-ip.ts";
import { Capture } from "./capture.ts";
import { PacketSocket } from "./packet-socket.ts";
import { RawLayer } from "./raw-layer.ts";
import type { RawOptions, RawSocket } from "./raw-socket.ts";

const PEER = Ip.parse("10.7.0.9")!;
const PEER6 = Ip.parse("fd07::9")!;

let context: VirtualContext;
let eth: Interface;
let below: RecordingIp;
let raw: RawLayer;

beforeEach(() => {
  context = new VirtualContext({ sockets: 3 });
  eth = silentInterface(context);
  eth.setUp(true);
  below = new RecordingIp(eth);
  raw = new RawLayer(context, below);
});

function open(options: RawOptions, heard: string[] = [], name = ""): RawSocket {
  const socket = raw.open(options, {
    onPacket: ({ protocol }) => void heard.push(`${name}${protocol}`),
  });
  if (socket instanceof NetError) throw socket;
  return socket;
}

const arrive = (packet: Packet) => below.watcher?.(inboundOf(packet, eth)) ?? null;

describe("raw sockets", () => {
  test("and packet sockets, asked to send bytes that are not there, throw and send nothing", () => {
    const raw4 = open({ version: 4, protocol: 89 });
    const whole = open({ version: 4, headerIncluded: true });
    const frames = new PacketSocket(eth, { onFrame: () => expect.unreachable() });
    for (const [start, end] of [
      [0, 41],
      [-1, 20],
      [30, 20],
    ] as const) {
      expect(() => raw4.send(pattern(40), start, end, PEER)).toThrow(RangeError);
      expect(() => whole.send(pattern(40), start, end)).toThrow(RangeError);
      expect(() => frames.inject(pattern(40), start, end)).toThrow(RangeError);
    }
    expect(below.sent).toEqual([]);
  });

  test("of several protocols, given packets, hear what they asked for; IP is told of the speakers", () => {
    const heard: string[] = [];
    open({ version: 4, protocol: 89 }, heard, "a");
    open({ version: 4 }, heard, "b");
    open({ version: 4, protocol: 1, icmpTypes: new Set([8]) }, heard, "c");
    expect(arrive(ipv4Packet({ payload: pattern(8), protocol: 89 }))).toBe(true);
    expect(arrive(ipv4Packet({ payload: pattern(8), protocol: 90 }))).toBe(false);
    expect(arrive(ipv4Packet({ payload: Uint8Array.of(8), protocol: 1 }))).toBe(true);
    expect(arrive(ipv4Packet({ payload: Uint8Array.of(0), protocol: 1 }))).toBe(false);
    expect(arrive(ipv6Packet({ payload: pattern(8), nextHeader: 89 }))).toBe(false);
    expect(heard).toEqual(["a89", "b89", "b90", "b1", "c1", "b1"]);
  });

  test("bound or connected, hear that address and peer alone", () => {
    const heard: string[] = [];
    open({ version: 4, local: Ip.parse("10.7.0.2")!, remote: PEER }, heard);
    arrive(ipv4Packet({ payload: pattern(8), source: 0x0a070009 }));
    arrive(ipv4Packet({ payload: pattern(8), source: 0x0a070008 }));
    expect(heard).toEqual(["17"]);
  });

  test("all closed, cost nothing; too many or for nothing, are refused", () => {
    const sockets = [1, 2, 3].map((protocol) => open({ version: 4, protocol }));
    const code = (options: RawOptions) => {
      const socket = raw.open(options, { onPacket() {} });
      return socket instanceof NetError ? socket.code : "open";
    };
    expect(code({ version: 4 })).toBe("EMFILE");
    for (const socket of sockets) socket.close();
    sockets[0]!.close();
    expect(below.watcher).toBeNull();
    expect(code({ version: 4, protocol: 256 })).toBe("EINVAL");
    expect(code({ version: 4, local: PEER })).toBe("EADDRNOTAVAIL");
    expect(sockets[0]!.send(pattern(8), 0, 8, PEER)).toBe("closed");
  });

  test("that send ICMPv6, have it summed; other protocols where asked", () => {
    open({ version: 6, protocol: 58 }).send(pattern(9), 0, 9, PEER6);
    open({ version: 6, protocol: 89, checksumOffset: 12 }).send(pattern(24), 0, 24, PEER6);
    for (const { packet, source, destination, protocol } of below.sent) {
      const pseudo = pseudoSumOf(source, destination, protocol, packet.length);
      expect(verifies(packet.view, packet.start, packet.end, pseudo)).toBe(true);
    }
    expect(below.sent).toHaveLength(2);
    expect(
      open({ version: 6, protocol: 89, checksumOffset: 12 }).send(pattern(9), 0, 9, PEER6),
    ).toBe("malformed");
  });

  test("with headers of their own, send them with what was left out filled in", () => {
    const socket = open({ version: 4, headerIncluded: true });
    const { bytes, start, end, view } = ipv4Packet({ payload: pattern(30) });
    view.setUint16(start + 2, 0);
    view.setUint16(start + 10, 0);
    view.setUint32(start + 12, 0);
    expect(socket.send(bytes, start, end)).toBe("sent");
    const [sent] = below.whole;
    const ip = new Ipv4View();
    expect(ip.wrap(sent!.view, sent!.start, sent!.end)).toBe("ok");
    expect([ip.checksumVerifies, ip.source, ip.totalLength]).toEqual([true, 0x0a070002, 50]);
    expect(socket.send(bytes, start, start + 19)).toBe("malformed");
    bytes[start] = 0x4f;
    expect(socket.send(bytes, start, start + 40)).toBe("malformed");
  });
});

describe("a packet socket", () => {
  test("on an interface, sees all frames, injects one, and closed does neither", () => {
    const seen: string[] = [];
    const socket = new PacketSocket(eth, {
      onFrame: (packet, direction) => void seen.push(`${direction} ${packet.length}`),
    });
    eth.receive(ipv4Packet({ payload: pattern(10) }));
    expect(socket.inject(pattern(60), 0, 60)).toBe("sent");
    expect(socket.inject(pattern(66_000), 0, 66_000)).toBe("too-big");
    socket.close();
    eth.receive(ipv4Packet({ payload: pattern(10) }));
    expect(socket.inject(pattern(60), 0, 60)).toBe("closed");
    expect(seen).toEqual(["in 30", "out 60"]);
  });
});

describe("a capture", () => {
  function capture(options = {}) {
    const chunks: Buffer[] = [];
    const sink = {
      write: (b: Uint8Array, s: number, e: number) => void chunks.push(Buffer.from(b.slice(s, e))),
    };
    const made = new Capture(context, sink, options);
    return { made, read: () => readPcapng(Buffer.concat(chunks)) };
  }

  test("of two interfaces, says which, when and which way; stopped, no more", () => {
    const other = silentInterface(context, 2);
    other.setUp(true);
    const { made, read } = capture({ epoch: 1_000_000_000_000_000 });
    made.add(eth);
    made.add(other);
    made.add(eth);
    eth.receive(ipv4Packet({ payload: pattern(10) }));
    context.pass(seconds(1));
    other.transmit(ipv4Packet({ payload: pattern(20) }));
    made.stop();
    eth.receive(ipv4Packet({ payload: pattern(10) }));
    const [section] = read().sections;
    expect(section!.interfaces.map(({ name, linkType }) => [name, linkType])).toEqual([
      ["eth1", 101],
      ["eth2", 101],
    ]);
    const facts = section!.packets.map((one) => [
      one.interfaceId,
      one.octets.length,
      one.direction,
      Number(one.timestamp),
    ]);
    const zero = 1_000_000_001_000_000;
    expect(facts).toEqual([
      [0, 30, 1, zero],
      [1, 40, 2, zero + 1_000_000],
    ]);
  });

  test("of a partial checksum, has the whole one; the packet keeps its own", () => {
    const { made, read } = capture();
    made.add(eth);
    const packet = ipv4Packet({ payload: new Uint8Array(8) });
    packet.checksum = "partial";
    packet.checksumStart = packet.start + 20;
    packet.checksumOffset = 6;
    packet.view.setUint16(packet.start + 26, 0x0102);
    eth.transmit(packet);
    expect([packet.view.getUint16(packet.start + 26), packet.checksum]).toEqual([
      0x0102,
      "partial",
    ]);
    expect([...read().sections[0]!.packets[0]!.octets.subarray(26, 28)]).toEqual([0xfe, 0xfd]);
  });

  test("that is full, counts what it leaves out; with a snap length, cuts", () => {
    const few = capture({ maxPackets: 2, snapLength: 25 });
    const small = capture({ maxBytes: 300 });
    few.made.add(eth);
    small.made.add(eth);
    for (let i = 0; i < 5; i++) eth.receive(ipv4Packet({ payload: pattern(100) }));
    expect([few.made.packets, few.made.dropped]).toEqual([2, 3]);
    const { packets } = few.read().sections[0]!;
    expect(packets.map(({ octets }) => octets.length)).toEqual([25, 25]);
    expect(small.made.dropped).toBeGreaterThan(0);
    expect(small.made.bytes).toBeLessThan(300 + 200);
  });
});
