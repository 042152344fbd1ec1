import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { emitArp } from "../../src/wire/arp.ts";
import { EtherType, emitEthernet } from "../../src/wire/ethernet.ts";
import { emitIcmpv4 } from "../../src/wire/icmpv4.ts";
import { emitIcmpv6 } from "../../src/wire/icmpv6.ts";
import { emitIgmp, GroupRecordType, type IgmpRepr } from "../../src/wire/igmp.ts";
import { IpProtocol } from "../../src/wire/ip-protocol.ts";
import { emitIpv4 } from "../../src/wire/ipv4.ts";
import type { Ipv4Option } from "../../src/wire/ipv4-options.ts";
import { emitIpv6 } from "../../src/wire/ipv6.ts";
import { type Ipv6Words, solicitedNode } from "../../src/wire/ipv6-address.ts";
import { emitIpv6Fragment } from "../../src/wire/ipv6-fragment.ts";
import { emitIpv6Options } from "../../src/wire/ipv6-options.ts";
import { emitMld, type MldRepr } from "../../src/wire/mld.ts";
import { emitNdp, type NdpRepr } from "../../src/wire/ndp.ts";
import { emitVlan } from "../../src/wire/vlan.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { requireTool } from "../support/tools.ts";

/** Writes what follows the Ethernet header at `at`; returns the end. */
type Emit = (dv: DataView, at: number) => number;

const host: Ipv6Words = [0xfe80_0000, 0, 0, 2];
const router: Ipv6Words = [0xfe80_0000, 0, 0, 1];
const prefix: Ipv6Words = [0x2001_0db8, 0, 0, 0];
const mdns: Ipv6Words = [0xff02_0000, 0, 0, 0xfb];
const data = new TextEncoder().encode("as it was sent, so it came back.");

function inIpv4(protocol: number, emit: Emit, options: Ipv4Option[] = []): Emit {
  return (dv, at) => {
    const scratch = new DataView(new ArrayBuffer(512));
    const length = emit(scratch, 0);
    const header = {
      ...{ dscp: 10, ecn: 2, identification: 7, dontFragment: true, moreFragments: false },
      ...{ fragmentOffset: 0, ttl: 1, protocol, source: 0x0a00_0002, destination: 0xe000_00fb },
      ...{ options, payloadLength: length },
    };
    return emit(dv, emitIpv4(header, dv, at));
  };
}

/** `nextHeader` is the first one's that `emit` writes. */
function inIpv6(destination: Ipv6Words, emit: Emit, nextHeader: number = IpProtocol.icmpv6): Emit {
  return (dv, at) => {
    const payloadLength = emit(new DataView(new ArrayBuffer(512)), 0);
    const header = {
      ...{ dscp: 0, ecn: 0, flowLabel: 0xabcde, payloadLength, nextHeader, hopLimit: 255 },
      ...{ source: host, destination },
    };
    return emit(dv, emitIpv6(header, dv, at));
  };
}

const alert: Ipv4Option = { type: 148, data: Uint8Array.of(0, 0) };
const igmp = (repr: IgmpRepr) =>
  inIpv4(IpProtocol.igmp, (dv, at) => emitIgmp(repr, dv, at), [alert]);
const ndp = (repr: NdpRepr, to: Ipv6Words) =>
  inIpv6(to, (dv, at) => emitNdp(repr, dv, at, host, to));
const echo = { identifier: 1, sequence: 2, data };
const echo6: Emit = (dv, at) => emitIcmpv6({ kind: "echo-request", ...echo }, dv, at, host, router);

/** MLD is sent with a router alert (RFC 3810 §5). */
const mld = (repr: MldRepr) =>
  inIpv6(
    mdns,
    (dv, at) => {
      const options = [{ type: 5, data: Uint8Array.of(0, 0) }];
      const header = emitIpv6Options({ nextHeader: IpProtocol.icmpv6, options }, dv, at);
      return emitMld(repr, dv, header, host, mdns);
    },
    IpProtocol.hopByHop,
  );

const packets: readonly (readonly [protocols: string, etherType: number, emit: Emit])[] = [
  [
    "eth:ethertype:arp",
    EtherType.arp,
    (dv, at) =>
      emitArp(
        { operation: 1, senderMac: 2, senderIp: 0x0a00_0002, targetMac: 0, targetIp: 0x0a00_0001 },
        dv,
        at,
      ),
  ],
  [
    "eth:ethertype:vlan:ethertype:vlan:ethertype:ip:icmp:data",
    EtherType.vlan,
    (dv, at) => {
      const tag = { priority: 3, dropEligible: false };
      const tags = [
        { ...tag, id: 100 },
        { ...tag, id: 5 },
      ];
      const inner = emitVlan({ tags, etherType: EtherType.ipv4 }, dv, at);
      const reply: Emit = (to, start) => emitIcmpv4({ kind: "echo-reply", ...echo }, to, start);
      return inIpv4(IpProtocol.icmp, reply)(dv, inner);
    },
  ],
  ["eth:ethertype:ip:igmp", EtherType.ipv4, igmp({ kind: "query", group: 0, maxResponse: 100 })],
  ["eth:ethertype:ip:igmp", EtherType.ipv4, igmp({ kind: "report-v2", group: 0xe000_00fb })],
  [
    "eth:ethertype:ip:igmp",
    EtherType.ipv4,
    igmp({
      kind: "query-v3",
      ...{ group: 0xe000_00fb, maxResponse: 100, suppress: true, robustness: 2, interval: 125 },
      sources: [0x0a00_0001, 0x0a00_0003],
    }),
  ],
  [
    "eth:ethertype:ip:igmp",
    EtherType.ipv4,
    igmp({
      kind: "report-v3",
      records: [
        { type: GroupRecordType.changeToExclude, group: 0xe000_00fb, sources: [] },
        { type: GroupRecordType.allowNewSources, group: 0xe800_0001, sources: [0x0a00_0001] },
      ],
    }),
  ],
  ["eth:ethertype:ipv6:icmpv6:data", EtherType.ipv6, inIpv6(router, echo6)],
  [
    "eth:ethertype:ipv6:ipv6.fraghdr:icmpv6:data",
    EtherType.ipv6,
    inIpv6(
      router,
      (dv, at) => {
        const whole = { nextHeader: IpProtocol.icmpv6, offset: 0, more: false, identification: 9 };
        return echo6(dv, emitIpv6Fragment(whole, dv, at));
      },
      IpProtocol.fragment,
    ),
  ],
  [
    "eth:ethertype:ipv6:icmpv6",
    EtherType.ipv6,
    ndp(
      {
        kind: "neighbor-solicitation",
        target: router,
        options: [{ kind: "source-link-layer", mac: 0x0200_0000_0002 }],
      },
      solicitedNode(router),
    ),
  ],
  [
    "eth:ethertype:ipv6:icmpv6",
    EtherType.ipv6,
    ndp(
      {
        kind: "router-advertisement",
        ...{ hopLimit: 64, managed: false, otherConfiguration: true, routerLifetime: 1800 },
        ...{ reachableTime: 0, retransTimer: 0 },
        options: [
          {
            kind: "prefix",
            ...{ prefix, length: 64, onLink: true, autonomous: true },
            ...{ validLifetime: 3600, preferredLifetime: 1800 },
          },
          { kind: "mtu", mtu: 1500 },
          { kind: "recursive-dns", lifetime: 600, servers: [router, host] },
        ],
      },
      [0xff02_0000, 0, 0, 1],
    ),
  ],
  [
    "eth:ethertype:ipv6:ipv6.hopopts:icmpv6",
    EtherType.ipv6,
    mld({ kind: "query", group: mdns, maxResponse: 10_000 }),
  ],
  [
    "eth:ethertype:ipv6:ipv6.hopopts:icmpv6",
    EtherType.ipv6,
    mld({
      kind: "report-v2",
      records: [{ type: GroupRecordType.changeToExclude, group: mdns, sources: [router] }],
    }),
  ],
];

/** The classic format: a header, then each frame after its time and lengths. */
function pcap(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2_c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.map((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}

test("emitted packets, dissected by Wireshark, are of their protocol, whole and well summed", async (context) => {
  const tshark = requireTool("tshark", context);
  const frames = packets.map(([, etherType, emit]) => {
    const dv = new DataView(new ArrayBuffer(600));
    const link = { destination: 0x0200_0000_0001, source: 0x0200_0000_0002, etherType };
    return new Uint8Array(dv.buffer, 0, emit(dv, emitEthernet(link, dv, 0)));
  });
  const path = join(temporaryFolder("dissect"), "emitted.pcap");
  await writeFile(path, pcap(frames));
  const sums = ["ip", "icmp", "icmpv6", "igmp"].map((name) => `${name}.checksum.status`);
  const fields = ["frame.protocols", "_ws.malformed", ...sums].flatMap((name) => ["-e", name]);
  const { stdout } = await promisify(execFile)(tshark, [
    ...["-n", "-r", path, "-o", "ip.check_checksum:TRUE", "-T", "fields", "-E", "separator=|"],
    ...fields,
  ]);
  const lines = stdout.trimEnd().split("\n");
  // Wireshark 4.0 names IGMP twice.
  const protocols = lines.map((line) => line.split("|")[0]!.replace("igmp:igmp", "igmp"));
  expect(protocols).toEqual(packets.map(([name]) => name));
  for (const line of lines) {
    const [, malformed, ...states] = line.split("|");
    expect(malformed).toBe("");
    // Wireshark's 1 is "good"; a packet has the sums of its own protocols only.
    expect(states.filter((state) => state !== "" && state !== "1")).toEqual([]);
  }
  // All but the ARP packet have a sum.
  expect(lines.filter((line) => line.split("|").includes("1"))).toHaveLength(packets.length - 1);
});
