import { Ip } from "../../../src/netstack/ip-address.ts";
import type { Packet } from "../../../src/netstack/packet.ts";
import { checksum16, pseudoSumV4, pseudoSumV6 } from "../../../src/wire/checksum.ts";
import { Ipv4View } from "../../../src/wire/ipv4.ts";
import { Ipv6View } from "../../../src/wire/ipv6.ts";

const OURS_V4 = 0xc000_0201;
const PEER_V4 = 0xc000_0202;
const PREFIX_V6 = 0x2001_0db8;

/** Type and code of ICMP errors, by version. */
const ICMP: Readonly<Record<string, Readonly<Record<4 | 6, readonly [number, number]>>>> = {
  "net-unreachable": { 4: [3, 0], 6: [1, 0] },
  "host-unreachable": { 4: [3, 1], 6: [1, 3] },
  "protocol-unreachable": { 4: [3, 2], 6: [4, 1] },
  "port-unreachable": { 4: [3, 3], 6: [1, 4] },
  "frag-needed": { 4: [3, 4], 6: [2, 0] },
  prohibited: { 4: [3, 13], 6: [1, 1] },
  "time-exceeded": { 4: [11, 0], 6: [3, 0] },
};

/** What is different between IPv4 and IPv6 below a script. */
export interface Internet {
  readonly version: 4 | 6;
  /** The stack's address, and the script's. */
  readonly ours: Ip;
  readonly peer: Ip;
  /** As the stack's interface has it. */
  readonly address: string;
  readonly headerLength: number;
  readonly icmpProtocol: number;
  readonly view: Ipv4View | Ipv6View;
  /** Writes the header of packet[start, end), which the peer sends. */
  write(packet: Packet, protocol: number, ecn: number): void;
  /** Puts `view` on a packet of the stack's; a string when it is none. */
  open(packet: Packet): string | null;
  /** For a packet between the two, either way. */
  pseudoSum(packet: Packet, protocol: number, length: number): number;
}

class Internet4 implements Internet {
  readonly version = 4;
  readonly ours = Ip.v4(OURS_V4);
  readonly peer = Ip.v4(PEER_V4);
  readonly address = "192.0.2.1/24";
  readonly headerLength = 20;
  readonly icmpProtocol = 1;
  readonly view = new Ipv4View();

  write({ view, start, end }: Packet, protocol: number, ecn: number): void {
    view.setUint32(start, (0x4500_0000 | (ecn << 16) | (end - start)) >>> 0);
    view.setUint32(start + 4, 0x0000_4000);
    view.setUint32(start + 8, ((64 << 24) | (protocol << 16)) >>> 0);
    view.setUint32(start + 12, PEER_V4);
    view.setUint32(start + 16, OURS_V4);
    view.setUint16(start + 10, checksum16(view, start, start + 20));
  }

  open({ view, start, end }: Packet): string | null {
    const sound = this.view.wrap(view, start, end) === "ok" && this.view.checksumVerifies;
    return sound ? null : "not IPv4";
  }

  pseudoSum(_packet: Packet, protocol: number, length: number): number {
    return pseudoSumV4(PEER_V4, OURS_V4, protocol, length);
  }
}

class Internet6 implements Internet {
  readonly version = 6;
  readonly ours = Ip.v6(PREFIX_V6, 0, 0, 1);
  readonly peer = Ip.v6(PREFIX_V6, 0, 0, 2);
  readonly address = "2001:db8::1/64";
  readonly headerLength = 40;
  readonly icmpProtocol = 58;
  readonly view = new Ipv6View();

  write({ view, start, end }: Packet, protocol: number, ecn: number): void {
    view.setUint32(start, (0x6000_0000 | (ecn << 20)) >>> 0);
    view.setUint32(start + 4, (((end - start - 40) << 16) | (protocol << 8) | 64) >>> 0);
    writeAddress(view, start + 8, 2);
    writeAddress(view, start + 24, 1);
  }

  open({ view, start, end }: Packet): string | null {
    return this.view.wrap(view, start, end) === "ok" ? null : "not IPv6";
  }

  pseudoSum({ view, start }: Packet, protocol: number, length: number): number {
    return pseudoSumV6(view, start + 8, protocol, length);
  }
}

export const internetOf = (version: 4 | 6): Internet =>
  version === 4 ? new Internet4() : new Internet6();

/** An ICMP error of the peer; it quotes a segment of ours with these ports and this number. */
export function writeIcmp(
  internet: Internet,
  packet: Packet,
  what: string,
  mtu: number,
  ports: number,
  sequence: number,
): void {
  const kind = ICMP[what]?.[internet.version];
  if (kind === undefined) throw new Error(`not an ICMP error: ${what}`);
  const { headerLength, icmpProtocol } = internet;
  const { view, start } = packet;
  const at = start + headerLength;
  const quote = at + 8;
  packet.end = quote + headerLength + 8;
  // The two addresses of the quoted packet, in the other order.
  const quoted = { view, start: quote, end: packet.end } as Packet;
  internet.write(quoted, 6, 0);
  const [source, size] = internet.version === 4 ? [quote + 12, 4] : [quote + 8, 16];
  view.setUint8(source + size - 1, 1);
  view.setUint8(source + 2 * size - 1, 2);
  if (internet.version === 4) {
    view.setUint16(quote + 2, 1_000);
    view.setUint16(quote + 10, 0);
  } else view.setUint16(quote + 4, 1_000);
  view.setUint32(quote + headerLength, ports);
  view.setUint32(quote + headerLength + 4, sequence);
  view.setUint8(at, kind[0]);
  view.setUint8(at + 1, kind[1]);
  view.setUint16(at + 2, 0);
  view.setUint32(at + 4, mtu);
  internet.write(packet, icmpProtocol, 0);
  const pseudo =
    internet.version === 4 ? 0 : internet.pseudoSum(packet, icmpProtocol, packet.end - at);
  view.setUint16(at + 2, checksum16(view, at, packet.end, pseudo));
}

/** 2001:db8::last. */
function writeAddress(view: DataView, at: number, last: number): void {
  view.setUint32(at, PREFIX_V6);
  view.setUint32(at + 4, 0);
  view.setUint32(at + 8, 0);
  view.setUint32(at + 12, last);
}
