import { formatSocketAddress, parseSocketAddress, type SocketAddress } from "../../core/address.ts";
import { NetError } from "../../core/errors.ts";
import { after, type Instant, micros, millis, seconds } from "../../core/time.ts";
import type { Transport } from "../../core/transport.ts";
import type { AddressPeer, PeerTls } from "../peer.ts";
import type { UpstreamProtocol, UpstreamSettings } from "../settings.ts";
import { offers } from "../tls/offers.ts";
import type { TlsRoute } from "../tls/route.ts";
import { tlsTarget } from "../tls/target.ts";
import { Endpoint } from "./endpoint.ts";
import { IdleSweep, type Swept } from "./idle-sweep.ts";
import { type PeerClientFactory, PeerClients, peerKey } from "./peer-clients.ts";

/** Under this name peers by address are counted. */
export const byAddress = "by-address";

/** What holds for a peer by address where it says nothing else: the defaults of a configured upstream. */
export const peerDefaults: UpstreamSettings = {
  name: byAddress,
  endpoints: [],
  balance: { kind: "round-robin" },
  limits: { connectionsPerEndpoint: 4096, idlePerEndpoint: 128, pending: 1024 },
  timeouts: {
    connect: seconds(3),
    firstByte: seconds(60),
    betweenBytes: seconds(60),
    total: null,
    idle: seconds(60),
  },
  retries: {
    attempts: 2,
    keepBody: 64 * 1024,
    nonIdempotent: false,
    maxFails: 3,
    failTimeout: seconds(10),
  },
  protocol: "auto",
  host: "preserve",
  resolveEvery: millis(30_000),
  tls: null,
};

/**
 * The endpoints that programs name by address. One is made when an address is first asked for, and
 * kept with its pool; past `max` the least recently asked for of those without a connection goes, else
 * of those without a request. Where every one has a request there may be more than `max` for a while.
 */
export class PeerTable implements Swept {
  readonly #transport: Transport;
  readonly #max: number;
  readonly #defaults: UpstreamSettings;
  readonly #clients: PeerClients;
  /** By canonical address, and by what is particular to its TLS. */
  readonly #entries = new Map<string, Entry>();
  readonly #sweep: IdleSweep;
  readonly #byProtocol = new Map<UpstreamProtocol, UpstreamSettings>();
  #asked = 0;

  constructor(
    transport: Transport,
    max = 1024,
    defaults: UpstreamSettings = peerDefaults,
    makeClient: PeerClientFactory = noClients,
  ) {
    this.#clients = new PeerClients(makeClient);
    this.#transport = transport;
    this.#max = max;
    this.#defaults = defaults;
    this.#sweep = new IdleSweep(this, transport);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The endpoint at the peer's address. Throws a NetError (INTERNAL) for what is no address. */
  endpoint(peer: AddressPeer): Endpoint {
    return this.#entry(peer).endpoint;
  }

  /** The defaults with what the peer overrides. The last result for an address is used again. */
  settings(peer: AddressPeer): UpstreamSettings {
    return this.#entry(peer).settings;
  }

  /** Idle connections are closed, and others once they become idle. */
  stop(): void {
    this.#sweep.stop();
    for (const { endpoint } of this.#entries.values()) endpoint.stop();
  }

  sweepIdle(now: Instant): Instant {
    let next = after(now, this.#defaults.timeouts.idle);
    for (const { endpoint, settings } of this.#entries.values()) {
      const { idle } = settings.timeouts;
      endpoint.pool.sweep(now, idle);
      next = Math.min(next, after(endpoint.pool.oldest() ?? now, idle)) as Instant;
    }
    return next;
  }

  #entry(peer: AddressPeer): Entry {
    const { address } = peer;
    const text = typeof address === "string" ? address : formatSocketAddress(address);
    // Canonical text, which is the rule, finds its entry without being parsed.
    const tls = tlsOf(peer);
    const { protocol = "auto" } = peer;
    const key = keyOf(text, tls, protocol);
    const entry = this.#entries.get(key) ?? this.#parsed(text, tls, protocol);
    entry.askedAt = ++this.#asked;
    if (entry.timeouts !== peer.timeouts || entry.host !== peer.host) {
      entry.timeouts = peer.timeouts;
      entry.host = peer.host;
      entry.settings = override(this.#defaultsFor(protocol), peer);
      this.#expectSweep(entry);
    }
    return entry;
  }

  /** A kind of settings for each protocol, so that peers share what they do not override. */
  #defaultsFor(protocol: UpstreamProtocol): UpstreamSettings {
    if (protocol === this.#defaults.protocol) return this.#defaults;
    const known = this.#byProtocol.get(protocol);
    if (known !== undefined) return known;
    const made = { ...this.#defaults, protocol };
    this.#byProtocol.set(protocol, made);
    return made;
  }

  #parsed(text: string, tls: PeerTls | null, protocol: UpstreamProtocol): Entry {
    const address = parseSocketAddress(text);
    if (address === null) {
      const message = `upstreamPeer gave "${text}" as an address; expected IP:port, [IPv6]:port or unix:path`;
      throw new NetError("INTERNAL", message, { source: "internal" });
    }
    const key = keyOf(formatSocketAddress(address), tls, protocol);
    return this.#entries.get(key) ?? this.#add(key, address, tls, protocol);
  }

  #add(
    key: string,
    address: SocketAddress,
    tls: PeerTls | null,
    protocol: UpstreamProtocol,
  ): Entry {
    while (this.#entries.size >= this.#max && this.#evict());
    const name = formatSocketAddress(address);
    const route = tls === null ? null : this.#route(address, tls, protocol);
    const settings = this.#defaultsFor(protocol);
    const endpoint = new Endpoint(settings, name, address, 1, this.#transport.now(), route);
    const entry: Entry = {
      endpoint,
      tls,
      settings,
      timeouts: undefined,
      host: undefined,
      askedAt: 0,
    };
    this.#entries.set(key, entry);
    this.#expectSweep(entry);
    return entry;
  }

  #route(address: SocketAddress, tls: PeerTls, protocol: UpstreamProtocol): TlsRoute {
    const { serverName = null, verifyName = null } = tls;
    return {
      client: this.#clients.take(tls),
      target: { ...tlsTarget({ serverName, verifyName }, address), alpn: offers[protocol] },
    };
  }

  /** False when every one has a request. */
  #evict(): boolean {
    let victim: string | null = null;
    let best: Entry | null = null;
    for (const [key, entry] of this.#entries) {
      if (entry.endpoint.active > 0 || (best !== null && !leavesBefore(entry, best))) continue;
      victim = key;
      best = entry;
    }
    if (victim === null || best === null) return false;
    this.#entries.delete(victim);
    best.endpoint.retire();
    if (best.tls !== null) this.#clients.giveBack(best.tls);
    return true;
  }

  #expectSweep({ settings }: Entry): void {
    this.#sweep.expect(after(this.#transport.now(), micros(settings.timeouts.idle)));
  }
}

interface Entry {
  readonly endpoint: Endpoint;
  readonly tls: PeerTls | null;
  settings: UpstreamSettings;
  /** From which `settings` was made. */
  timeouts: AddressPeer["timeouts"];
  host: string | undefined;
  askedAt: number;
}

/** Verified by the system's authorities. */
const plainTls: PeerTls = {};

const tlsOf = ({ tls = false }: AddressPeer): PeerTls | null =>
  tls === true ? plainTls : tls === false ? null : tls;

function keyOf(address: string, tls: PeerTls | null, protocol: UpstreamProtocol): string {
  if (protocol === "auto") return tls === null ? address : `${address} ${peerKey(tls)}`;
  return `${address} ${protocol} ${tls === null ? "" : peerKey(tls)}`;
}

function noClients(): never {
  throw new NetError("INTERNAL", "peers by address: there is no TLS here", { source: "internal" });
}

function leavesBefore(a: Entry, b: Entry): boolean {
  const aUsed = a.endpoint.connections > 0;
  const bUsed = b.endpoint.connections > 0;
  return aUsed === bUsed ? a.askedAt < b.askedAt : bUsed;
}

function override(defaults: UpstreamSettings, { timeouts, host }: AddressPeer): UpstreamSettings {
  if (timeouts === undefined && host === undefined) return defaults;
  return {
    ...defaults,
    timeouts: { ...defaults.timeouts, ...timeouts },
    host: host === undefined ? defaults.host : { literal: host },
  };
}
