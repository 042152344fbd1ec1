import type { SocketAddress } from "../../core/address.ts";
import type { ErrorCode } from "../../core/errors.ts";
import type { Duration } from "../../core/time.ts";
import { after } from "../../core/time.ts";
import type { ConnectHandler } from "../../core/transport.ts";
import { pseudoSumV4, pseudoSumV6 } from "../../wire/checksum.ts";
import { seq } from "../../wire/seq.ts";
import { TCP_PROTOCOL, TcpView } from "../../wire/tcp.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { Interface } from "../interface.ts";
import type { Delivery, IcmpError, IpLayer, UpperLayer } from "../ip/ip-layer.ts";
import { IPV4_LOOPBACK, IPV6_LOOPBACK, Ip } from "../ip-address.ts";
import { TcpConnection } from "./connection.ts";
import { FlowRegistry } from "./flow-registry.ts";
import { SecretNumbers } from "./initial-sequence.ts";
import { type TcpAcceptor, TcpListener } from "./listener.ts";
import { ListenerTable } from "./listener-table.ts";
import { PassiveOpen } from "./passive-open.ts";
import { EphemeralPorts } from "./ports.ts";
import { RateLimit } from "./rate-limit.ts";
import { pseudoSum, receivableRoom, SegmentSender } from "./segment-sender.ts";
import { DEFAULT_TCP, type TcpSettings } from "./settings.ts";
import { codeOfNoPath, connectError, listenError, socketAddress } from "./socket-errors.ts";
import type { TcpStateKind } from "./state.ts";
import { writeReset } from "./strangers.ts";
import { TcpFlow } from "./tcp-flow.ts";
import { type StreamKeeper, TcpStream } from "./tcp-stream.ts";
import { expire, mayReopen, nextIss, reopenedBy } from "./time-wait.ts";
import { TransmitQueue } from "./transmit-queue.ts";

export interface TcpListenOptions {
  /** Ours, or the unspecified one; `::` takes IPv4, too, unless `ipv6Only`. */
  readonly ip: Ip;
  /** 0: any free one. */
  readonly port: number;
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
  /** Connections that are established and wait to be accepted; 4096 where left out. */
  readonly backlog?: number;
  readonly settings?: Partial<TcpSettings>;
}

export interface TcpConnectOptions {
  readonly ip: Ip;
  readonly port: number;
  readonly localIp?: Ip;
  /** 0 or left out: an ephemeral one. */
  readonly localPort?: number;
  /** For link-local destinations, or to leave by this interface. */
  readonly interface?: Interface;
  /** From the call to `onConnect`; past it the stream closes with CONNECT_TIMEOUT. */
  readonly timeout?: Duration;
  readonly settings?: Partial<TcpSettings>;
}

/** A connection as `TcpLayer.list` shows it. */
export interface TcpEntry {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly state: TcpStateKind;
  /** Bytes written and not yet acknowledged. */
  readonly queued: number;
}

/** What the layer has counted (RFC 4022, in part). */
export class TcpCounters {
  /** Truncated, malformed, or with a bad checksum. */
  inErrors = 0;
  /** To no connection and no listener. */
  strangers = 0;
  outResets = 0;
}

const BACKLOG = 4_096;
/** Rounds of one run: what handlers put off, and what is sent because of it. */
const ROUNDS = 16;

/**
 * TCP of one stack: its connections and listeners, and their way to IP.
 *
 * Segments come in by `handlePacket` and change connections; nothing but answers to strangers is sent
 * from there. What connections want to send leaves in `flush`, which `stack.run()` calls.
 */
export class TcpLayer implements UpperLayer, StreamKeeper {
  readonly protocol = TCP_PROTOCOL;
  readonly settings: TcpSettings;
  readonly counters = new TcpCounters();
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #sender: SegmentSender;
  readonly #queue: TransmitQueue;
  readonly #flows: FlowRegistry;
  readonly #listeners = new ListenerTable();
  readonly #secret: SecretNumbers;
  readonly #ports: EphemeralPorts;
  readonly #passive: PassiveOpen;
  readonly #resets: RateLimit;
  readonly #view = new TcpView();

  constructor(context: StackContext, ip: IpLayer, settings: Partial<TcpSettings> = {}) {
    this.settings = { ...DEFAULT_TCP, ...settings };
    this.#context = context;
    this.#ip = ip;
    this.#sender = new SegmentSender(ip);
    this.#queue = new TransmitQueue(context, ip, this.#sender);
    this.#flows = new FlowRegistry(context, this.#queue, this);
    this.#secret = new SecretNumbers(context.secret);
    this.#ports = new EphemeralPorts(this.#secret, context.rng);
    this.#resets = new RateLimit(context.rng, context.limits.resetsPerSecond);
    this.#passive = new PassiveOpen(
      context,
      ip,
      this.#sender,
      this.#queue,
      this.#flows,
      this.#secret,
    );
  }

  /** Connections in all states, TIME_WAIT too. */
  get connections(): number {
    return this.#flows.table.size;
  }

  /** Bytes of memory for what came ahead of gaps, at most `limits.aheadBytes`. */
  get bytesAhead(): number {
    return this.#flows.memoryAhead.used;
  }

  /** Of all connections: bytes that are written and not acknowledged, and those that nobody has read. */
  get bytesQueued(): number {
    return this.#flows.sendMemory.used;
  }
  get bytesUnread(): number {
    return this.#flows.receiveMemory.used;
  }

  /** All of them, half-open ones too, as `ss -t` lists them. */
  list(): TcpEntry[] {
    const entries: TcpEntry[] = [];
    this.#flows.table.forEach(({ local, localPort, remote, remotePort, connection }) => {
      if (connection === null) return;
      entries.push({
        local: socketAddress(local, localPort),
        remote: socketAddress(remote, remotePort),
        state: connection.state.kind,
        queued: connection.queued,
      });
    });
    return entries;
  }

  /**
   * Throws a NetError: EADDRINUSE, EADDRNOTAVAIL.
   * @param keeper hears of what acceptors and handlers throw
   */
  listen(
    options: TcpListenOptions,
    acceptor: TcpAcceptor,
    keeper: StreamKeeper = this,
  ): TcpListener {
    const { ip, reusePort = false, ipv6Only = false } = options;
    if (!ip.isUnspecified && !this.#ip.isLocal(ip)) {
      throw listenError("EADDRNOTAVAIL", ip, options.port);
    }
    const conflicts = (port: number) => this.#listeners.conflicts(ip, port, ipv6Only, reusePort);
    const any = options.port === 0;
    const port = any
      ? this.#ports.forListener((candidate) => this.#listeners.has(candidate))
      : options.port;
    if (port < 0 || (!any && conflicts(port))) throw listenError("EADDRINUSE", ip, options.port);
    const listener = new TcpListener(
      {
        defer: (what) => this.#flows.defer(what),
        released: (closed) => this.#listeners.remove(closed),
        fault: (error) => keeper.fault(error),
      },
      {
        ip,
        port,
        reusePort,
        ipv6Only,
        backlog: options.backlog ?? BACKLOG,
        synBacklog: this.#context.limits.synBacklog,
        settings: { ...this.settings, ...options.settings },
      },
      acceptor,
    );
    this.#listeners.add(listener);
    return listener;
  }

  /** Failure arrives as `onClose`, never before this returns. */
  connect(options: TcpConnectOptions, handler: ConnectHandler): TcpStream {
    const remote = destinationOf(options.ip);
    const { port, localIp, localPort: wanted = 0, interface: bound = null } = options;
    const refuse = (code: ErrorCode) => this.#refuse(code, remote, port, localIp, handler);
    // RFC 9293 §3.9.2.3: TCP is between two.
    if (remote.isMulticast || this.#ip.isBroadcast(remote)) return refuse("ENETUNREACH");
    if (!isPort(port) || !isPort(wanted)) return refuse("EINVAL");
    if (!this.#flows.hasRoom) return refuse("EMFILE");
    const path = this.#ip.resolve(remote, {
      ...(localIp === undefined || localIp.isUnspecified ? {} : { source: localIp }),
      ...(bound === null ? {} : { interface: bound }),
    });
    if (typeof path === "string") return refuse(codeOfNoPath(path));
    const local = path.source;
    const localPort = this.#localPort(local, wanted, remote, port);
    if (localPort < 0) return refuse(wanted === 0 ? "EADDRNOTAVAIL" : "EADDRINUSE");
    // One in TIME_WAIT, which the port was chosen to follow.
    const old = this.#flows.table.findBetween(local, localPort, remote, port)?.connection ?? null;
    if (old !== null) expire(old);
    const flow = this.#flows.create({ local, localPort, remote, remotePort: port }, bound);
    this.#queue.adopt(flow, path);
    const stream = new TcpStream(this, flow, handler);
    flow.stream = stream;
    const iss = this.#secret.initialSequence(this.#context.now(), local, localPort, remote, port);
    flow.connection = TcpConnection.connect(
      flow,
      flow,
      options.settings === undefined ? this.settings : { ...this.settings, ...options.settings },
      receivableRoom(path),
      old === null ? iss : nextIss(old, iss),
      this.#secret.timestampOffset(local, remote),
      stream,
    );
    if (options.timeout !== undefined) {
      const at = after(this.#context.now(), options.timeout);
      stream.connectTimer = this.#context.schedule(stream, at);
    }
    return stream;
  }

  handlePacket(inbound: Inbound): Delivery {
    // RFC 1122 §4.2.3.10, RFC 9293 §3.9.2.3: TCP is between two; what came to many is ignored.
    if (inbound.cast !== "unicast" || inbound.linkGroup) return "taken";
    const view = this.#view;
    const { packet, payloadStart, payloadEnd } = inbound;
    if (view.wrap(packet.view, payloadStart, payloadEnd) !== "ok" || !intact(inbound, view)) {
      this.counters.inErrors++;
      return "taken";
    }
    const flow = this.#flows.table.find(inbound, view.sourcePort, view.destinationPort);
    if (flow !== null && flow.connection !== null) this.#onSegment(flow, flow.connection, inbound);
    else this.#onStranger(inbound);
    return "taken";
  }

  handleIcmpError(error: IcmpError): boolean {
    const { view, transportStart: at, transportEnd } = error;
    if (transportEnd - at < 8) return false;
    const flow = this.#flows.table.findBetween(
      error.source,
      view.getUint16(at),
      error.destination,
      view.getUint16(at + 2),
    );
    if (flow === null || flow.connection === null) return false;
    const quoted = seq(view.getUint32(at + 4));
    const credible = flow.connection.handleIcmp(this.#context.now(), error, quoted);
    // IP takes the path's new MTU over when this returns; the next poll passes it on.
    if (credible && error.kind === "packet-too-big") this.#queue.add(flow);
    return credible;
  }

  /** Sends what connections want to send; called by `stack.run()`, after timers have fired. */
  flush(): void {
    for (let round = 0; round < ROUNDS; round++) {
      this.#queue.flush(this.#context.now());
      if (!this.#flows.hasDeferred) return;
      this.#flows.runDeferred();
    }
    this.#queue.runAgain();
  }

  /** Aborts all connections and closes all listeners. */
  close(): void {
    for (const listener of this.#listeners.all()) listener.close();
    this.#flows.table.forEach((flow) => {
      if (flow.stream !== null && !flow.stream.closed) flow.stream.abort();
      else flow.connection?.abort();
    });
  }

  // StreamKeeper

  forget(): void {}

  fault(error: unknown): void {
    this.#context.fault(error);
  }

  #onSegment(flow: TcpFlow, connection: TcpConnection, inbound: Inbound): void {
    const view = this.#view;
    if (connection.state.kind === "TimeWait" && view.syn && !view.ack && !view.rst) {
      const listener = this.#listeners.find(inbound, view.destinationPort, flow.hash);
      if (listener !== null && reopenedBy(connection, view)) {
        this.#passive.onSyn(listener, inbound, view, connection);
        return;
      }
    }
    const before = connection.queued;
    const { bytes } = inbound.packet;
    connection.handleSegment(this.#context.now(), view, bytes, inbound.trafficClass & 3);
    if (connection.queued < before) flow.path?.confirm();
  }

  /** RFC 9293 §3.10.7.1 and §3.10.7.2: CLOSED and LISTEN. */
  #onStranger(inbound: Inbound): void {
    const view = this.#view;
    if (view.rst) return;
    const hash = inbound.s3 ^ inbound.s0 ^ Math.imul(view.sourcePort, 0x9e37_79b1);
    const spread = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca77);
    const listener = this.#listeners.find(inbound, view.destinationPort, spread ^ (spread >>> 13));
    if (listener !== null) {
      if (!view.ack && view.syn) {
        this.#passive.onSyn(listener, inbound, view, null);
        return;
      }
      if (!view.ack) return;
      if (!view.syn && this.#passive.onAck(listener, inbound, view)) return;
    }
    this.counters.strangers++;
    this.#reset(inbound);
  }

  #reset(inbound: Inbound): void {
    if (!this.#resets.allows(this.#context.now())) return;
    const remote = inbound.source();
    const local = inbound.destination();
    const path = this.#ip.resolve(
      remote,
      remote.isLinkLocal ? { source: local, interface: inbound.interface } : { source: local },
    );
    if (typeof path === "string") return;
    const packet = this.#sender.scratch();
    writeReset(packet, this.#view);
    this.counters.outResets++;
    this.#sender.send(path, packet, pseudoSum(local, remote), 0);
  }

  /**
   * The wanted port, or an ephemeral one; -1 where it, or all, are taken. One in TIME_WAIT is taken again
   * where the new connection can be told from the old: of the ephemeral ones, as a last resort.
   */
  #localPort(local: Ip, wanted: number, remote: Ip, remotePort: number): number {
    const { table } = this.#flows;
    const taken = (port: number) => table.findBetween(local, port, remote, remotePort) !== null;
    const now = this.#context.now();
    const busy = (port: number) => {
      const there = table.findBetween(local, port, remote, remotePort)?.connection;
      return there != null && !mayReopen(there, now);
    };
    if (wanted !== 0) {
      return this.#listeners.conflicts(local, wanted, true, false) || busy(wanted) ? -1 : wanted;
    }
    const choose = (unfit: (port: number) => boolean) =>
      this.#ports.forPeer(
        local,
        remote,
        remotePort,
        (port) => this.#listeners.has(port) || unfit(port),
      );
    const port = choose(taken);
    return port < 0 ? choose(busy) : port;
  }

  /** A stream that never had a connection, and says so in the next run. */
  #refuse(
    code: ErrorCode,
    remote: Ip,
    remotePort: number,
    localIp: Ip | undefined,
    handler: ConnectHandler,
  ): TcpStream {
    const local = localIp ?? (remote.version === 4 ? Ip.v4(0) : Ip.v6(0, 0, 0, 0));
    const flow = new TcpFlow(this.#flows, { local, localPort: 0, remote, remotePort }, null);
    const stream = new TcpStream(this, flow, handler);
    flow.stream = stream;
    stream.failConnect(connectError(code, remote, remotePort));
    return stream;
  }
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 0xffff;

/** As on Linux, connecting to the unspecified address means this host. */
const destinationOf = (ip: Ip): Ip =>
  !ip.isUnspecified ? ip : ip.version === 4 ? IPV4_LOOPBACK : IPV6_LOOPBACK;

function intact(inbound: Inbound, view: TcpView): boolean {
  if (inbound.packet.checksum !== "complete") return true;
  const length = inbound.payloadEnd - inbound.payloadStart;
  if (inbound.version === 4) {
    return view.checksumHolds(pseudoSumV4(inbound.s3, inbound.d3, TCP_PROTOCOL, length));
  }
  const sum = pseudoSumV6(inbound.packet.view, inbound.headerStart + 8, TCP_PROTOCOL, length);
  return view.checksumHolds(sum);
}
