import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { UdpView } from "../../wire/udp.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import { pattern } from "../fragments/testing/ip-packets.ts";
import { VirtualContext } from "../fragments/testing/virtual-context.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import type { Cast } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { UdpHandler, UdpOptions } from "./endpoint.ts";
import { icmpError, inboundDatagram } from "./testing/datagrams.ts";
import { RecordingIp, type Submitted, silentInterface } from "./testing/recording-ip.ts";
import { UdpLayer } from "./udp-layer.ts";
import type { UdpSocket } from "./udp-socket.ts";

const seed = 768;
const ip = (text: string): Ip => Ip.parse(text)!;
const OURS = ip("10.7.0.2");
const OURS6 = ip("fd07::2");
const PEER = ip("10.7.0.9");
const PEER6 = ip("fd07::9");
const GROUP = ip("239.1.2.3");

/** A handler that writes down what it hears. */
class Ear implements UdpHandler {
  readonly heard: string[] = [];
  readonly errors: string[] = [];
  writable = 0;
  onMessage(bytes: Uint8Array, start: number, end: number): void {
    this.heard.push(Buffer.from(bytes.subarray(start, end)).toString("latin1"));
  }
  onError(error: NetError): void {
    this.errors.push(error.code);
  }
  onWritable(): void {
    this.writable++;
  }
}

let context: VirtualContext;
let eth: Interface;
let below: RecordingIp;
let udp: UdpLayer;

function setUp(limits = {}, offload = { checksum: false, tcpV4: false, tcpV6: false, udp: false }) {
  context = new VirtualContext(limits);
  eth = silentInterface(context, 1, offload);
  below = new RecordingIp(eth);
  udp = new UdpLayer(context, below);
}

beforeEach(() => setUp());

function open(options: UdpOptions = {}, ear: UdpHandler = new Ear()): UdpSocket {
  const socket = udp.open(options, ear);
  if (socket instanceof NetError) throw socket;
  return socket;
}

const codeOf = (options: UdpOptions): string => {
  const socket = udp.open(options, new Ear());
  return socket instanceof NetError ? socket.code : "open";
};

function arrive(
  text: string,
  to: Ip,
  port: number,
  more: { from?: Ip; cast?: Cast; on?: Interface; sourcePort?: number } = {},
) {
  const payload = Uint8Array.from(Buffer.from(text, "latin1"));
  const source = more.from ?? (to.version === 4 ? PEER : PEER6);
  const inbound = inboundDatagram({
    source,
    sourcePort: more.sourcePort ?? 4_000,
    destination: to,
    destinationPort: port,
    payload,
    from: more.on ?? eth,
    ...(more.cast === undefined ? {} : { cast: more.cast }),
  });
  return { inbound, deliver: () => udp.handlePacket(inbound) };
}

const give = (...args: Parameters<typeof arrive>) => arrive(...args).deliver();
const hello = Uint8Array.from(Buffer.from("hello"));

function datagramOf({ packet, source, destination }: Submitted) {
  const view = new UdpView();
  expect(view.wrap(packet.view, packet.start, packet.end)).toBe("ok");
  const sums = view.checksumHolds(pseudoSumOf(source, destination, 17, view.length));
  const bytes = packet.bytes.subarray(view.payloadStart, view.payloadEnd);
  return { view, sums, text: Buffer.from(bytes).toString() };
}

describe("a bound socket", () => {
  test("not connected, sent to, hears it with its sender; nobody there: port unreachable", () => {
    let from = "";
    const handler: UdpHandler = {
      onMessage(_bytes, _start, _end, sender) {
        from = `${sender.ip} ${sender.port} ${sender.destination} ${sender.interface.name}`;
      },
      onError() {},
    };
    open({ local: { port: 53 } }, handler);
    expect(give("x", OURS, 53)).toBe("taken");
    expect(from).toBe("10.7.0.9 4000 10.7.0.2 eth1");
    expect(give("x", OURS, 54)).toBe("port-unreachable");
  });

  test("to ::, given IPv4, hears it unless it wants IPv6 alone", () => {
    const both = new Ear();
    const only = new Ear();
    open({ local: { ip: ip("::"), port: 53 } }, both);
    open({ local: { ip: ip("::"), port: 54 }, ipv6Only: true }, only);
    for (const port of [53, 54]) for (const to of [OURS, OURS6]) give(`${to.version}`, to, port);
    expect([both.heard, only.heard]).toEqual([["4", "6"], ["6"]]);
  });

  test("on a port in use, opened, is refused unless address, version, interface or consent differ", () => {
    expect(codeOf({ local: { port: 53 } })).toBe("open");
    expect(codeOf({ local: { port: 53 } })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: OURS, port: 53 } })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: OURS, port: 54 } })).toBe("open");
    expect(codeOf({ local: { ip: ip("::"), port: 54 }, ipv6Only: true })).toBe("open");
    expect(codeOf({ local: { ip: ip("0.0.0.0"), port: 54 }, reusePort: true })).toBe("EADDRINUSE");
    expect(codeOf({ local: { port: 55 }, reusePort: true })).toBe("open");
    expect(codeOf({ local: { port: 55 }, reusePort: true })).toBe("open");
    expect(codeOf({ local: { port: 55 }, reuseAddress: true })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: ip("192.0.2.1"), port: 56 } })).toBe("EADDRNOTAVAIL");
    expect(codeOf({ local: { ip: ip("192.0.2.1"), port: 56 }, transparent: true })).toBe("open");
    expect(codeOf({ local: { port: 70_000 } })).toBe("EINVAL");
  });

  test("closed, sent to, is gone; its port is free again", () => {
    const socket = open({ local: { port: 53 } });
    socket.close();
    socket.close();
    expect(give("x", OURS, 53)).toBe("port-unreachable");
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 1 })).toBe("closed");
    expect([udp.size, codeOf({ local: { port: 53 } })]).toEqual([0, "open"]);
  });

  test("beyond the bound of sockets, opened, is refused", () => {
    setUp({ sockets: 2 });
    const codes = [1, 2, 3].map((port) => codeOf({ local: { port } }));
    expect(codes).toEqual(["open", "open", "EMFILE"]);
  });

  test("among others with reusePort, has flows of its own, each always the same one", () => {
    const ears = [0, 1, 2, 3].map(() => new Ear());
    for (const ear of ears) open({ local: { port: 53 }, reusePort: true }, ear);
    for (let round = 0; round < 2; round++) {
      for (let port = 1; port <= 400; port++) give(`${port}`, OURS, 53, { sourcePort: port });
    }
    for (const { heard } of ears) {
      expect(heard.length).toBeGreaterThan(100);
      const half = heard.length / 2;
      expect(heard.slice(half)).toEqual(heard.slice(0, half));
    }
  });
});

/** Which of these sockets a datagram belongs to, said plainly. */
test("any set of sockets, sent to, has it delivered to the one that says most about it", () => {
  const addresses = [null, OURS, OURS6, ip("::"), ip("0.0.0.0")] as const;
  const options = fc.record({
    local: fc.constantFrom(...addresses),
    remote: fc.constantFrom(null, PEER, PEER6),
    bound: fc.boolean(),
    ipv6Only: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(options, { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      (list, v6, near) => {
        setUp();
        const other = silentInterface(context, 2);
        const opened: { ear: Ear; score: number }[] = [];
        for (const { local, remote, bound, ipv6Only } of list) {
          const ear = new Ear();
          const socket = udp.open(
            {
              local: { port: 53, ...(local === null ? {} : { ip: local }) },
              ...(remote === null ? {} : { remote: { ip: remote, port: 4_000 } }),
              ...(bound ? { interface: eth } : {}),
              ipv6Only,
            },
            ear,
          );
          if (socket instanceof NetError) continue;
          const version = v6 ? 6 : 4;
          const specific = local !== null && !local.isUnspecified;
          const families = new Set(
            remote !== null
              ? [remote.version]
              : specific
                ? [local.version]
                : local?.version === 4
                  ? [4]
                  : ipv6Only
                    ? [6]
                    : [4, 6],
          );
          const fits = families.has(version) && (!bound || near);
          const rank = [remote !== null, specific, bound, families.size === 1];
          opened.push({
            ear,
            score: fits ? rank.reduce((sum, yes, i) => sum + (yes ? 8 >> i : 0), 0) : -1,
          });
        }
        const verdict = give("x", v6 ? OURS6 : OURS, 53, { on: near ? eth : other });
        const best = Math.max(-1, ...opened.map(({ score }) => score));
        expect(verdict).toBe(best < 0 ? "port-unreachable" : "taken");
        const hearers = opened.filter(({ ear }) => ear.heard.length > 0);
        expect(hearers.map(({ score }) => score)).toEqual(best < 0 ? [] : [best]);
      },
    ),
    { seed, numRuns: 500 },
  );
});

describe("checksums", () => {
  test.each([
    ["IPv4, none", OURS, 0, "complete", 1],
    ["IPv6, none", OURS6, 0, "complete", 0],
    ["IPv4, wrong", OURS, 0x1234, "complete", 0],
    ["IPv4, wrong, but the device vouches", OURS, 0x1234, "verified", 1],
    ["IPv6, left out by this machine", OURS6, 0x1234, "partial", 1],
  ] as const)("%s", (_, to, checksum, state, heard) => {
    const ear = new Ear();
    open({ local: { port: 53 } }, ear);
    const { inbound, deliver } = arrive("x", to, 53);
    inbound.packet.view.setUint16(inbound.payloadStart + 6, checksum);
    inbound.packet.checksum = state;
    expect(deliver()).toBe("taken");
    expect([ear.heard.length, udp.counters.inErrors]).toEqual([heard, 1 - heard]);
  });

  test("of a datagram shorter than its packet, looked at, cover what it says", () => {
    const ear = new Ear();
    open({ local: { port: 53 } }, ear);
    const { inbound, deliver } = arrive("abc", OURS, 53);
    inbound.payloadEnd += 4;
    deliver();
    expect(ear.heard).toEqual(["abc"]);
  });

  test("of what is sent, hold; one that comes out as zero goes as ones", () => {
    const socket = open({ local: { port: 53 } });
    for (let i = 0; i < 0x1_0000; i += 0x101) {
      socket.send(Uint8Array.of(i >>> 8, i & 0xff), 0, 2, { ip: i & 1 ? PEER : PEER6, port: 9 });
    }
    for (const one of below.sent) expect(datagramOf(one).sums).toBe(true);
    const first = datagramOf(below.sent[0]!).view.checksum;
    below.sent.length = 0;
    socket.send(Uint8Array.of(first >>> 8, first & 0xff), 0, 2, { ip: PEER6, port: 9 });
    expect(datagramOf(below.sent[0]!).view.checksum).toBe(0xffff);
  });

  test("where the device sums, sent, are left to it, but for what will be fragmented", () => {
    setUp({}, { checksum: true, tcpV4: true, tcpV6: true, udp: true });
    const socket = open();
    socket.send(hello, 0, 5, { ip: PEER, port: 9 });
    socket.send(pattern(3_000), 0, 3_000, { ip: PEER, port: 9 });
    expect(below.sent.map(({ packet }) => packet.checksum)).toEqual(["partial", "complete"]);
    expect(datagramOf(below.sent[1]!).sums).toBe(true);
  });
});

describe("a socket that sends", () => {
  test.each([
    ["65,507 bytes over IPv4", PEER, 65_507, "sent"],
    ["65,508 bytes over IPv4", PEER, 65_508, "too-big"],
    ["65,527 bytes over IPv6", PEER6, 65_527, "sent"],
    ["65,528 bytes over IPv6", PEER6, 65_528, "too-big"],
    ["to a broadcast address", ip("10.7.0.255"), 1, "denied"],
    ["to all", ip("255.255.255.255"), 1, "denied"],
  ])("%s", (_, to, length, verdict) => {
    expect(open().send(new Uint8Array(length), 0, length, { ip: to, port: 9 })).toBe(verdict);
  });

  test("with leave, to a broadcast address, and without a route, says so", () => {
    const to = { ip: ip("10.7.0.255"), port: 9 };
    expect(open({ broadcast: true }).send(hello, 0, 5, to)).toBe("sent");
    expect(open().send(hello, 0, 5)).toBe("no-destination");
    expect(open({ local: { ip: OURS } }).send(hello, 0, 5, { ip: PEER6, port: 9 })).toBe(
      "mismatch",
    );
    below.noPath = "no-route";
    expect(open().send(hello, 0, 5, to)).toBe("no-route");
  });

  test("while the device is full, is told when there is room, once", () => {
    const ear = new Ear();
    const socket = open({}, ear);
    below.verdict = "full";
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 9 })).toBe("full");
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 9 })).toBe("full");
    eth.ready();
    eth.ready();
    expect(ear.writable).toBe(1);
  });

  test("to a group, uses the group's hop limit, interface and loop", () => {
    const socket = open();
    const other = silentInterface(context, 2);
    socket.hopLimit = 99;
    socket.send(hello, 0, 5, { ip: GROUP, port: 9 });
    socket.multicastHopLimit = 7;
    socket.multicastInterface = other;
    socket.multicastLoop = false;
    socket.send(hello, 0, 5, { ip: GROUP, port: 9 });
    expect(below.sent.map(({ hopLimit }) => hopLimit)).toEqual([1, 7]);
    expect(below.constraints).toEqual([{}, { interface: other, multicastLoop: false }]);
  });

  test("twice to the same place, asks for the path once", () => {
    const socket = open();
    for (const to of [PEER, PEER6, PEER, PEER6]) socket.send(hello, 0, 5, { ip: to, port: 9 });
    expect(below.constraints).toHaveLength(2);
  });

  test("segments, in any number and size, has all bytes in order in trains the path can carry", () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.integer({ min: 1, max: 3_000 }), (length, size) => {
        setUp();
        const bytes = pattern(length);
        const socket = open();
        expect(socket.sendSegments(bytes, 0, length, size, { ip: PEER, port: 9 })).toBe("sent");
        expect(socket.segmentBytesSent).toBe(length);
        const joined: Uint8Array[] = [];
        for (const { packet } of below.sent) {
          const payload = packet.bytes.slice(packet.start + 8, packet.end);
          joined.push(payload);
          if (packet.gsoType === GsoType.none) expect(payload.length).toBeLessThanOrEqual(size);
          else {
            expect([packet.gsoSize, packet.checksum]).toEqual([size, "partial"]);
            expect(payload.length).toBeLessThanOrEqual(Math.min(64 * size, 65_507));
            expect(size + 28).toBeLessThanOrEqual(1_500);
          }
        }
        expect(Buffer.concat(joined).equals(bytes)).toBe(true);
      }),
      { seed, numRuns: 60 },
    );
  });
});

describe("a connected socket", () => {
  const remote = { ip: PEER, port: 7 };
  const quoted = (from: number, to: number) =>
    Uint8Array.of(from >>> 8, from & 0xff, to >>> 8, to & 0xff, 0, 8, 0, 0);

  test("sent to by its peer and by others, hears its peer alone", () => {
    const ear = new Ear();
    const socket = open({ remote }, ear);
    const { port } = socket.local;
    expect(socket.local.ip.equals(OURS)).toBe(true);
    expect(give("peer", OURS, port, { sourcePort: 7 })).toBe("taken");
    expect(give("port", OURS, port, { sourcePort: 8 })).toBe("port-unreachable");
    expect(give("host", OURS, port, { sourcePort: 7, from: ip("10.7.0.8") })).toBe(
      "port-unreachable",
    );
    expect(ear.heard).toEqual(["peer"]);
  });

  test("whose peer has no such port, is told; what may pass is not an error", () => {
    const ear = new Ear();
    const { local } = open({ remote }, ear);
    const about = quoted(local.port, 7);
    expect(udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, about))).toBe(true);
    expect(udp.handleIcmpError(icmpError("host-unreachable", OURS, PEER, about))).toBe(true);
    // RFC 5927 §4: not about what we sent.
    const forged = quoted(local.port, 8);
    expect(udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, forged))).toBe(false);
    expect(ear.errors).toEqual(["ECONNREFUSED"]);
  });

  test("not connected, errors about what it sent lately and no others are believed", () => {
    const kinds: string[] = [];
    const ear = Object.assign(new Ear(), {
      onIcmpError: ({ kind }: { kind: string }) => kinds.push(kind),
    });
    const socket = open({ local: { port: 53 } }, ear);
    const about = icmpError("packet-too-big", OURS, PEER, quoted(53, 9));
    expect(udp.handleIcmpError(about)).toBe(false);
    socket.send(hello, 0, 5, { ip: PEER, port: 9 });
    expect(udp.handleIcmpError(about)).toBe(true);
    expect(udp.handleIcmpError(icmpError("packet-too-big", OURS, PEER, Uint8Array.of(0)))).toBe(
      false,
    );
    expect([kinds, ear.errors]).toEqual([["packet-too-big"], []]);
  });

  test("of many to one peer, each has another port", () => {
    const ports = Array.from({ length: 300 }, () => open({ remote }).local.port);
    expect(new Set(ports).size).toBe(300);
    for (const port of ports) expect(port).toBeGreaterThanOrEqual(32_768);
    // Where one peer's ports begin says nothing of another's (RFC 6056 §3.3.3).
    const elsewhere = open({ remote: { ip: PEER, port: 8 } }).local.port;
    expect(Math.abs(elsewhere - ports.at(-1)!)).toBeGreaterThan(1);
  });
});

describe("a paused socket", () => {
  test("given more than it may queue, drops the new ones; resumed, has the others in order", () => {
    setUp({ datagramBytes: 3 * (256 + 4) });
    const ear = new Ear();
    const socket = open({ local: { port: 53 } }, ear);
    socket.pause();
    for (let i = 0; i < 5; i++) give(`no ${i}`, OURS, 53);
    expect([ear.heard, socket.queued, socket.dropped]).toEqual([[], 12, 2]);
    socket.resume();
    give("more", OURS, 53);
    expect(ear.heard).toEqual(["no 0", "no 1", "no 2", "more"]);
    expect(socket.queued).toBe(0);
  });

  test("pausing from within, keeps the order", () => {
    const ear = new Ear();
    const socket = open({ local: { port: 53 } }, ear);
    const hear = ear.onMessage.bind(ear);
    ear.onMessage = (...args) => {
      hear(...args);
      socket.pause();
    };
    for (const text of ["a", "b", "c"]) give(text, OURS, 53);
    expect(ear.heard).toEqual(["a"]);
    socket.resume();
    give("d", OURS, 53);
    for (let i = 0; i < 3; i++) socket.resume();
    expect(ear.heard).toEqual(["a", "b", "c", "d"]);
  });
});

describe("what is sent to many", () => {
  test("to a group, is heard by its members on that interface, as their filters have it", () => {
    const other = silentInterface(context, 2);
    const ears = Array.from({ length: 5 }, () => new Ear());
    const sockets = ears.map((ear) => open({ local: { port: 9 }, reuseAddress: true }, ear));
    sockets[0]!.joinGroup(GROUP, eth);
    sockets[1]!.joinGroup(GROUP, eth, { mode: "include", sources: [PEER] });
    sockets[2]!.joinGroup(GROUP, eth, { mode: "exclude", sources: [PEER] });
    sockets[3]!.joinGroup(GROUP, other);
    give("peer", GROUP, 9);
    give("else", GROUP, 9, { from: ip("10.7.0.8") });
    expect(ears.map(({ heard }) => heard)).toEqual([["peer", "else"], ["peer"], ["else"], [], []]);
    expect(sockets[1]!.setGroupFilter(GROUP, eth, { mode: "include", sources: [] })).toBe(true);
    sockets[0]!.close();
    expect(eth.groups.filterOf(GROUP)).toEqual({ mode: "exclude", sources: [PEER] });
    sockets[2]!.leaveGroup(GROUP, eth);
    expect([eth.groups.has(GROUP), give("x", GROUP, 9)]).toEqual([false, "taken"]);
  });

  test("to all, is heard by those that are bound to no other address; one may close in the middle", () => {
    const ears = Array.from({ length: 3 }, () => new Ear());
    const options = { local: { port: 9 }, reuseAddress: true };
    const sockets = ears.map((ear) => open(options, ear));
    const specific = new Ear();
    open({ local: { ip: OURS, port: 9 }, reuseAddress: true }, specific);
    ears[0]!.onMessage = () => {
      sockets[0]!.close();
      sockets[1]!.close();
    };
    give("x", ip("255.255.255.255"), 9, { cast: "broadcast" });
    expect([...ears, specific].map(({ heard }) => heard)).toEqual([[], [], ["x"], []]);
  });

  test("to a group of which every node is a member, needs no joining", () => {
    const ear = new Ear();
    open({ local: { port: 9 } }, ear);
    give("4", ip("224.0.0.1"), 9);
    give("6", ip("ff02::1"), 9);
    give("none", ip("ff02::2"), 9);
    expect(ear.heard).toEqual(["4", "6"]);
  });
});

test("a merged datagram, arrived, is handed up in its parts", () => {
  const ear = new Ear();
  open({ local: { port: 53 } }, ear);
  const { inbound, deliver } = arrive("aaaabbbbcc", OURS, 53);
  inbound.packet.gsoType = GsoType.udpSegments;
  inbound.packet.gsoSize = 4;
  deliver();
  expect(ear.heard).toEqual(["aaaa", "bbbb", "cc"]);
});

test("a system port, sent to on its interface, has it before any socket, ours or not", () => {
  const ear = new Ear();
  open({ local: { port: 68 } }, ear);
  const got: string[] = [];
  const release = udp.bindSystemPort(eth, 68, ({ packet }, sourcePort, start, end) => {
    got.push(`${sourcePort} ${Buffer.from(packet.bytes.subarray(start, end))}`);
  });
  give("offer", ip("255.255.255.255"), 68, { cast: "broadcast", sourcePort: 67 });
  const offered = arrive("ack", ip("10.7.0.77"), 68, { sourcePort: 67 }).inbound;
  expect(udp.takeUnassigned(offered)).toBe(true);
  expect(udp.takeUnassigned(arrive("x", ip("10.7.0.77"), 69).inbound)).toBe(false);
  give("elsewhere", OURS, 68, { on: silentInterface(context, 2) });
  release();
  give("late", OURS, 68);
  expect(udp.takeUnassigned(offered)).toBe(false);
  expect([got, ear.heard]).toEqual([
    ["67 offer", "67 ack"],
    ["elsewhere", "late"],
  ]);
  udp.sendOn(eth, ip("0.0.0.0"), 68, ip("255.255.255.255"), 67, hello, 0, 5);
  const { view, sums, text } = datagramOf(below.sent[0]!);
  expect([view.sourcePort, view.destinationPort, sums, text]).toEqual([68, 67, true, "hello"]);
});

test("any bytes as a datagram or an error, given, never throw", () => {
  open({ local: { port: 53 } });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, trusted) => {
      const { inbound, deliver } = arrive("x", OURS, 53);
      inbound.packet.bytes.set(bytes, inbound.payloadStart);
      inbound.payloadEnd = inbound.payloadStart + bytes.length;
      if (trusted) inbound.packet.checksum = "partial";
      deliver();
      udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, bytes));
    }),
    { seed, numRuns: 2_000 },
  );
});
