import { seqAdd } from "../../wire/seq.ts";
import { TCP_HEADER_LENGTH, TcpFlag, type TcpView } from "../../wire/tcp.ts";
import type { TcpOptions } from "../../wire/tcp-options.ts";
import { emitTcpOptions } from "../../wire/tcp-options-emit.ts";
import type { StackContext } from "../context.ts";
import type { Inbound } from "../inbound.ts";
import type { IpLayer, Path } from "../ip/ip-layer.ts";
import type { Ip } from "../ip-address.ts";
import { TcpConnection } from "./connection.ts";
import type { FlowRegistry } from "./flow-registry.ts";
import type { TcpEndpoints } from "./host.ts";
import type { SecretNumbers } from "./initial-sequence.ts";
import type { TcpListener } from "./listener.ts";
import { pseudoSum, receivableRoom, type SegmentSender } from "./segment-sender.ts";
import { writeHeader } from "./strangers.ts";
import {
  type CookieOptions,
  optionsInTimestamp,
  SynCookies,
  timestampWithOptions,
} from "./syn-cookies.ts";
import { expire, nextIss } from "./time-wait.ts";
import type { TransmitQueue } from "./transmit-queue.ts";
import { shiftFor } from "./window-scale.ts";

/** RFC 9293 §3.7.1: what a peer takes that does not say. */
const DEFAULT_MSS = { 4: 536, 6: 1_220 } as const;

/** Connections that peers begin (RFC 9293 §3.10.7.2), with state or, under pressure, by cookies. */
export class PassiveOpen {
  readonly #context: StackContext;
  readonly #ip: IpLayer;
  readonly #sender: SegmentSender;
  readonly #queue: TransmitQueue;
  readonly #flows: FlowRegistry;
  readonly #secret: SecretNumbers;
  readonly #cookies: SynCookies;

  constructor(
    context: StackContext,
    ip: IpLayer,
    sender: SegmentSender,
    queue: TransmitQueue,
    flows: FlowRegistry,
    secret: SecretNumbers,
  ) {
    this.#context = context;
    this.#ip = ip;
    this.#sender = sender;
    this.#queue = queue;
    this.#flows = flows;
    this.#secret = secret;
    this.#cookies = new SynCookies(secret);
  }

  /**
   * A SYN for a listener: dropped where no connection can be taken now, so that it comes again. `old`: in
   * TIME_WAIT between the same ports; the new one takes its place.
   */
  onSyn(listener: TcpListener, inbound: Inbound, syn: TcpView, old: TcpConnection | null): void {
    // A SYN with FIN opens nothing that anybody wants; Linux drops it, too.
    if (syn.fin || listener.overfull || !this.#flows.hasRoom) return;
    const local = inbound.destination();
    const remote = inbound.source();
    const path = this.#pathTo(local, remote, inbound);
    if (path === null) return;
    if (listener.underPressure) {
      if (old !== null) return; // a cookie cannot choose its number
      this.#sendCookie(listener, local, remote, path, syn);
      return;
    }
    const now = this.#context.now();
    const endpoints = endpointsOf(path, syn);
    const { localPort, remotePort } = endpoints;
    const iss = this.#secret.initialSequence(now, local, localPort, remote, remotePort);
    if (old !== null) expire(old);
    const flow = this.#flows.create(endpoints, inboundScope(inbound, remote));
    flow.listener = listener;
    listener.halfOpen.add(flow);
    this.#queue.adopt(flow, path);
    const connection = TcpConnection.accept(
      flow,
      flow,
      listener.settings,
      receivableRoom(path),
      old === null ? iss : nextIss(old, iss),
      this.#secret.timestampOffset(local, remote),
      syn,
    );
    flow.connection = connection;
    connection.owner = flow;
  }

  /** An ACK for a listener: true when it brought a good cookie back and now has a connection. */
  onAck(listener: TcpListener, inbound: Inbound, ack: TcpView): boolean {
    const now = this.#context.now();
    if (!this.#cookies.believed(now, listener.lastCookieAt)) return false;
    const local = inbound.destination();
    const remote = inbound.source();
    const { sourcePort: remotePort, destinationPort: localPort } = ack;
    const irs = seqAdd(ack.sequence, -1);
    const iss = seqAdd(ack.acknowledgment, -1);
    const ports = (localPort << 16) | remotePort;
    const peerMss = this.#cookies.read(now, local, remote, ports, irs, iss);
    if (peerMss < 0) return false;
    // A good one that there is no room for: the peer sends data, and we may have room then.
    if (listener.overfull || !this.#flows.hasRoom) return true;
    const path = this.#pathTo(local, remote, inbound);
    if (path === null) return true;
    const offset = this.#secret.timestampOffset(local, remote);
    const timestamp = ack.options.hasTimestamps ? ack.options.timestampValue : null;
    const options =
      timestamp === null ? NO_OPTIONS : optionsInTimestamp(ack.options.timestampEcho, offset);
    const endpoints = endpointsOf(path, ack);
    const flow = this.#flows.create(endpoints, inboundScope(inbound, remote));
    flow.listener = listener;
    this.#queue.adopt(flow, path);
    const connection = TcpConnection.fromCookie(
      flow,
      flow,
      listener.settings,
      receivableRoom(path),
      offset,
      { iss, irs, peerMss, timestamp, ...options },
    );
    flow.connection = connection;
    connection.owner = flow;
    connection.handleSegment(now, ack, inbound.packet.bytes, inbound.trafficClass & 3);
    return true;
  }

  #sendCookie(listener: TcpListener, local: Ip, remote: Ip, path: Path, syn: TcpView): void {
    const now = this.#context.now();
    const { settings } = listener;
    const { sourcePort: remotePort, destinationPort: localPort, options } = syn;
    const peerMss = options.maximumSegmentSize;
    const ports = (localPort << 16) | remotePort;
    const mss = peerMss < 0 ? DEFAULT_MSS[local.version] : peerMss;
    const cookie = this.#cookies.make(now, local, remote, ports, syn.sequence, mss);
    const wantsEcn = (syn.flags & ECN_SETUP) === ECN_SETUP && settings.ecn !== "off";
    const timestamps = settings.timestamps && options.hasTimestamps;
    const kept: CookieOptions = {
      windowScale: settings.windowScaling && timestamps ? options.windowScale : -1,
      sack: settings.sack && timestamps && options.sackPermitted,
      ecn: wantsEcn && timestamps,
    };
    const packet = this.#sender.scratch();
    const offset = this.#secret.timestampOffset(local, remote);
    const answer: TcpOptions = {
      maximumSegmentSize: ownMss(settings.maxSegment, path),
      windowScale: kept.windowScale < 0 ? null : shiftFor(settings.maxReceiveBuffer),
      sackPermitted: kept.sack,
      timestamps: timestamps
        ? { value: timestampWithOptions(now, offset, kept), echo: options.timestampValue }
        : null,
      fastOpen: null,
      userTimeout: null,
      sack: [],
    };
    const optionsAt = packet.start + TCP_HEADER_LENGTH;
    const length = emitTcpOptions(answer, packet.view, optionsAt) - packet.start;
    writeHeader(
      packet,
      localPort,
      remotePort,
      cookie,
      seqAdd(syn.sequence, 1),
      TcpFlag.syn | TcpFlag.ack | (kept.ecn ? TcpFlag.ece : 0),
      Math.min(settings.receiveBuffer, 0xffff),
      length,
    );
    listener.lastCookieAt = now;
    this.#sender.send(path, packet, pseudoSum(local, remote), 0);
  }

  #pathTo(local: Ip, remote: Ip, inbound: Inbound): Path | null {
    const scope = inboundScope(inbound, remote);
    const found = this.#ip.resolve(
      remote,
      scope === null ? { source: local } : { source: local, interface: scope },
    );
    return typeof found === "string" ? null : found;
  }
}

/** Link-local peers are found only where they came from (RFC 4007 §9). */
export const inboundScope = (inbound: Inbound, remote: Ip) =>
  remote.isLinkLocal && remote.version === 6 ? inbound.interface : null;

/** With the path's addresses: those of all connections between two hosts are the same objects. */
const endpointsOf = (path: Path, segment: TcpView): TcpEndpoints => ({
  local: path.source,
  localPort: segment.destinationPort,
  remote: path.destination,
  remotePort: segment.sourcePort,
});

const ownMss = (maxSegment: number, path: Path): number => {
  const room = receivableRoom(path);
  return maxSegment > 0 ? Math.min(maxSegment, room) : room;
};

/** RFC 3168 §6.1.1: an ECN-setup SYN has both. */
const ECN_SETUP = TcpFlag.ece | TcpFlag.cwr;
const NO_OPTIONS: CookieOptions = { windowScale: -1, sack: false, ecn: false };
