import { EtherType } from "../../wire/ethernet.ts";
import { IpProtocol } from "../../wire/ip-protocol.ts";
import { emitIpv6 } from "../../wire/ipv6.ts";
import type { Ipv6Words } from "../../wire/ipv6-address.ts";
import { type Mac, multicastMacV6 } from "../../wire/mac.ts";
import { emitNdp, type NdpRepr, ndpLength } from "../../wire/ndp.ts";
import type { NdpOption } from "../../wire/ndp-options.ts";
import { IPV6_ALL_NODES, IPV6_ANY, Ip } from "../ip-address.ts";
import { PACKET_HEADROOM, Packet } from "../packet.ts";
import type { FrameOutput } from "./frame-output.ts";

/** RFC 4861 §7.1: proof that no router has passed the message on. */
export const NDP_HOP_LIMIT = 255;
/** RFC 3971 §5.3.2, used as RFC 7527 §4.1 says. */
export const NONCE_OPTION = 14;

/**
 * Sends neighbour solicitations and advertisements, IPv6 header and all: they go to a link address
 * that is known, past the neighbour table, and while the packet that prompts them lies in the memory
 * of the IP layer, which is therefore not used here.
 */
export class NdpOutput {
  readonly #link: FrameOutput;
  readonly #packet = Packet.allocate(PACKET_HEADROOM + 128);

  constructor(link: FrameOutput) {
    this.#link = link;
  }

  /** Asks the group of nodes with such an address for `target` (RFC 4861 §7.2.2). */
  solicit(target: Ip, source: Ip): void {
    const options: NdpOption[] = [{ kind: "source-link-layer", mac: this.#link.mac }];
    const repr = { kind: "neighbor-solicitation", target: wordsOf(target), options } as const;
    this.#multicast(repr, source, solicitedNodeOf(target));
  }

  /** Asks the target itself whether it is still there (§7.3.3). */
  probe(target: Ip, source: Ip, mac: Mac): void {
    const options: NdpOption[] = [{ kind: "source-link-layer", mac: this.#link.mac }];
    const repr = { kind: "neighbor-solicitation", target: wordsOf(target), options } as const;
    this.#send(repr, source, target, mac);
  }

  /** Asks who else has a tentative address of ours (RFC 4862 §5.4.2); the nonce is of 6 octets. */
  detect(target: Ip, nonce: Uint8Array): void {
    const options: NdpOption[] = [{ kind: "other", type: NONCE_OPTION, data: nonce }];
    const repr = { kind: "neighbor-solicitation", target: wordsOf(target), options } as const;
    this.#multicast(repr, IPV6_ANY, solicitedNodeOf(target));
  }

  /**
   * Answers a solicitation (RFC 4861 §7.2.4). `source` is what was asked for; without a `mac` (0) the
   * one that asked has to be found first.
   */
  answer(source: Ip, destination: Ip, mac: Mac, router: boolean): void {
    const repr = this.#advertisement(source, router, true, true);
    if (mac !== 0) this.#send(repr, source, destination, mac);
    else this.#link.send(destination, this.#build(repr, source, destination));
  }

  /** Answers one who has no address yet: all hear it. */
  answerAll(source: Ip, router: boolean): void {
    this.#multicast(this.#advertisement(source, router, false, true), source, IPV6_ALL_NODES);
  }

  /** Makes `source` known to a group (§7.2.6, RFC 9131 §4): without overriding what others know. */
  announce(source: Ip, group: Ip, router: boolean): void {
    this.#multicast(this.#advertisement(source, router, false, false), source, group);
  }

  #advertisement(target: Ip, router: boolean, solicited: boolean, override: boolean): NdpRepr {
    const options: NdpOption[] = [{ kind: "target-link-layer", mac: this.#link.mac }];
    const kind = "neighbor-advertisement";
    return { kind, router, solicited, override, target: wordsOf(target), options };
  }

  #multicast(repr: NdpRepr, source: Ip, group: Ip): void {
    this.#send(repr, source, group, multicastMacV6(wordsOf(group)));
  }

  #send(repr: NdpRepr, source: Ip, destination: Ip, mac: Mac): void {
    this.#link.sendFrame(mac, EtherType.ipv6, this.#build(repr, source, destination));
  }

  #build(repr: NdpRepr, source: Ip, destination: Ip): Packet {
    const packet = this.#packet;
    packet.reset();
    const from = wordsOf(source);
    const to = wordsOf(destination);
    const header = {
      dscp: 0,
      ecn: 0,
      flowLabel: 0,
      payloadLength: ndpLength(repr),
      nextHeader: IpProtocol.icmpv6,
      hopLimit: NDP_HOP_LIMIT,
      source: from,
      destination: to,
    };
    const message = emitIpv6(header, packet.view, packet.start);
    packet.end = emitNdp(repr, packet.view, message, from, to);
    return packet;
  }
}

/** ff02::1:ffXX:XXXX (RFC 4291 §2.7.1). */
export const solicitedNodeOf = (ip: Ip): Ip =>
  Ip.v6(0xff02_0000, 0, 1, 0xff00_0000 | (ip.w3 & 0xff_ffff));

const wordsOf = ({ w0, w1, w2, w3 }: Ip): Ipv6Words => [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
