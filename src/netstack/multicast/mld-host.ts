import { millis, seconds } from "../../core/time.ts";
import { Icmpv6Type } from "../../wire/icmpv6.ts";
import type { Ipv6Words } from "../../wire/ipv6-address.ts";
import { emitMld, type MldRepr, MldView } from "../../wire/mld.ts";
import { decodeTime8, decodeTime16 } from "../../wire/multicast-time.ts";
import type { InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface, InterfaceListener } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import { IPV6_ALL_ROUTERS, IPV6_ANY, Ip } from "../ip-address.ts";
import { type GroupRecord, packed } from "./group-report.ts";
import { type GroupQuery, MembershipReporter, type ReportSender } from "./membership-reporter.ts";

/** ff02::16 (RFC 3810 §5.2.14). */
const MLDV2_ROUTERS = Ip.v6(0xff02_0000, 0, 0, 0x16);
const ICMPV6 = 58;
/** An IPv6 header with router alert, and that of a report. */
const OVERHEAD = 48 + 8;

/**
 * Tells the routers of each interface which IPv6 groups we want (RFC 3810, with RFC 2710), those that
 * neighbour discovery joins included.
 */
export class MldHost {
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #interfaces = new Map<Interface, MembershipReporter>();
  readonly #view = new MldView();

  /** Takes ICMPv6 types 130 and 131 at `ip`. */
  constructor(context: StackContext, ip: IpLayer) {
    this.#context = context;
    this.#ip = ip;
    ip.onIcmpv6(Icmpv6Type.listenerQuery, (inbound) => this.#handleQuery(inbound));
    ip.onIcmpv6(Icmpv6Type.listenerReport, (inbound) => this.#handleReport(inbound));
  }

  /** From now on reports the groups of the interface, whenever it is up. Needs `iface.groups`. */
  attach(iface: Interface): void {
    if (this.#interfaces.has(iface)) return;
    const sender = new MldSender(this.#ip, iface);
    const reporter = new MembershipReporter(this.#context, iface.groups, 6, sender);
    this.#interfaces.set(iface, reporter);
    const active = (): boolean => this.of(iface) === reporter && iface.up && iface.settings.ipv6;
    const listener: InterfaceListener = {
      onUp: () => {
        if (active()) reporter.start();
      },
      onDown: () => reporter.stop(),
    };
    iface.watch(listener);
    iface.addresses.watch({
      // RFC 3590 §4: reports from :: are for switches; routers want them from a link-local address.
      onAddressChanged: (address, before) => {
        if (before === "tentative" && isOwnLinkLocal(address) && active()) reporter.start();
      },
    });
    listener.onUp?.(iface);
  }

  /** The interface is being removed. */
  detach(iface: Interface): void {
    this.of(iface)?.stop();
    this.#interfaces.delete(iface);
  }

  of(iface: Interface): MembershipReporter | undefined {
    return this.#interfaces.get(iface);
  }

  #handleQuery(inbound: Inbound): void {
    const reporter = this.#reporterFor(inbound);
    // RFC 3810 §5.1.14: queries come from link-local addresses.
    if (reporter === undefined || inbound.s0 >>> 22 !== 0x3fa) return;
    const query = readQuery(this.#view);
    if (query !== null) reporter.handleQuery(query);
  }

  #handleReport(inbound: Inbound): void {
    const reporter = this.#reporterFor(inbound);
    if (reporter !== undefined) reporter.handleReport(Ip.read6(this.#view.dv, this.#view.groupAt));
  }

  /** RFC 3810 §5: hop limit 1, well-formed. The checksum has been looked at. */
  #reporterFor(inbound: Inbound): MembershipReporter | undefined {
    const { packet, payloadStart, payloadEnd } = inbound;
    if (inbound.hopLimit !== 1) return undefined;
    if (this.#view.wrap(packet.view, payloadStart, payloadEnd) !== "ok") return undefined;
    return this.of(inbound.interface);
  }
}

const isOwnLinkLocal = ({ ip, assigned }: InterfaceAddress): boolean =>
  assigned && ip.version === 6 && ip.isLinkLocal;

/** Null when it asks for no group. */
function readQuery(view: MldView): GroupQuery | null {
  const { dv, start, version, maxResponse } = view;
  const asked = Ip.read6(dv, view.groupAt);
  if (!asked.isUnspecified && !asked.isMulticast) return null;
  const group = asked.isUnspecified ? null : asked;
  if (version === 1) {
    return {
      version,
      group,
      maxResponse: millis(maxResponse),
      sources: [],
      robustness: 0,
      interval: seconds(0),
    };
  }
  const sources: Ip[] = [];
  for (let i = 0; i < dv.getUint16(start + 26); i++)
    sources.push(Ip.read6(dv, start + 28 + 16 * i));
  return {
    version,
    group,
    maxResponse: millis(decodeTime16(maxResponse)),
    sources,
    robustness: dv.getUint8(start + 24) & 7,
    interval: seconds(decodeTime8(dv.getUint8(start + 25))),
  };
}

class MldSender implements ReportSender {
  readonly #ip: IpLayer;
  readonly #iface: Interface;

  constructor(ip: IpLayer, iface: Interface) {
    this.#ip = ip;
    this.#iface = iface;
  }

  sendRecords(records: readonly GroupRecord[]): void {
    for (const part of packed(records, this.#iface.mtu - OVERHEAD, 16)) {
      const all = part.map(({ type, group, sources }) => ({
        type,
        group: wordsOf(group),
        sources: sources.map(wordsOf),
      }));
      this.#send({ kind: "report-v2", records: all }, MLDV2_ROUTERS);
    }
  }

  sendReport(_version: number, group: Ip): void {
    this.#send({ kind: "report", group: wordsOf(group) }, group);
  }

  sendLeave(_version: number, group: Ip): void {
    this.#send({ kind: "done", group: wordsOf(group) }, IPV6_ALL_ROUTERS);
  }

  #send(repr: MldRepr, destination: Ip): void {
    const source = this.#iface.addresses.all.find(isOwnLinkLocal)?.ip ?? IPV6_ANY;
    const packet = this.#ip.scratch();
    const { view, start } = packet;
    packet.end = emitMld(repr, view, start, wordsOf(source), wordsOf(destination));
    if (packet.end < 0) return;
    this.#ip.sendOn(this.#iface, source, destination, packet, ICMPV6, 1, true);
  }
}

const wordsOf = ({ w0, w1, w2, w3 }: Ip): Ipv6Words => [w0 >>> 0, w1 >>> 0, w2 >>> 0, w3 >>> 0];
