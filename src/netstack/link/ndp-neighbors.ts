import { type Instant, seconds } from "../../core/time.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import { isGroupMac, type Mac, readMac } from "../../wire/mac.ts";
import { NdpView } from "../../wire/ndp.ts";
import { NdpOptionType } from "../../wire/ndp-options.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import { Ip } from "../ip-address.ts";
import type { DuplicateDetection } from "./duplicate-detection.ts";
import { NDP_HOP_LIMIT, type NdpOutput, NONCE_OPTION } from "./ndp-output.ts";
import type { Neighbor } from "./neighbor.ts";
import type { NeighborTable } from "./neighbor-table.ts";
import { solicitationSource } from "./solicitation-source.ts";

/** How often a conflict over an address in use is told. */
const REPORT_INTERVAL = seconds(10);

/** Neighbour solicitations and advertisements of an interface (RFC 4861 §7). */
export class NdpNeighbors {
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #output: NdpOutput;
  readonly #neighbors: NeighborTable;
  readonly #detection: DuplicateDetection;
  readonly #view = new NdpView();
  #reportedAt: Instant | null = null;

  constructor(
    context: StackContext,
    iface: Interface,
    output: NdpOutput,
    neighbors: NeighborTable,
    detection: DuplicateDetection,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#output = output;
    this.#neighbors = neighbors;
    this.#detection = detection;
  }

  /** Asks for a neighbour; without an address of ours that is assigned, nobody is asked. */
  solicit(neighbor: Neighbor, cast: "multicast" | "unicast"): void {
    const source = solicitationSource(this.#iface, neighbor);
    if (source === null) return;
    const { ip, mac } = neighbor;
    if (cast === "unicast" && mac !== null) this.#output.probe(ip, source, mac);
    else this.#output.solicit(ip, source);
  }

  /** An ICMPv6 message of type 135 or 136; its checksum was right. */
  receive(inbound: Inbound): void {
    const view = this.#view;
    const { packet, payloadStart, payloadEnd } = inbound;
    if (!this.#iface.settings.ipv6) return;
    // RFC 4861 §7.1: from a node on this link, without a code, well formed, and not about a group.
    const status = view.wrap(packet.view, payloadStart, payloadEnd);
    if (inbound.hopLimit !== NDP_HOP_LIMIT || status !== "ok" || isGroupTarget(view)) {
      this.#iface.counters.inErrors++;
      return;
    }
    if (view.type === Icmpv6Type.neighborSolicitation) this.#solicited(view, inbound);
    else if (view.type === Icmpv6Type.neighborAdvertisement) this.#advertised(view, inbound);
  }

  #solicited(view: NdpView, inbound: Inbound): void {
    const mac = macOf(view, NdpOptionType.sourceLinkLayer);
    const anonymous = (inbound.s0 | inbound.s1 | inbound.s2 | inbound.s3) === 0;
    // §7.1.1: who has no address asks the group, and has nothing to be remembered by.
    if (anonymous && (!isSolicitedNode(inbound) || mac !== 0)) {
      this.#iface.counters.inErrors++;
      return;
    }
    const address = this.#find(view);
    if (address === null) return;
    if (address.state === "tentative") {
      // RFC 4862 §5.4.3: others may ask for their neighbour's address; one without an address contends.
      if (anonymous) this.#contend(view, address);
      return;
    }
    if (!address.assigned) return;
    this.#answer(address.ip, inbound, anonymous, mac);
  }

  #contend(view: NdpView, address: InterfaceAddress): void {
    const option = view.optionAt(NONCE_OPTION);
    const hasNonce = option >= 0 && view.dv.getUint8(option + 1) === 1;
    this.#detection.trialOf(address)?.heardProbe(view.dv, hasNonce ? option + 2 : -1);
  }

  /** RFC 4861 §7.2.3, §7.2.4. */
  #answer(target: Ip, inbound: Inbound, anonymous: boolean, mac: Mac): void {
    const router = this.#iface.settings.forwarding;
    if (anonymous) {
      this.#output.answerAll(target, router);
      return;
    }
    const source = inbound.source();
    // Nobody asks as a group, and nobody else as us.
    if (source.isMulticast || this.#iface.addresses.find(source) !== null) return;
    if (mac !== 0) this.#neighbors.observe(source, mac);
    this.#output.answer(target, source, isGroupMac(mac) ? 0 : mac, router);
  }

  #advertised(view: NdpView, inbound: Inbound): void {
    // §7.1.2: an answer goes to who asked.
    if (view.solicited && inbound.d0 >>> 24 === 0xff) {
      this.#iface.counters.inErrors++;
      return;
    }
    const mac = macOf(view, NdpOptionType.targetLinkLayer);
    const ours = this.#find(view);
    if (ours !== null) {
      this.#claimed(ours, mac);
      return;
    }
    const target = Ip.read6(view.dv, view.targetAt);
    // RFC 9131 §6.1.1: a router remembers those who make themselves known, before packets for them come.
    if (this.#iface.settings.forwarding && mac !== 0 && this.#neighbors.find(target) === null) {
      this.#neighbors.observe(target, mac);
      this.#neighbors.setRouter(target, view.router);
      return;
    }
    this.#neighbors.advertise(target, mac, view.solicited, view.override, view.router);
  }

  /** Somebody says that an address of ours is his (RFC 4862 §5.4.4). */
  #claimed(address: InterfaceAddress, mac: Mac): void {
    if (address.state === "tentative") {
      this.#detection.trialOf(address)?.heardOwner(mac);
      return;
    }
    if (!address.assigned || mac === this.#iface.device.mac) return;
    const now = this.#context.now();
    if (this.#reportedAt !== null && now - this.#reportedAt < REPORT_INTERVAL) return;
    this.#reportedAt = now;
    this.#detection.report(address.ip, mac);
  }

  #find(view: NdpView): InterfaceAddress | null {
    const { dv, targetAt: at } = view;
    return this.#iface.addresses.findWords(
      dv.getInt32(at),
      dv.getInt32(at + 4),
      dv.getInt32(at + 8),
      dv.getInt32(at + 12),
    );
  }
}

/** The address in a link-layer option of Ethernet's length, or 0. */
function macOf(view: NdpView, option: number): Mac {
  const at = view.optionAt(option);
  return at >= 0 && view.dv.getUint8(at + 1) === 1 ? readMac(view.dv, at + 2) : 0;
}

const isGroupTarget = (view: NdpView): boolean =>
  view.targetAt < 0 || view.dv.getUint8(view.targetAt) === 0xff;

/** ff02::1:ff00:0/104. */
const isSolicitedNode = ({ d0, d1, d2, d3 }: Inbound): boolean =>
  d0 === (0xff02_0000 | 0) && d1 === 0 && d2 === 1 && d3 >>> 24 === 0xff;
