import { describe, expect, test } from "vitest";
import { pseudoSumV4 } from "../../wire/checksum.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { Ipv4View } from "../../wire/ipv4.ts";
import { fillUdpChecksum, UDP_PROTOCOL } from "../../wire/udp.ts";
import { Host, packetOf } from "../ip/testing/host.ts";
import {
  datagram,
  icmpv4,
  icmpv6,
  type PacketSpec,
  packetBytes,
  readIpv4,
  readIpv6,
} from "../ip/testing/packets.ts";

const host = (limits = {}): Host => {
  const made = new Host(
    [{ name: "eth0", addresses: ["10.0.0.1/24", "2001:db8::1/64", "fe80::1/64"] }],
    limits,
  );
  made.internet.register({
    protocol: IpProtocol.udp,
    handlePacket: () => "port-unreachable",
    handleIcmpError: () => false,
  });
  return made;
};

const data = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i & 0xff);

describe("echo", () => {
  test.each([0, 1, 56, 1472, 1473, 9000, 65_507])("ipv4, %i bytes, come back", (length) => {
    const made = host();
    const request = {
      kind: "echo-request",
      identifier: 7,
      sequence: 9,
      data: data(length),
    } as const;
    const spec = { source: "10.0.0.2", destination: "10.0.0.1", protocol: IpProtocol.icmp };
    made.receive("eth0", packetBytes({ ...spec, payload: icmpv4(request) }));
    const replies = made.take().map(({ packet }) => readIpv4(packet));
    const whole = new Uint8Array(8 + length);
    for (const { payload, fragmentOffset } of replies) whole.set(payload, fragmentOffset);
    expect(whole).toEqual(icmpv4({ ...request, kind: "echo-reply" }));
    expect(replies.length).toBe(Math.ceil((length + 8) / 1480));
    expect(replies[0]).toMatchObject({ source: "10.0.0.1", destination: "10.0.0.2", ttl: 64 });
  });

  test.each([
    ["2001:db8::1", "2001:db8::2", "2001:db8::1"],
    ["fe80::1", "fe80::2", "fe80::1"],
    ["ff02::1", "fe80::2", "fe80::1"],
  ])("ipv6 to %s from %s is answered from %s", (to, from, source) => {
    const made = host();
    const request = { kind: "echo-request", identifier: 7, sequence: 9, data: data(40) } as const;
    const payload = icmpv6(request, from, to);
    const spec = { source: from, destination: to, protocol: IpProtocol.icmpv6, payload };
    made.receive("eth0", packetBytes(spec));
    const reply = readIpv6(made.take()[0]!.packet);
    expect(reply).toMatchObject({ source, destination: from });
    expect(reply.payload).toEqual(icmpv6({ ...request, kind: "echo-reply" }, source, from));
  });

  test("an ipv4 request to all, or with a bad checksum, is not answered", () => {
    const made = host();
    const request = { kind: "echo-request", identifier: 7, sequence: 9, data: data(8) } as const;
    const payload = icmpv4(request);
    const spec = { source: "10.0.0.2", destination: "10.0.0.255", protocol: IpProtocol.icmp };
    made.receive("eth0", packetBytes({ ...spec, payload }));
    payload[9]! ^= 1;
    made.receive("eth0", packetBytes({ ...spec, destination: "10.0.0.1", payload }));
    expect(made.take()).toEqual([]);
  });

  test("a flood, beyond the burst, is answered at the rate of the limit", () => {
    const made = host({ echoReplyBurst: 5, echoRepliesPerSecond: 10 });
    const request = { kind: "echo-request", identifier: 7, sequence: 9, data: data(8) } as const;
    const payload = icmpv4(request);
    const spec = { source: "10.0.0.2", destination: "10.0.0.1", protocol: 1, payload };
    for (let i = 0; i < 50; i++) made.receive("eth0", packetBytes(spec));
    expect(made.take()).toHaveLength(5);
    made.context.pass(200_000 as never);
    for (let i = 0; i < 50; i++) made.receive("eth0", packetBytes(spec));
    expect(made.take()).toHaveLength(2);
  });
});

const icmpError = (kind: "unreachable" | "time-exceeded"): Uint8Array =>
  kind === "unreachable"
    ? icmpv4({ kind, code: 1, nextHopMtu: 0, data: datagram(28) })
    : icmpv4({ kind, code: 0, data: datagram(28) });

describe("errors", () => {
  const base = { source: "10.0.0.2", destination: "10.0.0.1" };
  // RFC 1122 §3.2.2; in a frame to us alone, as nothing else tells of a group that we do not hear.
  test.each([
    ["10.0.0.1", 12],
    ["224.0.0.1", null],
    ["239.9.9.9", null],
  ])("an option that is too long, to %s: type %s", (destination, type) => {
    const made = host();
    const bytes = packetBytes({ ...base, destination, options: [{ type: 68, data: data(2) }] });
    bytes[21] = 40;
    const view = new Ipv4View();
    view.wrap(new DataView(bytes.buffer, bytes.byteOffset), 0, bytes.length);
    view.fillChecksum();
    made.receive("eth0", bytes);
    const sent = made.take().map(({ packet }) => readIpv4(packet).payload[0]);
    expect(sent).toEqual(type === null ? [] : [type]);
  });

  const v6 = { source: "2001:db8::2", destination: "2001:db8::1" };
  const table: readonly [string, PacketSpec, boolean, readonly [number, number] | null][] = [
    ["udp to a closed port", base, false, [3, 3]],
    ["an unknown protocol", { ...base, protocol: 99 }, false, [3, 2]],
    [
      "an unknown protocol in an icmp error",
      { ...base, protocol: 1, payload: icmpError("unreachable") },
      false,
      null,
    ],
    ["time exceeded", { ...base, protocol: 1, payload: icmpError("time-exceeded") }, false, null],
    ["udp to the broadcast", { ...base, destination: "10.0.0.255" }, false, null],
    ["udp to a group", { ...base, destination: "224.0.0.1" }, false, null],
    ["udp in a frame to all", { ...base, destination: "255.255.255.255" }, true, null],
    ["udp from nobody", { source: "0.0.0.0", destination: "255.255.255.255" }, false, null],
    ["ipv6 udp to a closed port", v6, false, [1, 4]],
    ["an unknown next header", { ...v6, protocol: 99 }, false, [4, 1]],
    [
      "no next header",
      { ...v6, protocol: IpProtocol.noNext, payload: new Uint8Array(0) },
      false,
      null,
    ],
    ["ipv6 udp to a group", { ...v6, destination: "ff02::1" }, false, null],
    ["ipv6 udp from ::", { source: "::", destination: "ff02::1" }, false, null],
    ["routing header 0", { ...v6, protocol: 43, payload: routing(0, 1) }, false, [4, 0]],
    [
      "a routing header that is done",
      { ...v6, protocol: 43, payload: routing(0, 0) },
      false,
      [1, 4],
    ],
    ["option 0x3e: skip", { ...v6, protocol: 60, payload: option(0x3e) }, false, [1, 4]],
    ["option 0x7e: discard", { ...v6, protocol: 60, payload: option(0x7e) }, false, null],
    ["option 0xbe: report", { ...v6, protocol: 60, payload: option(0xbe) }, false, [4, 2]],
    ["option 0xfe: report", { ...v6, protocol: 60, payload: option(0xfe) }, false, [4, 2]],
    [
      "option 0xbe to a group: report",
      { ...v6, destination: "ff02::1", protocol: 60, payload: option(0xbe) },
      true,
      [4, 2],
    ],
    [
      "option 0xfe to a group: silence",
      { ...v6, destination: "ff02::1", protocol: 60, payload: option(0xfe) },
      true,
      null,
    ],
    [
      "hop-by-hop after another header",
      { ...v6, protocol: 60, payload: option(0x3e, 0) },
      false,
      [4, 1],
    ],
  ];
  test.each(table)("%s", (_what, spec, linkGroup, expected) => {
    const made = host();
    const bytes = packetBytes(spec);
    const whole = new Uint8Array(bytes);
    made.receive("eth0", packetOf(bytes), linkGroup);
    const [sent, more] = made.take();
    expect(more).toBeUndefined();
    if (expected === null) return expect(sent).toBeUndefined();
    const read = sent!.packet.view.getUint8(sent!.packet.start) >>> 4 === 4 ? readIpv4 : readIpv6;
    const { payload, destination } = read(sent!.packet);
    expect(destination).toBe(spec.source);
    expect([payload[0], payload[1]]).toEqual(expected);
    expect(payload.slice(8)).toEqual(whole);
  });

  test("a long packet is quoted up to 576 or 1280 bytes", () => {
    const made = host();
    made.receive("eth0", packetBytes({ ...base, payload: datagram(1400) }));
    made.receive("eth0", packetBytes({ ...v6, payload: datagram(1400) }));
    expect(made.take().map(({ packet }) => packet.length)).toEqual([576, 1280]);
  });

  test.each([16, 1_400])(
    "a packet of %i bytes whose sum was left to the device is quoted with it",
    (length) => {
      const made = host();
      const finished = datagram(length);
      const view = new DataView(finished.buffer);
      const pseudo = pseudoSumV4(0x0a00_0002, 0x0a00_0001, UDP_PROTOCOL, length);
      fillUdpChecksum(view, 0, length, pseudo);
      const packet = packetOf(packetBytes({ ...base, payload: finished }));
      packet.checksum = "partial";
      packet.checksumStart = packet.start + 20;
      packet.checksumOffset = 6;
      packet.view.setUint16(packet.checksumStart + 6, pseudo);
      made.receive("eth0", packet);
      const { payload } = readIpv4(made.take()[0]!.packet);
      expect(payload.subarray(28)).toEqual(finished.subarray(0, payload.length - 28));
      expect(packet.view.getUint16(packet.checksumStart + 6)).toBe(pseudo);
    },
  );

  test("a flood of bad packets is answered by the burst alone", () => {
    const made = host({ icmpErrorBurst: 3 });
    for (let i = 0; i < 100; i++) made.receive("eth0", packetBytes(base));
    expect(made.take()).toHaveLength(3);
    expect(made.internet.icmpCounters4.outSuppressed).toBe(97);
  });
});

/** A routing header before UDP. */
function routing(type: number, segmentsLeft: number): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set([IpProtocol.udp, 0, type, segmentsLeft]);
  bytes.set(datagram(), 8);
  return bytes;
}

/** Destination options with one of that type before UDP, or what `next` says. */
function option(type: number, next: number = IpProtocol.udp): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set([next, 0, type, 4]);
  bytes.set(datagram(), 8);
  return bytes;
}
