import { expect } from "vitest";
import { type IpAddress, parseSocketAddress } from "../../src/core/address.ts";
import { type Duration, millis, seconds } from "../../src/core/time.ts";
import type { Transport } from "../../src/core/transport.ts";
import { createEpollTransport } from "../../src/drivers/epoll/transport.ts";
import { createNodeTransport } from "../../src/drivers/node/transport.ts";
import { nativeAvailable } from "../../src/native/libc.ts";
import { type Http2Settings, http2Defaults } from "../../src/proxy/h2/settings.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { ProxyServer } from "../../src/proxy/server.ts";
import type {
  EndpointSettings,
  ForwardingPolicy,
  ListenerLimits,
  ListenerSettings,
  ListenerTimeouts,
  RetrySettings,
  UpstreamLimits,
  UpstreamSettings,
  UpstreamTimeouts,
} from "../../src/proxy/settings.ts";
import type { ListenerTlsSettings, UpstreamTlsSettings } from "../../src/proxy/tls/settings.ts";
import type { PeerClientFactory } from "../../src/proxy/upstream/peer-clients.ts";
import { peerDefaults } from "../../src/proxy/upstream/peers.ts";
import type { TlsClient } from "../../src/tls/client.ts";
import type { TlsServer } from "../../src/tls/server.ts";
import { RawClient } from "../support/raw-http.ts";
import { Recorder } from "./recorder.ts";

export type Driver = "epoll" | "node";

/** Both drivers, where this machine has both: `describe.each(drivers)("… (%s)", (driver) => …)`. */
export const drivers: readonly Driver[] = nativeAvailable() === null ? ["epoll", "node"] : ["node"];

/** What a test changes of the settings of the upstream "origin". */
export interface OriginOverrides {
  readonly balance?: UpstreamSettings["balance"];
  readonly host?: UpstreamSettings["host"];
  readonly health?: UpstreamSettings["health"];
  readonly protocol?: UpstreamSettings["protocol"];
  readonly limits?: Partial<UpstreamLimits>;
  readonly timeouts?: Partial<UpstreamTimeouts>;
  readonly retries?: Partial<RetrySettings>;
}

/** What a test changes of the listener's settings. */
export interface ListenerOverrides {
  readonly limits?: Partial<ListenerLimits>;
  readonly timeouts?: Partial<ListenerTimeouts>;
  readonly forwarding?: Partial<ForwardingPolicy>;
  readonly halfClose?: ListenerSettings["halfClose"];
  readonly allowConnect?: boolean;
  readonly http2?: Partial<Http2Settings> | null;
}

export interface ProxyOptions {
  readonly driver: Driver;
  /** Endpoints of the upstream "origin": ports on 127.0.0.1, or "host:port". */
  readonly to?: readonly (number | string)[];
  readonly origin?: OriginOverrides;
  readonly listener?: ListenerOverrides;
  /** Without it, or without `upstreamPeer`, every request goes to "origin". */
  // biome-ignore lint/suspicious/noExplicitAny: a test's own context type
  readonly program?: Partial<ProxyProgram<any>>;
  readonly tls?: TlsParts;
}

/** The TLS of a test's proxy; each part stays the test's. */
export interface TlsParts {
  /** With it the listener speaks TLS. */
  readonly server?: TlsServer;
  readonly handshakeTimeout?: Duration;
  readonly passthrough?: ListenerTlsSettings["passthrough"];
  /** For the upstream "origin", whose endpoints then speak TLS. */
  readonly client?: TlsClient;
  readonly serverName?: string;
  readonly peers?: PeerClientFactory;
}

export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const recorder = new Recorder();
  const onFault = (error: unknown): void => recorder.fault("transport", error);
  const transport =
    options.driver === "epoll"
      ? createEpollTransport({ onFault })
      : createNodeTransport({ onFault });
  const upstreams = [originSettings(options)];
  const program: ProxyProgram = { upstreamPeer: () => "origin", ...options.program };
  const { client, peers, server: tlsServer = null } = options.tls ?? {};
  const server = new ProxyServer({
    transport,
    program,
    upstreams,
    observer: recorder,
    ...(client !== undefined && { tlsClients: new Map([["origin", client]]) }),
    ...(peers !== undefined && { peerClients: peers }),
  });
  await server.start();
  const address = { kind: "ip", ip: "127.0.0.1" as IpAddress, port: 0 } as const;
  const listener = await server.listen(address, listenerSettings(options), {}, program, tlsServer);
  if (listener.address.kind !== "ip") throw new Error("not an IP listener");
  return new RunningProxy(server, transport, recorder, listener.address.port);
}

/** A proxy in this process. Disposing of it asserts that nothing leaked. */
export class RunningProxy implements AsyncDisposable {
  readonly server: ProxyServer;
  readonly recorder: Recorder;
  readonly port: number;
  readonly #transport: Transport;
  #closed = false;

  constructor(server: ProxyServer, transport: Transport, recorder: Recorder, port: number) {
    this.server = server;
    this.#transport = transport;
    this.recorder = recorder;
    this.port = port;
  }

  client(): Promise<RawClient> {
    return RawClient.connect({ port: this.port });
  }

  /** The figures of the upstream "origin", all endpoints together. */
  get origin(): { active: number; connections: number; idle: number; waiting: number } {
    const { endpoints, waiting } = this.server.snapshot().upstreams[0]!;
    const sum = { active: 0, connections: 0, idle: 0, waiting };
    for (const endpoint of endpoints) {
      sum.active += endpoint.active;
      sum.connections += endpoint.connections;
      sum.idle += endpoint.idle;
    }
    return sum;
  }

  /** Waits until no request is under way; connections to clients may be open. */
  async settled(): Promise<void> {
    await eventually("no request is under way", () => {
      const { active, connections, idle, waiting } = this.origin;
      return active === 0 && waiting === 0 && connections === idle;
    });
    const { recorder } = this;
    await eventually("every upstream connection is idle or closed", () => {
      return this.origin.idle <= recorder.upstreamOpen;
    });
  }

  /** Closes; fails when a connection or a request is left over, or a fault was not expected. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { recorder, server } = this;
    try {
      await eventually("every client's connection is closed", () => server.connections === 0);
      await this.settled();
      expect(recorder.open, "connections reported as open").toBe(0);
      server.close();
      await eventually("every upstream connection is closed", () => recorder.upstreamOpen === 0);
      expect(this.origin).toEqual({ active: 0, connections: 0, idle: 0, waiting: 0 });
      expect(recorder.unexpectedFaults()).toEqual([]);
    } finally {
      server.close();
      this.#transport.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Waits for a state that has to come; throws when it does not within `timeoutMs`. */
export async function eventually(
  what: string,
  holds: () => boolean,
  timeoutMs = 5_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets what is under way in the loops of both sides get on; for "nothing happens" only. */
export const aWhile = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const protocol = {
  policy: "intermediate",
  minVersion: null,
  maxVersion: null,
  ciphers: null,
  cipherSuites: null,
  groups: null,
  keyLog: null,
} as const;

function listenerTls({
  server,
  handshakeTimeout,
  passthrough,
}: TlsParts = {}): ListenerTlsSettings | null {
  if (server === undefined) return null;
  return {
    ...protocol,
    certificates: [],
    clientCertificates: null,
    unknownName: "default",
    tickets: null,
    passthrough: passthrough ?? [],
    handshakeTimeout: handshakeTimeout ?? seconds(10),
  };
}

function upstreamTls({ client, serverName }: TlsParts = {}): UpstreamTlsSettings | null {
  if (client === undefined) return null;
  return {
    ...protocol,
    ca: null,
    verify: true,
    serverName: serverName ?? null,
    verifyName: null,
    certificate: null,
  };
}

export function listenerSettings({
  listener,
  tls,
}: Pick<ProxyOptions, "listener" | "tls">): ListenerSettings {
  return {
    name: "test",
    limits: {
      requestLine: 8 * 1024,
      head: 32 * 1024,
      fields: 100,
      body: Number.POSITIVE_INFINITY,
      connections: 10_000,
      requestsPerConnection: 1_000_000,
      webSocketMessage: 1024 * 1024,
      ...listener?.limits,
    },
    timeouts: {
      head: seconds(20),
      idle: seconds(20),
      body: seconds(20),
      write: seconds(20),
      tunnel: seconds(20),
      ...listener?.timeouts,
    },
    forwarding: { via: null, xForwarded: "off", forwarded: "off", ...listener?.forwarding },
    halfClose: listener?.halfClose ?? "abort",
    allowConnect: listener?.allowConnect ?? false,
    tls: listenerTls(tls),
    http2: listener?.http2 === null ? null : { ...http2Defaults, ...listener?.http2 },
  };
}

export function originSettings({
  to,
  origin,
  tls,
}: Pick<ProxyOptions, "to" | "origin" | "tls">): UpstreamSettings {
  return {
    ...peerDefaults,
    name: "origin",
    endpoints: (to ?? []).map(endpoint).map((one) => ({ ...one, tls: tls?.client !== undefined })),
    tls: upstreamTls(tls),
    balance: origin?.balance ?? { kind: "round-robin" },
    host: origin?.host ?? "preserve",
    health: origin?.health ?? null,
    protocol: origin?.protocol ?? "auto",
    limits: { ...peerDefaults.limits, ...origin?.limits },
    timeouts: {
      ...peerDefaults.timeouts,
      firstByte: seconds(20),
      betweenBytes: seconds(20),
      ...origin?.timeouts,
    },
    // One test's failures must not put its only endpoint down for what it does next.
    retries: { ...peerDefaults.retries, maxFails: 0, failTimeout: millis(10), ...origin?.retries },
  };
}

function endpoint(to: number | string): EndpointSettings {
  const text = typeof to === "number" ? `127.0.0.1:${to}` : to;
  const address = parseSocketAddress(text);
  if (address !== null) return { target: address, weight: 1 };
  const [host, port] = text.split(":");
  return { target: { kind: "name", host: host!, port: Number(port) }, weight: 1 };
}
