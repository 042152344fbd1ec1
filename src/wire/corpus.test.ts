import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ArpView } from "./arp.ts";
import { Dhcp4View, parseDhcp4 } from "./dhcp4.ts";
import { Dhcp6View, parseDhcp6 } from "./dhcp6.ts";
import { parseDns } from "./dns.ts";
import { DnsView } from "./dns-view.ts";
import { EthernetView } from "./ethernet.ts";
import { Icmpv4View, parseIcmpv4 } from "./icmpv4.ts";
import { Icmpv6View } from "./icmpv6.ts";
import { IgmpView, parseIgmp } from "./igmp.ts";
import { Ipv4View, parseIpv4 } from "./ipv4.ts";
import { Ipv6View } from "./ipv6.ts";
import { parseIpv6Options } from "./ipv6-options.ts";
import { Ipv6Walker } from "./ipv6-walker.ts";
import { MldView } from "./mld.ts";
import { NdpView } from "./ndp.ts";
import { parseNdpOptions } from "./ndp-options.ts";
import { readPcapng } from "./pcapng-reader.ts";
import { parseTcp, TcpView } from "./tcp.ts";
import { hex } from "./testing/fields.ts";
import { type AnyView, readAlike } from "./testing/view-laws.ts";
import { parseUdp, UdpView } from "./udp.ts";
import { VirtioNetView } from "./virtio-net.ts";
import { VlanView } from "./vlan.ts";

/** Hop-by-hop options first, and their options walked, as a host would. */
class HopByHopWalker extends Ipv6Walker {
  override wrap(dv: DataView, start: number, end: number) {
    const status = super.wrap(dv, start, end, 0);
    if (status === "ok" && this.hopByHopAt >= 0) parseIpv6Options(dv, this.hopByHopAt);
    return status;
  }
}

/** A whole file of packets, which has a reader and no view. */
class PcapngFile implements AnyView {
  wrap(dv: DataView, start: number, end: number) {
    return readPcapng(new Uint8Array(dv.buffer, dv.byteOffset + start, end - start)).status;
  }
}

/** A folder of the corpus and the view that its packets are for. */
const views: Record<string, () => AnyView> = {
  arp: () => new ArpView(),
  dhcp4: () => new Dhcp4View(),
  dhcp6: () => new Dhcp6View(),
  dns: () => new DnsView(),
  ethernet: () => new EthernetView(),
  icmpv4: () => new Icmpv4View(),
  icmpv6: () => new Icmpv6View(),
  igmp: () => new IgmpView(),
  ipv4: () => new Ipv4View(),
  ipv6: () => new Ipv6View(),
  "ipv6-hop-by-hop": () => new HopByHopWalker(),
  mld: () => new MldView(),
  ndp: () => new NdpView(),
  pcapng: () => new PcapngFile(),
  tcp: () => new TcpView(),
  udp: () => new UdpView(),
  "virtio-net": () => new VirtioNetView(),
  vlan: () => new VlanView(),
};

/** A file is a line `# status: what it is`, then hexadecimal digits. */
function packetsOf(format: string) {
  const folder = join(import.meta.dirname, "corpus", format);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".hex"))
    .map((name) => {
      const [comment, ...digits] = readFileSync(join(folder, name), "utf8").split("\n");
      const status = /^# ([a-z-]+): ./.exec(comment!)?.[1];
      return { name: `${format}/${name}`, status, dv: hex(digits.join("")) };
    });
}

const packets = Object.keys(views).flatMap((format) =>
  packetsOf(format).map((packet) => ({ ...packet, format })),
);

describe("the corpus", () => {
  test.each(packets)("$name, wrapped by its own view, is $status", ({ format, status, dv }) => {
    expect(views[format]!().wrap(dv, 0, dv.byteLength)).toBe(status);
  });

  test.each(packets)("$name, given to every view, is read within its range", ({ dv }) => {
    for (const make of Object.values(views)) readAlike(make, new Uint8Array(dv.buffer));
  });

  test.each(packets)("$name, parsed where it is ok, throws nothing", ({ dv }) => {
    const end = dv.byteLength;
    const ipv4 = new Ipv4View();
    if (ipv4.wrap(dv, 0, end) === "ok") parseIpv4(ipv4);
    const icmpv4 = new Icmpv4View();
    if (icmpv4.wrap(dv, 0, end) === "ok") parseIcmpv4(icmpv4);
    const igmp = new IgmpView();
    if (igmp.wrap(dv, 0, end) === "ok") parseIgmp(igmp);
    const udp = new UdpView();
    if (udp.wrap(dv, 0, end) === "ok") parseUdp(udp);
    const tcp = new TcpView();
    if (tcp.wrap(dv, 0, end) === "ok") parseTcp(tcp);
    const dhcp4 = new Dhcp4View();
    if (dhcp4.wrap(dv, 0, end) === "ok") parseDhcp4(dhcp4);
    const dhcp6 = new Dhcp6View();
    if (dhcp6.wrap(dv, 0, end) === "ok") parseDhcp6(dhcp6);
    const dns = new DnsView();
    if (dns.wrap(dv, 0, end) === "ok") parseDns(dns);
    const ndp = new NdpView();
    if (ndp.wrap(dv, 0, end) !== "ok") return;
    expect(parseNdpOptions(dv, ndp.optionsStart, end)).not.toBeNull();
  });
});
