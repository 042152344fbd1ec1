import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { pseudoSumV4, pseudoSumWords } from "../../src/wire/checksum.ts";
import { Dhcp4MessageType, Dhcp4Operation, emitDhcp4 } from "../../src/wire/dhcp4.ts";
import { NO_DHCP4_OPTIONS } from "../../src/wire/dhcp4-options.ts";
import { Dhcp6MessageType, emitDhcp6 } from "../../src/wire/dhcp6.ts";
import { NO_DHCP6_OPTIONS } from "../../src/wire/dhcp6-options.ts";
import { type DnsRepr, emitDns } from "../../src/wire/dns.ts";
import { type DnsData, DnsType } from "../../src/wire/dns-data.ts";
import { dnsName } from "../../src/wire/dns-name.ts";
import { NO_SVCB_PARAMS } from "../../src/wire/dns-svcb.ts";
import { DnsFlag } from "../../src/wire/dns-view.ts";
import { IpProtocol } from "../../src/wire/ip-protocol.ts";
import { emitIpv4 } from "../../src/wire/ipv4.ts";
import { emitIpv6 } from "../../src/wire/ipv6.ts";
import type { Ipv6Words } from "../../src/wire/ipv6-address.ts";
import { LinkType, PacketDirection, PcapngWriter } from "../../src/wire/pcapng.ts";
import { seq } from "../../src/wire/seq.ts";
import { emitTcp, fillTcpChecksum, TcpFlag } from "../../src/wire/tcp.ts";
import { NO_TCP_OPTIONS, type TcpOptions } from "../../src/wire/tcp-options.ts";
import { emitUdp, fillUdpChecksum } from "../../src/wire/udp.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { requireTool } from "../support/tools.ts";

const source = 0x0a00_0002;
const destination = 0x0a00_0001;
const source6: Ipv6Words = [0x2001_0db8, 0, 0, 2];
const destination6: Ipv6Words = [0x2001_0db8, 0, 0, 1];

/** Writes at `at` and returns the end. */
type Emit = (dv: DataView, at: number) => number;

/** An IPv4 packet of bytes that `emit` writes and of which `fill` sums. */
function ipv4(protocol: number, emit: Emit, fill: typeof fillTcpChecksum): Uint8Array {
  const dv = new DataView(new ArrayBuffer(2000));
  const payloadLength = emit(dv, 0);
  const header = {
    ...{ dscp: 0, ecn: 0, identification: 7, dontFragment: true, moreFragments: false },
    ...{ fragmentOffset: 0, ttl: 64, protocol, source, destination, options: [], payloadLength },
  };
  const start = emitIpv4(header, dv, 0);
  const end = emit(dv, start);
  fill(dv, start, end, pseudoSumV4(source, destination, protocol, end - start));
  return new Uint8Array(dv.buffer, 0, end);
}

function ipv6(protocol: number, emit: Emit, fill: typeof fillTcpChecksum): Uint8Array {
  const dv = new DataView(new ArrayBuffer(2000));
  const payloadLength = emit(dv, 0);
  const header = {
    ...{ dscp: 0, ecn: 0, flowLabel: 0, payloadLength, nextHeader: protocol, hopLimit: 64 },
    ...{ source: source6, destination: destination6 },
  };
  const start = emitIpv6(header, dv, 0);
  const end = emit(dv, start);
  fill(dv, start, end, pseudoSumWords(source6, destination6, protocol, end - start));
  return new Uint8Array(dv.buffer, 0, end);
}

/** A datagram around what `emit` writes. */
function udp(sourcePort: number, destinationPort: number, emit: Emit): Emit {
  return (dv, at) => {
    const payloadLength = emit(new DataView(new ArrayBuffer(1900)), 0);
    return emit(dv, emitUdp({ sourcePort, destinationPort, payloadLength }, dv, at));
  };
}

function tcp(flags: number, options: Partial<TcpOptions>): Emit {
  const repr = {
    ...{ sourcePort: 4000, destinationPort: 9999, sequence: seq(1000), acknowledgment: seq(0) },
    ...{ flags, window: 65_535, urgentPointer: 0, payloadLength: 0 },
    options: { ...NO_TCP_OPTIONS, ...options },
  };
  return (dv, at) => emitTcp(repr, dv, at);
}

const name = dnsName("www.example.com")!;
const answers: readonly DnsData[] = [
  { type: "CNAME", name: dnsName("web.example.com")! },
  { type: "A", address: destination },
  { type: "AAAA", address: destination6 },
  { type: "NS", name: dnsName("ns.example.com")! },
  {
    ...{ type: "SOA", primary: dnsName("ns.example.com")!, mailbox: dnsName("a.example.com")! },
    ...{ serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
  },
  { type: "MX", preference: 10, exchange: dnsName("mail.example.com")! },
  { type: "TXT", strings: [Buffer.from("one"), Buffer.from("two")] },
  { type: "SRV", priority: 1, weight: 2, port: 443, target: name },
  {
    ...{ type: "HTTPS", priority: 1, target: dnsName("svc.example.com")! },
    params: { ...NO_SVCB_PARAMS, mandatory: [3], alpn: ["h2", "h3"], port: 8443, ipv4Hints: [7] },
  },
];
const dns: DnsRepr = {
  ...{ id: 7, flags: DnsFlag.response | DnsFlag.recursionAvailable, opcode: 0, rcode: 0 },
  questions: [{ name, type: DnsType.A, class: 1 }],
  answers: answers.map((data) => ({ name, class: 1, ttl: 60, data })),
  ...{ authorities: [], additionals: [] },
  edns: {
    ...{ udpPayloadSize: 1232, version: 0, dnssecOk: true },
    options: [{ code: 12, value: new Uint8Array(3) }],
  },
};

const ack = {
  ...{ operation: Dhcp4Operation.reply, messageType: Dhcp4MessageType.ack, hops: 0 },
  ...{ transactionId: 9, seconds: 1, broadcast: true, clientAddress: 0, yourAddress: source },
  ...{ nextServer: 0, relay: 0, clientMac: 0x0200_0000_0002, serverName: "srv", bootFile: "/f" },
  options: {
    ...NO_DHCP4_OPTIONS,
    ...{ leaseTime: 3600, serverIdentifier: destination, subnetMask: 0xffff_ff00 },
    ...{ nameServers: [destination], domainSearch: [dnsName("example.com")!, name] },
    classlessRoutes: [{ destination: 0x0a09_0000, prefixLength: 16, router: destination }],
  },
};

const reply = {
  ...{ messageType: Dhcp6MessageType.reply, transactionId: 3 },
  options: {
    ...NO_DHCP6_OPTIONS,
    clientIdentifier: Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 2),
    serverIdentifier: Uint8Array.of(0, 3, 0, 1, 2, 0, 0, 0, 0, 1),
    ...{ status: { code: 0, message: Buffer.from("ok") }, nameServers: [destination6] },
    ...{ domainSearch: [name], informationRefreshTime: 86_400, informationMaxRt: 3600 },
  },
};

const syn = tcp(TcpFlag.syn, {
  ...{ maximumSegmentSize: 1460, sackPermitted: true, timestamps: { value: 5, echo: 0 } },
  ...{ windowScale: 7, fastOpen: new Uint8Array(0), userTimeout: { unit: "minutes", value: 2 } },
});
const sack = tcp(TcpFlag.ack, {
  timestamps: { value: 6, echo: 5 },
  sack: [{ start: seq(10), end: seq(20) }],
});

/** Each packet with values that Wireshark is to find in it. */
const packets: readonly (readonly [Uint8Array, Readonly<Record<string, string>>])[] = [
  [
    ipv4(IpProtocol.tcp, syn, fillTcpChecksum),
    {
      "tcp.options.mss_val": "1460",
      "tcp.options.wscale.shift": "7",
      "tcp.options.timestamp.tsval": "5",
      "tcp.options.user_to_val": "2",
    },
  ],
  [
    ipv6(IpProtocol.tcp, sack, fillTcpChecksum),
    { "tcp.options.sack_le": "10", "tcp.options.sack_re": "20" },
  ],
  [
    ipv4(
      IpProtocol.udp,
      udp(53, 4001, (dv, at) => emitDns(dns, dv, at)),
      fillUdpChecksum,
    ),
    {
      "dns.count.answers": "9",
      "dns.cname": "web.example.com",
      "dns.a": "10.0.0.1",
      "dns.aaaa": "2001:db8::1",
      "dns.soa.rname": "a.example.com",
      "dns.mx.mail_exchange": "mail.example.com",
      "dns.txt": "one,two",
      "dns.srv.target": "www.example.com",
      "dns.svcb.svcparam.alpn": "h2,h3",
      "dns.svcb.svcparam.port": "8443",
      "dns.rr.udp_payload_size": "1232",
    },
  ],
  [
    ipv4(
      IpProtocol.udp,
      udp(67, 68, (dv, at) => emitDhcp4(ack, dv, at)),
      fillUdpChecksum,
    ),
    {
      "dhcp.option.dhcp": "5",
      "dhcp.ip.your": "10.0.0.2",
      "dhcp.option.subnet_mask": "255.255.255.0",
      "dhcp.option.ip_address_lease_time": "3600",
      "dhcp.server": "srv",
    },
  ],
  [
    ipv6(
      IpProtocol.udp,
      udp(547, 546, (dv, at) => emitDhcp6(reply, dv, at)),
      fillUdpChecksum,
    ),
    { "dhcpv6.dns_server": "2001:db8::1", "dhcpv6.msgtype": "7" },
  ],
];

test("transports and what they carry, dissected by Wireshark, say what they were given", async (context) => {
  const tshark = requireTool("tshark", context);
  const blocks: Uint8Array[] = [];
  const sink = {
    write: (buf: Uint8Array, start: number, end: number) => void blocks.push(buf.slice(start, end)),
  };
  const writer = new PcapngWriter(sink, "millrace");
  const declared = { linkType: LinkType.rawIp, snapLength: 0, timestampDigits: 6 };
  writer.addInterface({ ...declared, name: "other" });
  const id = writer.addInterface({ ...declared, name: "tap0" });
  for (const [i, [bytes]] of packets.entries()) {
    const time = 1_700_000_000_000_000 + i;
    writer.packet(id, time, bytes, 0, bytes.length, PacketDirection.outbound);
  }
  const path = join(temporaryFolder("dissect"), "transport.pcapng");
  await writeFile(path, Buffer.concat(blocks));
  const asked = [...new Set(packets.flatMap(([, values]) => Object.keys(values)))];
  const always = ["_ws.malformed", "tcp.checksum.status", "udp.checksum.status"];
  const file = ["frame.time_epoch", "frame.interface_name", "frame.packet_flags_direction"];
  const fields = [...always, ...file, "_ws.expert.severity", ...asked];
  const { stdout } = await promisify(execFile)(tshark, [
    ...["-n", "-r", path, "-T", "fields", "-E", "separator=|"],
    ...["-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"],
    ...["-o", "tcp.relative_sequence_numbers:FALSE"],
    ...fields.flatMap((field) => ["-e", field]),
  ]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines).toHaveLength(packets.length);
  for (const [i, line] of lines.entries()) {
    const found = Object.fromEntries(line.split("|").map((value, k) => [fields[k]!, value]));
    expect(found).toMatchObject(packets[i]![1]);
    expect(found["_ws.malformed"]).toBe("");
    // 1 is "good".
    expect(`${found["tcp.checksum.status"]}${found["udp.checksum.status"]}`).toBe("1");
    expect(found["frame.time_epoch"]).toMatch(/^1700000000\.00000\d/);
    expect(found["frame.interface_name"]).toBe("tap0");
    expect(Number(found["frame.packet_flags_direction"])).toBe(2);
    // 6291456 is a warning and 8388608 an error; a lone SYN is worth a chat.
    const severities = found["_ws.expert.severity"]!.split(",").map(Number);
    expect(Math.max(...severities)).toBeLessThan(6_291_456);
  }
});
