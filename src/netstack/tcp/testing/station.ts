import { SeededRng } from "../../../core/random.ts";
import { type Instant, instant } from "../../../core/time.ts";
import type { ConnectHandler } from "../../../core/transport.ts";
import { checksum16, pseudoSumV4 } from "../../../wire/checksum.ts";
import { Ipv4View } from "../../../wire/ipv4.ts";
import { type Seq, seq, seqAdd, seqDiff } from "../../../wire/seq.ts";
import {
  emitTcp,
  fillTcpChecksum,
  parseTcp,
  TCP_PROTOCOL,
  TcpFlag,
  type TcpRepr,
  TcpView,
  tcpLength,
} from "../../../wire/tcp.ts";
import { NO_TCP_OPTIONS } from "../../../wire/tcp-options.ts";
import { type Device, type DevicePort, NO_OFFLOAD } from "../../device.ts";
import { Ip } from "../../ip-address.ts";
import type { StackLimits } from "../../limits.ts";
import { type ChecksumState, Packet } from "../../packet.ts";
import { Stack } from "../../stack.ts";
import type { TcpListener } from "../listener.ts";
import type { TcpSettings } from "../settings.ts";
import type { TcpStateKind } from "../state.ts";
import type { TcpStream } from "../tcp-stream.ts";

const OURS = Ip.v4(0xc000_0201);
const PEER = Ip.v4(0xc000_0202);
const OUR_PORT = 80;
/** Close to the wrap, so that what follows crosses it. */
const PEER_ISN = seq(0xffff_ff80);

/** How a segment arrives. */
export interface Delivered {
  /** With a wrong checksum. */
  readonly damage?: boolean;
  readonly checksum?: ChecksumState;
}

/** Without options, so that each number of a test is as it seems. */
const PLAIN: Partial<TcpSettings> = {
  sack: false,
  timestamps: false,
  windowScaling: false,
  ecn: "off",
  receiveBuffer: 60_000,
  maxReceiveBuffer: 60_000,
};

/**
 * A stack with one connection, and its peer in a test's hand: segments go in by `send`, what the stack
 * answers is in `sent`. Virtual time stands still but for `advance`.
 */
export class Station {
  readonly stack: Stack;
  /** What the stack has sent and nobody took. */
  readonly sent: TcpRepr[] = [];
  peerPort = 40_000;
  /** The peer's next number: RCV.NXT of the stack. */
  next: Seq = PEER_ISN;
  /** The stack's ISS and SND.NXT. */
  iss: Seq = seq(0);
  ourNext: Seq = seq(0);
  #now: Instant = instant(1_000_000);
  #stream: TcpStream | null = null;
  #ourPort = OUR_PORT;
  readonly #port: DevicePort;

  constructor(settings: Partial<TcpSettings> = {}, limits: Partial<StackLimits> = {}) {
    this.stack = new Stack({
      clock: { now: () => this.#now },
      rng: new SeededRng(20261121),
      wake() {},
      tcp: { ...PLAIN, ...settings },
      limits,
    });
    const device = new CaptureDevice((packet) => this.#onSent(packet));
    const quiet = { conflictDetection: "off", linkLocal: false, ipv6: false } as const;
    this.stack.addInterface({ name: "tun0", device, settings: quiet });
    this.stack.configuration.addAddress("tun0", "192.0.2.1/24");
    this.stack.run();
    this.#port = device.port;
    this.sent.length = 0;
  }

  get stream(): TcpStream {
    if (this.#stream === null) throw new Error("there is no connection");
    return this.#stream;
  }

  listening = false;

  /** Of the connection, or `Closed` where there is none. */
  connectionState(): TcpStateKind {
    return this.stack.tcp.list()[0]?.state ?? "Closed";
  }

  listen(): TcpListener {
    this.listening = true;
    return this.stack.tcp.listen({ ip: OURS, port: OUR_PORT }, (stream) => {
      this.#stream = stream;
      return SILENT;
    });
  }

  connect(): void {
    this.#stream = this.stack.tcp.connect({ ip: PEER, port: this.peerPort }, SILENT);
    this.stack.run();
  }

  /** A segment from the peer, with `length` bytes of payload. */
  send(
    flags: number,
    sequence: Seq,
    acknowledgment: Seq,
    length = 0,
    { damage = false, checksum = "complete" }: Delivered = {},
  ): void {
    const packet = Packet.allocate();
    const at = packet.start + 20;
    const repr: TcpRepr = {
      sourcePort: this.peerPort,
      destinationPort: this.#ourPort,
      sequence,
      acknowledgment: (flags & TcpFlag.ack) !== 0 ? acknowledgment : seq(0),
      flags,
      window: 20_000,
      urgentPointer: 0,
      options: NO_TCP_OPTIONS,
      payloadLength: length,
    };
    emitTcp(repr, packet.view, at);
    packet.end = at + tcpLength(repr);
    const pseudo = pseudoSumV4(PEER.w3, OURS.w3, TCP_PROTOCOL, packet.end - at);
    fillTcpChecksum(packet.view, at, packet.end, pseudo);
    if (damage) packet.view.setUint16(at + 16, packet.view.getUint16(at + 16) ^ 0x100);
    packet.checksum = checksum;
    writeIpv4(packet);
    this.#port.receive(packet);
    this.stack.run();
  }

  /** Like `send`, in order and acknowledging all; counts what it takes of the sequence space. */
  sendNext(flags: number, length = 0): void {
    this.send(flags, this.next, this.ourNext, length);
    const counted = length + ((flags & TcpFlag.syn) >>> 1) + (flags & TcpFlag.fin);
    this.next = seqAdd(this.next, counted);
  }

  advance(microseconds: number): void {
    const until = this.#now + microseconds;
    for (;;) {
      const due = this.stack.run();
      if (due === undefined || due > until) break;
      this.#now = Math.max(due, this.#now) as Instant;
    }
    this.#now = until as Instant;
    this.stack.run();
  }

  #onSent(packet: Packet): void {
    const ip = new Ipv4View();
    const tcp = new TcpView();
    if (ip.wrap(packet.view, packet.start, packet.end) !== "ok") throw new Error("no IPv4 packet");
    if (ip.protocol !== TCP_PROTOCOL) throw new Error(`a packet of protocol ${ip.protocol}`);
    if (tcp.wrap(packet.view, ip.payloadStart, ip.payloadEnd) !== "ok") throw new Error("no TCP");
    if (!tcp.checksumHolds(ip.pseudoSum)) throw new Error("a bad checksum");
    const repr = parseTcp(tcp);
    this.sent.push(repr);
    if ((repr.flags & TcpFlag.rst) !== 0) return;
    this.#ourPort = repr.sourcePort;
    if ((repr.flags & TcpFlag.syn) !== 0) {
      this.iss = repr.sequence;
      this.ourNext = this.iss;
    }
    const end = seqAdd(repr.sequence, tcp.sequenceLength);
    if (seqDiff(end, this.ourNext) > 0) this.ourNext = end;
  }
}

class CaptureDevice implements Device {
  readonly medium = "ip";
  readonly mac = 0;
  readonly mtu = 1_500;
  readonly offload = NO_OFFLOAD;
  port!: DevicePort;
  readonly #onSent: (packet: Packet) => void;

  constructor(onSent: (packet: Packet) => void) {
    this.#onSent = onSent;
  }

  attach(port: DevicePort): void {
    this.port = port;
  }

  transmit(packet: Packet): boolean {
    this.#onSent(packet);
    return true;
  }

  close(): void {}
}

const SILENT: ConnectHandler = {
  onConnect() {},
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};

function writeIpv4(packet: Packet): void {
  const { view, start, end } = packet;
  view.setUint32(start, 0x4500_0000 | (end - start));
  view.setUint32(start + 4, 0x4000);
  view.setUint32(start + 8, (64 << 24) | (TCP_PROTOCOL << 16));
  view.setInt32(start + 12, PEER.w3);
  view.setInt32(start + 16, OURS.w3);
  view.setUint16(start + 10, checksum16(view, start, start + 20));
}
