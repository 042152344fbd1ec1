import { millis } from "../../core/time.ts";
import type { AddressListener, InterfaceAddress } from "../address-table.ts";
import type { StackContext } from "../context.ts";
import type { NeighborState } from "../events.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface, InterfaceListener } from "../interface.ts";
import type { IpLayer } from "../ip/ip-layer.ts";
import type { RoutingTable } from "../ip/routing-table.ts";
import { IPV6_ALL_ROUTERS, IPV6_ANY, Ip } from "../ip-address.ts";
import type { NeighborListener } from "../link/neighbor-table.ts";
import type { Membership } from "../multicast/group-table.ts";
import { masked, Prefix } from "../prefix.ts";
import { LearntRoutes } from "./learnt-routes.ts";
import { lifetimeEnd } from "./lifetime.ts";
import type { NameServerList } from "./name-servers.ts";
import { OnLinkPrefixes } from "./on-link-prefixes.ts";
import { Redirects } from "./redirects.ts";
import {
  dnsSearchList,
  type RouterAdvertisement,
  readRedirect,
  readRouterAdvertisement,
  routeInformation,
} from "./router-advertisement.ts";
import { RouterSolicitor } from "./router-solicitor.ts";
import { StatelessAddresses } from "./stateless-addresses.ts";

const DEFAULT_ROUTE = new Prefix(IPV6_ANY, 0);
/** RFC 4861 §6.3.4: more than an hour is no reachable time. Retransmissions are bounded likewise. */
const MAX_REACHABLE_TIME = 3_600_000;
const MAX_RETRANS_TIMER = 60_000;
/** A router that lowers the hop limit further would cut us off (CVE-2015-2922). */
const MIN_HOP_LIMIT = 32;
/** ff02::2, and the same of the site. */
const ROUTER_GROUPS = [IPV6_ALL_ROUTERS, Ip.v6(0xff05_0000, 0, 0, 2)];
/** RFC 8200 §5. */
const MIN_MTU = 1280;

/** What an interface learns of its IPv6 routers, and what it makes of it. */
export class InterfaceAutoconfiguration
  implements InterfaceListener, AddressListener, NeighborListener
{
  readonly addresses: StatelessAddresses;
  readonly routes: LearntRoutes;
  readonly prefixes: OnLinkPrefixes;
  readonly redirects: Redirects;
  readonly solicitor: RouterSolicitor;
  readonly #context: StackContext;
  readonly #iface: Interface;
  readonly #nameServers: NameServerList;
  readonly #onOther: (other: boolean) => void;
  /** The hop limit before a router set it; 0: none has. */
  #ownHopLimit = 0;
  readonly #asRouter: Membership[] = [];
  #detached = false;

  /** `onOther`: the O flag of an advertisement that was taken, and false when the interface goes down. */
  constructor(
    context: StackContext,
    iface: Interface,
    ip: IpLayer,
    routes: RoutingTable,
    nameServers: NameServerList,
    onOther: (other: boolean) => void,
  ) {
    this.#context = context;
    this.#iface = iface;
    this.#nameServers = nameServers;
    this.#onOther = onOther;
    this.addresses = new StatelessAddresses(context, iface);
    this.prefixes = new OnLinkPrefixes(context, iface, routes);
    this.redirects = new Redirects(context, iface, routes);
    this.routes = new LearntRoutes(context, iface, routes, (router) => this.#routerGone(router));
    this.solicitor = new RouterSolicitor(context, iface, ip);
    iface.watch(this);
    iface.addresses.watch(this);
    iface.link.neighbors?.watch(this);
    if (iface.up) this.onUp();
  }

  /** Whether routers are listened to now. */
  get listens(): boolean {
    const { settings, up } = this.#iface;
    return up && settings.ipv6 && settings.acceptRouterAdvertisements && !settings.forwarding;
  }

  /** The interface is going away. */
  detach(): void {
    this.onDown();
    this.#joinRouters(false);
    this.#detached = true;
  }

  /** To be called after a change of the interface's settings, too. */
  onUp(): void {
    const { settings, up } = this.#iface;
    if (this.#detached || !up) return;
    this.#joinRouters(settings.ipv6 && settings.forwarding);
    if (settings.ipv6 && settings.linkLocal) this.addresses.addLinkLocal();
    if (!this.listens) this.#forget();
    // RFC 4861 §6.3.7 allows ::, but an answer to a link-local address is worth the wait.
    else if (this.addresses.linkLocal?.state !== "tentative") this.#solicit();
  }

  onDown(): void {
    this.#forget();
    this.addresses.flush();
  }

  onAddressChanged(address: InterfaceAddress): void {
    if (address.origin === "link-local" && address.state !== "tentative" && this.listens)
      this.#solicit();
  }

  onState(ip: Ip, state: NeighborState, isRouter: boolean): void {
    if (ip.version !== 6) return;
    this.routes.neighborChanged(ip, state, isRouter);
    this.redirects.neighborChanged(ip, state);
  }

  handleAdvertisement(inbound: Inbound): void {
    if (this.#detached || !this.listens) return;
    const message = readRouterAdvertisement(inbound);
    if (message === null) return;
    this.#setParameters(message);
    this.#meetRouter(message);
    for (const option of message.options) {
      if (option.kind === "mtu") this.#setMtu(option.mtu);
    }
    this.#takePrefixes(message);
    this.#takeRoutes(message);
    this.#takeNameServers(message);
    this.#onOther(message.otherConfiguration || message.managed);
    // RFC 7559 §2.1: a router that is no default router does not end the search for one.
    if (message.routerLifetime > 0) this.solicitor.stop();
  }

  handleRedirect(inbound: Inbound): void {
    if (this.#detached || !this.listens || !this.#iface.settings.acceptRedirects) return;
    const message = readRedirect(inbound);
    if (message !== null) this.redirects.handle(message, inbound.source());
  }

  /** RFC 4861 §6.3.4; zero is unspecified. */
  #setParameters({ hopLimit, reachableTime, retransTimer }: RouterAdvertisement): void {
    const { settings, link } = this.#iface;
    if (hopLimit >= MIN_HOP_LIMIT) {
      if (this.#ownHopLimit === 0) this.#ownHopLimit = settings.hopLimit;
      settings.hopLimit = hopLimit;
    }
    if (reachableTime > 0 && reachableTime <= MAX_REACHABLE_TIME) {
      link.neighbors?.setReachableTime(millis(reachableTime));
    }
    if (retransTimer > 0 && retransTimer <= MAX_RETRANS_TIMER) {
      link.neighbors?.setRetransTimer(millis(retransTimer));
    }
  }

  #meetRouter({ from, options, routerLifetime, preference }: RouterAdvertisement): void {
    const { neighbors } = this.#iface.link;
    const named = options.find(({ kind }) => kind === "source-link-layer");
    if (named !== undefined && "mac" in named) neighbors?.observe(from, named.mac);
    neighbors?.setRouter(from, true);
    const until = lifetimeEnd(this.#context.now(), routerLifetime);
    this.routes.advertise(DEFAULT_ROUTE, from, preference, until);
  }

  #setMtu(mtu: number): void {
    if (mtu >= MIN_MTU && mtu <= this.#iface.device.mtu) this.#iface.learnMtu("router", mtu);
  }

  #takePrefixes({ options }: RouterAdvertisement): void {
    for (const option of options) {
      if (option.kind !== "prefix" || option.length > 128) continue;
      const { length, onLink, autonomous, preferredLifetime, validLifetime } = option;
      const prefix = new Prefix(masked(Ip.v6(...option.prefix), length), length);
      if (onLink) this.prefixes.advertise(prefix, validLifetime);
      if (autonomous) this.addresses.advertise(prefix, preferredLifetime, validLifetime);
    }
  }

  #takeRoutes({ from, options }: RouterAdvertisement): void {
    const now = this.#context.now();
    for (const option of options) {
      const route = routeInformation(option);
      if (route === null) continue;
      const { prefix, preference, lifetime } = route;
      this.routes.advertise(prefix, from, preference, lifetimeEnd(now, lifetime));
    }
  }

  #takeNameServers({ options }: RouterAdvertisement): void {
    const { name } = this.#iface;
    const now = this.#context.now();
    for (const option of options) {
      if (option.kind === "recursive-dns") {
        const servers = option.servers.map((words) => Ip.v6(...words));
        this.#nameServers.learn(name, servers, [], lifetimeEnd(now, option.lifetime));
        continue;
      }
      const search = dnsSearchList(option);
      if (search === null) continue;
      this.#nameServers.learn(name, [], search.domains, lifetimeEnd(now, search.lifetime));
    }
  }

  /** RFC 4291 §2.8: a router is a member of these. */
  #joinRouters(isRouter: boolean): void {
    if (isRouter === this.#asRouter.length > 0) return;
    for (const membership of this.#asRouter.splice(0)) membership.leave();
    if (!isRouter) return;
    for (const group of ROUTER_GROUPS) {
      const membership = this.#iface.groups.join(group);
      if (membership !== null) this.#asRouter.push(membership);
    }
  }

  #solicit(): void {
    if (this.routes.defaultRouters.length === 0) this.solicitor.start();
  }

  #routerGone(router: Ip): void {
    this.redirects.routerGone(router);
    if (this.listens) this.#solicit();
  }

  #forget(): void {
    this.solicitor.stop();
    this.redirects.flush();
    this.routes.flush();
    this.prefixes.flush();
    this.solicitor.stop();
    this.#nameServers.forget(this.#iface.name, "router");
    this.#iface.learnMtu("router", 0);
    if (this.#ownHopLimit > 0) this.#iface.settings.hopLimit = this.#ownHopLimit;
    this.#ownHopLimit = 0;
    this.#onOther(false);
  }
}
