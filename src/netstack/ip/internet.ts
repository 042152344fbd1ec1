import { IPV4_HEADER_LENGTH } from "../../wire/ipv4.ts";
import { IPV6_HEADER_LENGTH } from "../../wire/ipv6.ts";
import type { StackContext } from "../context.ts";
import { Identifications } from "../fragments/identification.ts";
import { type ExpiredDatagram, Reassembler } from "../fragments/reassembler.ts";
import { EchoReplies } from "../icmp/echo.ts";
import { ErrorReceiver } from "../icmp/error-receiver.ts";
import { IcmpErrors } from "../icmp/error-sender.ts";
import { IcmpInput, type IcmpTaker } from "../icmp/icmp-input.ts";
import { RateLimit } from "../icmp/rate-limit.ts";
import { RedirectSender } from "../icmp/redirect-sender.ts";
import { Inbound } from "../inbound.ts";
import type { Interface, NetworkInput } from "../interface.ts";
import type { Ip } from "../ip-address.ts";
import { Packet } from "../packet.ts";
import { ConnectedRoutes } from "./connected-routes.ts";
import { IcmpCounters, IpCounters } from "./counters.ts";
import { LocalDelivery } from "./delivery.ts";
import { orderDestinations } from "./destination-ordering.ts";
import { Egress } from "./egress.ts";
import { Forwarding } from "./forwarding.ts";
import type {
  Fragmenting,
  IcmpError,
  IpLayer,
  NoPath,
  Path,
  PathConstraint,
  SendVerdict,
  UpperLayer,
} from "./ip-layer.ts";
import { type InputParts, Ipv4Input } from "./ipv4-input.ts";
import { Ipv4Output } from "./ipv4-output.ts";
import { Ipv6Input } from "./ipv6-input.ts";
import { Ipv6Output } from "./ipv6-output.ts";
import { LocalAddresses } from "./local-addresses.ts";
import { KnownPath } from "./path.ts";
import { PathFinder } from "./path-finder.ts";
import { PathMtuCache } from "./path-mtu.ts";
import { Protocols } from "./protocols.ts";
import { describePacket } from "./quoted-packet.ts";
import { RoutingTable } from "./routing-table.ts";
import { SelfDelivery } from "./self-delivery.ts";

/** RFC 1112 §6.1, and RFC 3493 §5.2 for IPv6: what is sent to groups stays on the link. */
const MULTICAST_HOPS = 1;

/**
 * The IP layer of a stack, both versions: what links hand up and transports send goes through here.
 * Also ICMP, which RFC 792 and RFC 4443 call a part of IP.
 */
export class Internet implements IpLayer, NetworkInput {
  readonly routes: RoutingTable;
  readonly pathMtus: PathMtuCache;
  readonly reassembler: Reassembler;
  readonly counters4 = new IpCounters();
  readonly counters6 = new IpCounters();
  readonly icmpCounters4 = new IcmpCounters();
  readonly icmpCounters6 = new IcmpCounters();
  readonly #scratch: Packet;
  readonly #local = new LocalAddresses();
  readonly #paths: PathFinder;
  readonly #protocols = new Protocols();
  readonly #egress = new Egress();
  readonly #output4: Ipv4Output;
  readonly #output6: Ipv6Output;
  readonly #input4: Ipv4Input;
  readonly #input6: Ipv6Input;
  readonly #icmp: IcmpInput;
  readonly #delivery: LocalDelivery;
  readonly #errors: IcmpErrors;
  readonly #errorReceiver: ErrorReceiver;
  readonly #self: SelfDelivery;
  /** Of packets about which errors are sent outside of their reception. */
  readonly #subject = new Inbound();

  /** `scratch`: memory in which packets are built; pinned, where the driver can send from it. */
  constructor(context: StackContext, scratch = Packet.allocate()) {
    this.#scratch = scratch;
    this.routes = new RoutingTable(context);
    this.pathMtus = new PathMtuCache(context);
    this.#paths = new PathFinder(context, this.routes, this.#local, this.pathMtus);
    const identifications = new Identifications(context);
    this.#output4 = new Ipv4Output(this.#egress, this.counters4, identifications);
    this.#output6 = new Ipv6Output(this.#egress, this.counters6, identifications);
    const { icmpErrorsPerSecond: rate, icmpErrorBurst: burst } = context.limits;
    const { echoRepliesPerSecond, echoReplyBurst } = context.limits;
    const [counters4, counters6] = [this.icmpCounters4, this.icmpCounters6];
    const errorLimit = new RateLimit(context, rate, burst);
    this.#errors = new IcmpErrors(this, errorLimit, counters4, counters6);
    const echoLimit = new RateLimit(context, echoRepliesPerSecond, echoReplyBurst);
    const echo = new EchoReplies(this, echoLimit, counters4, counters6);
    // Of their own: a router on one link would send one for each packet, and errors none.
    const redirectLimit = new RateLimit(context, rate, burst);
    const redirects = new RedirectSender(this, redirectLimit, counters4, counters6);
    this.#errorReceiver = new ErrorReceiver(this.#local, this.#protocols, this.pathMtus);
    this.#icmp = new IcmpInput(counters4, counters6, this.#errorReceiver, echo);
    this.#delivery = new LocalDelivery(this.#protocols, this.#icmp, this.#errors);
    this.reassembler = new Reassembler(context, (datagram) => this.#expired(datagram));
    const parts: InputParts = {
      inbound: new Inbound(),
      local: this.#local,
      delivery: this.#delivery,
      forwarding: this.#makeForwarding(redirects),
      reassembler: this.reassembler,
      errors: this.#errors,
    };
    this.#input4 = new Ipv4Input(parts, this.counters4);
    this.#input6 = new Ipv6Input(parts, this.counters6);
    this.#self = new SelfDelivery(context, (on, packet) => this.#receiveOwn(on, packet));
  }

  get interfaces(): readonly Interface[] {
    return this.#local.interfaces;
  }

  /** Paths that are remembered. */
  get paths(): number {
    return this.#paths.size;
  }

  /** Before it comes up: connected routes follow its addresses from now on. */
  addInterface(added: Interface): void {
    this.#local.add(added);
    new ConnectedRoutes(added, this.routes);
    this.routes.invalidate();
  }

  /** Takes its routes and rules away. */
  removeInterface(removed: Interface): void {
    this.#local.remove(removed);
    this.routes.removeOf(removed);
    this.routes.rules.removeOf(removed);
    this.routes.invalidate();
  }

  receiveIpv4(from: Interface, packet: Packet, linkGroup: boolean): void {
    if (from.settings.ipv4) this.#input4.receive(from, packet, linkGroup, false);
    else from.counters.inDiscards++;
  }

  receiveIpv6(from: Interface, packet: Packet, linkGroup: boolean): void {
    if (from.settings.ipv6) this.#input6.receive(from, packet, linkGroup, false);
    else from.counters.inDiscards++;
  }

  resolve(destination: Ip, constraint?: PathConstraint): Path | NoPath {
    const path = this.#paths.resolve(destination, constraint);
    if (typeof path === "string") {
      (destination.version === 4 ? this.counters4 : this.counters6).outNoRoutes++;
    }
    return path;
  }

  scratch(): Packet {
    this.#scratch.reset();
    return this.#scratch;
  }

  send(
    path: Path,
    packet: Packet,
    protocol: number,
    hopLimit: number,
    trafficClass: number,
    fragmenting: Fragmenting,
  ): SendVerdict {
    if (!path.valid) return "unreachable";
    const ipv4 = path.destination.version === 4;
    const hops = hopLimit > 0 ? hopLimit : defaultHops(path);
    const counters = ipv4 ? this.counters4 : this.counters6;
    counters.outRequests++;
    counters.outBytes += packet.end - packet.start;
    const output = ipv4 ? this.#output4 : this.#output6;
    const verdict = output.send(path, packet, protocol, hops, trafficClass, fragmenting);
    if (verdict === "full") counters.outDiscards++;
    if (verdict === "sent" && path instanceof KnownPath && path.meansUsToo) {
      this.#takeOwn(path, packet, ipv4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH);
    }
    return verdict;
  }

  sendOn(
    out: Interface,
    source: Ip,
    destination: Ip,
    packet: Packet,
    protocol: number,
    hopLimit: number,
    routerAlert: boolean,
  ): SendVerdict {
    const ipv4 = destination.version === 4;
    const hops = hopLimit > 0 ? hopLimit : out.settings.hopLimit;
    const counters = ipv4 ? this.counters4 : this.counters6;
    counters.outRequests++;
    counters.outBytes += packet.end - packet.start;
    const output = ipv4 ? this.#output4 : this.#output6;
    return output.sendOn(out, source, destination, packet, protocol, hops, routerAlert);
  }

  sendWhole(path: Path, packet: Packet): SendVerdict {
    if (!path.valid) return "unreachable";
    const ipv4 = path.destination.version === 4;
    const counters = ipv4 ? this.counters4 : this.counters6;
    counters.outRequests++;
    counters.outBytes += packet.end - packet.start;
    const verdict = (ipv4 ? this.#output4 : this.#output6).sendWhole(path, packet);
    if (verdict === "sent" && path instanceof KnownPath && path.meansUsToo) {
      this.#takeOwn(path, packet, 0);
    }
    return verdict;
  }

  /**
   * The link gave up on a packet's next hop (RFC 4861 §7.2.2): an ICMP error to who sent it, or, when
   * that was us, word to its transport. packet[start, end) is the IP packet.
   */
  undeliverable(out: Interface, packet: Packet): void {
    if (this.#errorReceiver.undeliverable(packet)) return;
    if (describePacket(this.#subject, out, packet)) this.#errors.hostUnreachable(this.#subject);
  }

  isLocal(ip: Ip): boolean {
    return this.#local.isLocal(ip);
  }

  isBroadcast(ip: Ip): boolean {
    return this.#local.isBroadcast(ip);
  }

  /** The addresses of a name, the best one first (RFC 6724 §6). */
  orderDestinations(destinations: readonly Ip[]): Ip[] {
    return orderDestinations(destinations, (destination) => {
      const path = this.resolve(destination);
      return typeof path === "string" ? null : this.#local.address(path.source);
    });
  }

  register(upper: UpperLayer): void {
    this.#protocols.uppers[upper.protocol] = upper;
  }

  onIcmpv4(type: number, taker: IcmpTaker): void {
    this.#icmp.takers4[type] = taker;
  }

  onIcmpv6(type: number, taker: IcmpTaker): void {
    this.#icmp.takers6[type] = taker;
  }

  onIcmpError(protocol: number, taker: (error: IcmpError) => boolean): void {
    this.#protocols.errorTakers[protocol] = taker;
  }

  onInbound(taker: ((inbound: Inbound) => boolean) | null): void {
    this.#delivery.tap = taker;
  }

  #makeForwarding(redirects: RedirectSender): Forwarding {
    const { counters4, counters6, routes } = this;
    return new Forwarding(routes, this.#egress, this.#errors, redirects, counters4, counters6);
  }

  /**
   * RFC 1112 §6.1: what a member sends, it hears; what is sent to all, everybody. A header that was put
   * in front still stands, `header` bytes long.
   */
  #takeOwn({ interface: on, destination }: KnownPath, packet: Packet, header: number): void {
    // That device hands everything back by itself.
    if (on === this.#local.loopback) return;
    if (destination.isMulticast && !on.groups.has(destination)) return;
    packet.start -= header;
    this.#self.take(on, packet);
    packet.start += header;
  }

  #receiveOwn(on: Interface, packet: Packet): void {
    const ipv4 = packet.view.getUint8(packet.start) >>> 4 === 4;
    (ipv4 ? this.#input4 : this.#input6).receive(on, packet, true, true);
  }

  /** RFC 1122 §3.3.2, RFC 8200 §4.5. */
  #expired({ version, interface: from, linkGroup, first }: ExpiredDatagram): void {
    (version === 4 ? this.counters4 : this.counters6).reassemblyFailures++;
    const subject = this.#subject;
    if (!describePacket(subject, from, first)) return;
    subject.linkGroup = linkGroup;
    const { d0, d1, d2, d3 } = subject;
    const cast =
      version === 4 ? this.#local.castIpv4(from, d3) : this.#local.castIpv6(from, d0, d1, d2, d3);
    if (cast === null) return;
    subject.cast = cast;
    this.#errors.reassemblyTimeExceeded(subject);
  }
}

const defaultHops = (path: Path): number =>
  path.destination.isMulticast ? MULTICAST_HOPS : path.interface.settings.hopLimit;
