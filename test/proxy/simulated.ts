import { parseSocketAddress, type SocketAddress } from "../../src/core/address.ts";
import { bytesOf, latin1 } from "../../src/core/bytes.ts";
import type { NetError } from "../../src/core/errors.ts";
import { after, type Duration, seconds } from "../../src/core/time.ts";
import type { ConnectHandler, Stream, StreamHandler, Transport } from "../../src/core/transport.ts";
import type { LinkConditions } from "../../src/drivers/memory/link.ts";
import { MemoryNetwork } from "../../src/drivers/memory/network.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { ProxyServer } from "../../src/proxy/server.ts";
import type { TlsClient } from "../../src/tls/client.ts";
import { connectTls } from "../../src/tls/connect.ts";
import { type RawResponse, readResponse } from "../support/raw-response.ts";
import { Recorder } from "./recorder.ts";
import {
  type ListenerOverrides,
  listenerSettings,
  type OriginOverrides,
  originSettings,
  type TlsParts,
} from "./support.ts";
import { readRequest, type WireRequest } from "./wire-request.ts";

export const proxyAddress = parseSocketAddress("10.0.0.2:80")!;
export const originAddress = parseSocketAddress("10.0.0.3:80")!;

export interface WorldOptions {
  readonly seed: number;
  /** Between client and proxy, and between proxy and origin. */
  readonly link: Partial<LinkConditions> | ((to: SocketAddress) => Partial<LinkConditions>);
  readonly listener?: ListenerOverrides;
  readonly origin?: OriginOverrides;
  readonly program?: Partial<ProxyProgram>;
  readonly tls?: TlsParts;
  /** The origin's side of each connection. */
  readonly accept: (stream: Stream, transport: Transport) => StreamHandler;
}

/** Clients at 10.0.0.1, a proxy at 10.0.0.2, an origin at 10.0.0.3, in virtual time. */
export class World {
  readonly network: MemoryNetwork;
  readonly server: ProxyServer;
  readonly recorder = new Recorder();
  readonly clients: Transport;

  private constructor(network: MemoryNetwork, server: ProxyServer, recorder: Recorder) {
    this.network = network;
    this.server = server;
    this.recorder = recorder;
    this.clients = network.transport("10.0.0.1");
  }

  static async start(options: WorldOptions): Promise<World> {
    const recorder = new Recorder();
    const { link } = options;
    const network = new MemoryNetwork({
      seed: options.seed,
      link: typeof link === "function" ? (_from, to) => link(to) : link,
      onFault: (error) => recorder.fault("transport", error),
    });
    const origin = network.transport("10.0.0.3");
    await origin.listen(originAddress, {}, (stream) => options.accept(stream, origin));
    const overrides = options.origin === undefined ? {} : { origin: options.origin };
    const server = new ProxyServer({
      transport: network.transport("10.0.0.2"),
      program: { upstreamPeer: () => "origin", ...options.program },
      upstreams: [originSettings({ to: ["10.0.0.3:80"], ...overrides })],
      observer: recorder,
    });
    await server.start();
    const { listener, tls } = options;
    const settings = listenerSettings({
      ...(listener !== undefined && { listener }),
      ...(tls !== undefined && { tls }),
    });
    await server.listen(proxyAddress, settings, {}, undefined, tls?.server ?? null);
    return new World(network, server, recorder);
  }

  connect(): SimulatedClient {
    const client = new SimulatedClient(this.clients);
    client.stream = this.clients.connect(proxyAddress, {}, client);
    return client;
  }

  /** The same through TLS, to a server of that name. */
  connectTls(tls: TlsClient, serverName: string): SimulatedClient {
    const client = new SimulatedClient(this.clients);
    const options = { client: tls, target: { serverName } };
    client.stream = connectTls(this.clients, proxyAddress, options, client);
    return client;
  }

  /** Lets so much time pass; promises settle on the way. */
  async pass(time: Duration): Promise<void> {
    await this.network.settle(after(this.network.now, time));
  }

  /** What is open or under way; all zero when nothing leaked. */
  async leftovers(): Promise<Record<string, number>> {
    await this.pass(seconds(30));
    const [origin] = this.server.snapshot().upstreams;
    const { active, connections, idle } = origin!.endpoints[0]!;
    const clients = this.server.connections;
    this.server.close();
    await this.pass(seconds(30));
    const closed = this.server.snapshot().upstreams[0]!.endpoints[0]!.connections;
    const { open, upstreamOpen } = this.recorder;
    return { active, clients, busy: connections - idle, closed, open, upstreamOpen };
  }
}

/** A client of the simulated proxy: takes what comes as slowly as told. */
export class SimulatedClient implements ConnectHandler {
  stream!: Stream;
  connected = false;
  ended = false;
  closed = false;
  error: NetError | null = null;
  /** After each piece, how long to read nothing. */
  rest: () => Duration = () => 0 as Duration;
  private readonly transport: Transport;
  private received = "";

  constructor(transport: Transport) {
    this.transport = transport;
  }

  send(text: string): void {
    const bytes = bytesOf(text);
    this.stream.write(bytes, 0, bytes.length);
  }

  /** The final responses to requests with these methods, as far as they are whole. */
  responses(methods: readonly string[]): RawResponse[] {
    const found: RawResponse[] = [];
    let bytes = Buffer.from(this.received, "latin1");
    while (found.length < methods.length) {
      const response = readResponse(bytes, methods[found.length]!, this.ended);
      if (response === null) break;
      if (response.status >= 200) found.push(response);
      bytes = bytes.subarray(response.length);
    }
    return found;
  }

  get bytes(): number {
    return this.received.length;
  }

  onConnect(): void {
    this.connected = true;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.received += latin1(buf, start, end);
    const rest = this.rest();
    if (rest === 0) return;
    const { stream, transport } = this;
    stream.pause();
    transport.schedule({ onTimer: () => stream.resume() }, after(transport.now(), rest));
  }

  onWritable(): void {}

  onEnd(): void {
    this.ended = true;
    this.stream.end();
  }

  onClose(error: NetError | null): void {
    this.closed = true;
    this.error = error;
  }
}

/** The origin's side of a connection: reads whole requests and answers what `answer` returns. */
export class SimulatedOrigin implements StreamHandler {
  private readonly stream: Stream;
  private readonly answer: (request: WireRequest) => string;
  private received = "";

  constructor(stream: Stream, answer: (request: WireRequest) => string) {
    this.stream = stream;
    this.answer = answer;
  }

  onData(buf: Uint8Array, start: number, end: number): void {
    this.received += latin1(buf, start, end);
    for (;;) {
      const request = readRequest(this.received);
      if (request === null) return;
      this.received = this.received.slice(request.raw.length);
      const bytes = bytesOf(this.answer(request));
      this.stream.write(bytes, 0, bytes.length);
    }
  }

  onWritable(): void {}

  onEnd(): void {
    this.stream.end();
  }

  onClose(): void {}
}
