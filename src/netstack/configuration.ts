import { NetError } from "../core/errors.ts";
import { macText, parseMac } from "../wire/mac.ts";
import type { InterfaceAddress } from "./address-table.ts";
import type { Autoconfiguration } from "./autoconf/autoconfiguration.ts";
import type { StackContext } from "./context.ts";
import type { Interface, InterfaceSettings } from "./interface.ts";
import type { Internet } from "./ip/internet.ts";
import type { Route, RouteSpec } from "./ip/route.ts";
import type { Rule } from "./ip/routing-rules.ts";
import { Ip } from "./ip-address.ts";
import { Prefix, whyUnfit } from "./prefix.ts";
import type {
  AddressEntry,
  ListedNeighbor,
  NeighborOptions,
  RouteEntry,
  RouteOptions,
  RuleOptions,
} from "./stack-options.ts";

/** What a configuration works on: a `Stack`. */
export interface Configured {
  readonly context: StackContext;
  readonly ip: Internet;
  readonly autoconfiguration: Autoconfiguration;
  readonly interfaces: readonly Interface[];
  interface(name: string): Interface | undefined;
}

/**
 * Addresses, routes, rules and neighbours of a stack in text, as `ip addr`, `ip route`, `ip rule` and
 * `ip neigh` have them, and the settings of its interfaces. Every call throws a NetError when what it is given makes no sense: EINVAL for what cannot be
 * read, ENOENT for what is not there, EADDRINUSE for what is there already, ENETUNREACH for a router
 * that no interface reaches.
 */
export class Configuration {
  readonly #stack: Configured;

  constructor(stack: Configured) {
    this.#stack = stack;
  }

  /**
   * Adds `10.7.0.2/24` or `fd07::2/64` to the interface. An IPv6 address may be used once duplicate
   * address detection is done, an IPv4 one as `settings.conflictDetection` says; `address-changed`
   * tells when.
   */
  addAddress(name: string, address: string): InterfaceAddress {
    const iface = this.#interface(name);
    const prefix = readPrefix(address);
    const { ip } = prefix;
    const wrong = whyUnfit(prefix, iface.device.medium === "loopback");
    if (wrong !== null) throw invalid(`${address} ${wrong}`);
    if (iface.addresses.find(ip) !== null) {
      throw failure("EADDRINUSE", `${name} has the address ${ip} already`);
    }
    const added = iface.addresses.add(prefix, "static", this.#firstState(iface, ip));
    if (added === null) throw failure("EADDRNOTAVAIL", `${name} has no room for more addresses`);
    return added;
  }

  removeAddress(name: string, address: string): void {
    const { ip } = readPrefix(address);
    if (this.#interface(name).addresses.remove(ip) === null) {
      throw failure("ENOENT", `${name} has no address ${ip}`);
    }
  }

  get addresses(): readonly AddressEntry[] {
    return this.#stack.interfaces.flatMap(({ name, addresses }) =>
      addresses.all.map(({ ip, prefix, state, origin }) => ({
        interface: name,
        ip: ip.toString(),
        prefixLength: prefix.length,
        state,
        origin,
      })),
    );
  }

  /** In no particular order. */
  get routes(): readonly RouteEntry[] {
    return [...this.#stack.ip.routes.all].map((route) => ({
      destination: route.destination.toString(),
      via: route.via === null ? null : route.via.toString(),
      interface: route.interface?.name ?? null,
      metric: route.metric,
      table: route.table,
      kind: route.kind,
      origin: route.origin,
    }));
  }

  addRoute(options: RouteOptions): Route {
    const spec = this.#routeSpec(options);
    if (this.#stack.ip.routes.find(spec) !== null) {
      throw failure("EADDRINUSE", `there is such a route to ${options.destination} already`);
    }
    const route = this.#stack.ip.routes.add(spec);
    if (route === null) throw failure("EADDRNOTAVAIL", "there is no room for more routes");
    return route;
  }

  removeRoute(options: RouteOptions): void {
    const route = this.#stack.ip.routes.find(this.#routeSpec(options));
    if (route === null) throw failure("ENOENT", `there is no such route to ${options.destination}`);
    this.#stack.ip.routes.remove(route);
  }

  /** In the order in which they are asked; the main table's is among them. */
  get rules(): readonly RuleOptions[] {
    return this.#stack.ip.routes.rules.all.map((rule) => ({
      priority: rule.priority,
      ...(rule.source === undefined ? {} : { from: `${rule.source}` }),
      ...(rule.destination === undefined ? {} : { to: `${rule.destination}` }),
      ...(rule.incoming === undefined ? {} : { incoming: rule.incoming.name }),
      table: rule.action === "prohibit" ? rule.action : rule.action.table,
    }));
  }

  /**
   * A rule, beside those there are: of equal priority they are asked in the order in which they were
   * added. It goes with its incoming interface.
   */
  addRule(options: RuleOptions): Rule {
    const rule = this.#rule(options);
    const { rules } = this.#stack.ip.routes;
    if (rules.all.some((known) => sameRule(known, rule))) {
      throw failure("EADDRINUSE", `there is such a rule of priority ${options.priority} already`);
    }
    if (!rules.add(rule)) throw failure("EADDRNOTAVAIL", "there is no room for more rules");
    return rule;
  }

  removeRule(options: RuleOptions): void {
    const rule = this.#rule(options);
    const { rules } = this.#stack.ip.routes;
    const known = rules.all.find((one) => sameRule(one, rule));
    if (known === undefined) {
      throw failure("ENOENT", `there is no such rule of priority ${options.priority}`);
    }
    rules.remove(known);
  }

  /** Those of all interfaces, as they are known now. */
  get neighbors(): readonly ListedNeighbor[] {
    return this.#stack.interfaces.flatMap(({ name, link }) =>
      (link.neighbors?.list() ?? []).map(({ ip, mac, state, isRouter }) => ({
        interface: name,
        address: ip.toString(),
        mac: mac === null ? null : macText(mac),
        state,
        isRouter,
      })),
    );
  }

  /** A neighbour that is known for good, as long as its interface is there. */
  addNeighbor(options: NeighborOptions): void {
    const { neighbors, ip } = this.#neighbor(options.interface, options.address);
    const mac = parseMac(options.mac);
    if (mac === null) throw invalid(`not a MAC address: ${options.mac} (say 02:00:5e:10:00:01)`);
    if (!neighbors.addStatic(ip, mac)) {
      throw failure("EADDRNOTAVAIL", `${options.interface} has no room for ${macText(mac)}`);
    }
  }

  removeNeighbor(name: string, address: string): void {
    const { neighbors, ip } = this.#neighbor(name, address);
    if (!neighbors.remove(ip)) throw failure("ENOENT", `${name} has no neighbour ${ip}`);
  }

  /**
   * Changes settings of an interface, for all that comes from now on; `settings-changed` tells. Addresses
   * that are there stay, but for what was learnt from routers and is not wanted any more.
   */
  changeSettings(name: string, changes: Partial<InterfaceSettings>): void {
    const iface = this.#interface(name);
    checkSettings(changes);
    const before = iface.settings.vlan;
    Object.assign(iface.settings, changes);
    if (iface.settings.vlan !== before) iface.link.reset();
    this.#stack.autoconfiguration.refresh(iface);
    this.#stack.ip.routes.invalidate();
    this.#stack.context.emit({ kind: "settings-changed", interface: name, changes });
  }

  #neighbor(name: string, address: string) {
    const { neighbors } = this.#interface(name).link;
    if (neighbors === null) throw invalid(`${name} has no link addresses, so no neighbours`);
    return { neighbors, ip: readIp(address) };
  }

  #interface(name: string): Interface {
    const found = this.#stack.interface(name);
    if (found !== undefined) return found;
    const names = this.#stack.interfaces.map((iface) => iface.name).join(", ");
    throw failure("ENOENT", `there is no interface ${name}; there are ${names}`);
  }

  #firstState(iface: Interface, ip: Ip): "tentative" | "preferred" {
    const { conflictDetection, dadTransmits } = iface.settings;
    if (iface.device.medium !== "ethernet" || conflictDetection === "off") return "preferred";
    if (ip.version === 6) return dadTransmits > 0 ? "tentative" : "preferred";
    return conflictDetection === "probe" ? "tentative" : "preferred";
  }

  #routeSpec({ destination, via, interface: name, metric, table }: RouteOptions): RouteSpec {
    const router = via === undefined ? null : readIp(via);
    const prefix =
      destination === "default" ? defaultRoute(router, destination) : readPrefix(destination);
    if (router !== null && router.version !== prefix.ip.version) {
      throw invalid(`a route to ${destination} cannot go via ${via}, of another version`);
    }
    const out = name === undefined ? this.#reaching(router ?? prefix.ip) : this.#interface(name);
    return {
      destination: prefix,
      via: router,
      interface: out,
      ...(metric === undefined ? {} : { metric }),
      ...(table === undefined ? {} : { table }),
    };
  }

  #rule({ priority, from, to, incoming, table }: RuleOptions): Rule {
    const source = from === undefined ? null : readPrefix(from).network();
    const destination = to === undefined ? null : readPrefix(to).network();
    if (source !== null && destination !== null && source.ip.version !== destination.ip.version) {
      throw invalid(`no packet goes from ${from} to ${to}`);
    }
    return {
      priority: readWord(priority, "priority"),
      ...(source === null ? {} : { source }),
      ...(destination === null ? {} : { destination }),
      ...(incoming === undefined ? {} : { incoming: this.#interface(incoming) }),
      action: table === "prohibit" ? table : { table: readWord(table, "table") },
    };
  }

  /** The interface with an address in whose network `ip` lies. */
  #reaching(ip: Ip): Interface {
    for (const iface of this.#stack.interfaces) {
      if (iface.addresses.all.some(({ prefix }) => prefix.contains(ip))) return iface;
    }
    throw failure("ENETUNREACH", `no interface reaches ${ip}: name the one to take`);
  }
}

/** Of IPv4, of less than 32 bits. */
function checkSettings({ dadTransmits, hopLimit, vlan }: Partial<InterfaceSettings>): void {
  checkWithin("dadTransmits", dadTransmits, 0, 100);
  checkWithin("hopLimit", hopLimit, 1, 255);
  checkWithin("vlan", vlan, 0, 4094);
}

function checkWithin(what: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  throw invalid(`${what} is a whole number from ${least} to ${most}, not ${value}`);
}

/** Priorities and tables are 32 bits wide, as in Linux. */
function readWord(value: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return value;
  throw invalid(`a ${what} is a whole number below 2^32, not ${value}`);
}

function readIp(text: string): Ip {
  const ip = Ip.parse(text);
  if (ip === null) throw invalid(`not an IP address: ${text}`);
  return ip;
}

function readPrefix(text: string): Prefix {
  const prefix = Prefix.parse(text);
  if (prefix === null)
    throw invalid(`not an address with prefix length: ${text} (say 10.7.0.2/24)`);
  return prefix;
}

function defaultRoute(via: Ip | null, text: string): Prefix {
  if (via === null) throw invalid(`a route to ${text} needs the router it goes via`);
  return new Prefix(via.version === 4 ? Ip.v4(0) : Ip.v6(0, 0, 0, 0), 0);
}

const tableOf = ({ action }: Rule): number | null => (action === "prohibit" ? null : action.table);

const sameRule = (a: Rule, b: Rule): boolean =>
  a.priority === b.priority &&
  a.incoming === b.incoming &&
  tableOf(a) === tableOf(b) &&
  `${a.source}` === `${b.source}` &&
  `${a.destination}` === `${b.destination}`;

const failure = (
  code: "EADDRINUSE" | "EADDRNOTAVAIL" | "ENOENT" | "ENETUNREACH",
  message: string,
) => new NetError(code, message, { source: "internal" });

const invalid = (message: string) => new NetError("EINVAL", message, { source: "internal" });
