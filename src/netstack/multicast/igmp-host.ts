import { type Duration, millis, seconds } from "../../core/time.ts";
import { emitIgmp, type IgmpRepr, IgmpType, IgmpView, parseIgmp } from "../../wire/igmp.ts";
import { decodeTime8 } from "../../wire/multicast-time.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface, InterfaceListener } from "../interface.ts";
import type { Delivery, IpLayer, UpperLayer } from "../ip/ip-layer.ts";
import { IPV4_ANY, Ip } from "../ip-address.ts";
import { type GroupRecord, packed } from "./group-report.ts";
import { MembershipReporter, type ReportSender } from "./membership-reporter.ts";

/** 224.0.0.2 and 224.0.0.22 (RFC 3376 §4.2.14). */
const ALL_ROUTERS = Ip.v4(0xe000_0002);
const IGMPV3_ROUTERS = Ip.v4(0xe000_0016);
const IGMP = 2;
/** An IPv4 header with router alert, and that of a report. */
const OVERHEAD = 24 + 8;

/** Tells the routers of each interface which IPv4 groups we want (RFC 3376, with RFC 2236 and RFC 1112). */
export class IgmpHost implements UpperLayer {
  readonly protocol = IGMP;
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #interfaces = new Map<Interface, MembershipReporter>();
  readonly #view = new IgmpView();

  /** Registers itself at `ip`. */
  constructor(context: StackContext, ip: IpLayer) {
    this.#context = context;
    this.#ip = ip;
    ip.register(this);
  }

  /** From now on reports the groups of the interface, whenever it is up. Needs `iface.groups`. */
  attach(iface: Interface): void {
    if (this.#interfaces.has(iface)) return;
    const sender = new IgmpSender(this.#ip, iface);
    const reporter = new MembershipReporter(this.#context, iface.groups, 4, sender);
    this.#interfaces.set(iface, reporter);
    const listener: InterfaceListener = {
      onUp: () => {
        if (this.of(iface) === reporter && iface.settings.ipv4) reporter.start();
      },
      onDown: () => reporter.stop(),
    };
    iface.watch(listener);
    if (iface.up) listener.onUp?.(iface);
  }

  /** The interface is being removed. */
  detach(iface: Interface): void {
    this.of(iface)?.stop();
    this.#interfaces.delete(iface);
  }

  of(iface: Interface): MembershipReporter | undefined {
    return this.#interfaces.get(iface);
  }

  handlePacket(inbound: Inbound): Delivery {
    const reporter = this.of(inbound.interface);
    const { packet, payloadStart, payloadEnd } = inbound;
    // RFC 3376 §4: all messages have a TTL of 1, so none comes from beyond the link.
    if (reporter === undefined || inbound.version !== 4 || inbound.hopLimit !== 1) return "taken";
    if (this.#view.wrap(packet.view, payloadStart, payloadEnd) !== "ok") return "taken";
    const { version, type } = this.#view;
    // Reports of version 3 are for routers: others' do not silence us (RFC 3376 §A.2).
    if (type === IgmpType.reportV3 || type === IgmpType.leave) return "taken";
    const message = parseIgmp(this.#view);
    if (message !== null) take(reporter, message, version);
    return "taken";
  }

  handleIcmpError(): boolean {
    return false;
  }
}

function take(reporter: MembershipReporter, message: IgmpRepr, version: number): void {
  switch (message.kind) {
    case "report-v1":
    case "report-v2":
      reporter.handleReport(Ip.v4(message.group));
      return;
    case "query":
    case "query-v3": {
      const group = message.group === 0 ? null : Ip.v4(message.group);
      if (group !== null && !group.isMulticast) return;
      const modern = message.kind === "query-v3";
      reporter.handleQuery({
        version,
        group,
        maxResponse: responseTime(version, message.maxResponse),
        sources: modern ? message.sources.map((source) => Ip.v4(source)) : [],
        robustness: modern ? message.robustness : 0,
        interval: seconds(modern ? decodeTime8(message.interval) : 0),
      });
    }
  }
}

/** In tenths of a second; a code in version 3, and always ten seconds in version 1 (RFC 3376 §7.2.1). */
function responseTime(version: number, code: number): Duration {
  if (version === 1) return seconds(10);
  return millis(100 * (version === 3 ? decodeTime8(code) : code));
}

class IgmpSender implements ReportSender {
  readonly #ip: IpLayer;
  readonly #iface: Interface;

  constructor(ip: IpLayer, iface: Interface) {
    this.#ip = ip;
    this.#iface = iface;
  }

  sendRecords(records: readonly GroupRecord[]): void {
    for (const part of packed(records, this.#iface.mtu - OVERHEAD, 4)) {
      const all = part.map(({ type, group, sources }) => ({
        type,
        group: group.w3 >>> 0,
        sources: sources.map(({ w3 }) => w3 >>> 0),
      }));
      this.#send({ kind: "report-v3", records: all }, IGMPV3_ROUTERS);
    }
  }

  sendReport(version: number, group: Ip): void {
    this.#send({ kind: version === 1 ? "report-v1" : "report-v2", group: group.w3 >>> 0 }, group);
  }

  /** Version 1 leaves without a word (RFC 1112 app. I). */
  sendLeave(version: number, group: Ip): void {
    if (version > 1) this.#send({ kind: "leave", group: group.w3 >>> 0 }, ALL_ROUTERS);
  }

  #send(repr: IgmpRepr, destination: Ip): void {
    const own = this.#iface.addresses.all.find(({ ip, assigned }) => assigned && ip.version === 4);
    const packet = this.#ip.scratch();
    packet.end = emitIgmp(repr, packet.view, packet.start);
    if (packet.end < 0) return;
    // RFC 3376 §4.2.13: 0.0.0.0 without an address.
    this.#ip.sendOn(this.#iface, own?.ip ?? IPV4_ANY, destination, packet, IGMP, 1, true);
  }
}
