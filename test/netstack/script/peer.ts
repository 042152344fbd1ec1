import { Packet } from "../../../src/netstack/packet.ts";
import { seq } from "../../../src/wire/seq.ts";
import {
  emitTcp,
  fillTcpChecksum,
  parseTcp,
  TCP_PROTOCOL,
  TcpFlag,
  TcpView,
  tcpLength,
} from "../../../src/wire/tcp.ts";
import type { TcpOptions } from "../../../src/wire/tcp-options.ts";
import { type Internet, writeIcmp } from "./internet.ts";
import type { Option, Segment, Stamp } from "./segment.ts";

/** A little before the wrap, so that every script crosses it. */
const PEER_ISN = 0xffff_fc00;

/** The numbers of one connection: scripts write them from 0. */
interface Numbers {
  ourPort: number;
  /** Of the stack; null until its first segment shows it. */
  isn: number | null;
  /** The stack's first timestamp, which scripts call 0, and its last one. */
  firstStamp: number | null;
  lastStamp: number;
  /** The last that the script sent. */
  sentStamp: number;
}

/** The far end of a script: turns its segments into packets, and packets into its segments. */
export class Peer {
  readonly #flows = new Map<number, Numbers>();
  readonly #internet: Internet;
  readonly #tcp = new TcpView();
  /** The port of ours that new peers speak to. */
  ourPort = 80;
  /** The peer's port where a segment names none. */
  defaultPort = 40_000;

  constructor(internet: Internet) {
    this.#internet = internet;
  }

  /** A packet from the peer. */
  encode(segment: Segment): Packet {
    const port = segment.port ?? this.defaultPort;
    const flow = this.#flow(port);
    const repr = {
      sourcePort: port,
      destinationPort: flow.ourPort,
      sequence: seq(PEER_ISN + segment.start),
      acknowledgment: seq(segment.ack === null ? 0 : (flow.isn ?? 0) + segment.ack),
      flags: segment.flags,
      window: segment.win ?? 65_535,
      urgentPointer: 0,
      options: this.#emitted(segment.options ?? [], flow),
      payloadLength: segment.length,
    };
    const packet = Packet.allocate();
    const tcpAt = packet.start + this.#internet.headerLength;
    const payloadAt = emitTcp(repr, packet.view, tcpAt);
    packet.end = tcpAt + tcpLength(repr);
    for (let i = 0; i < segment.length; i++)
      packet.bytes[payloadAt + i] = patternAt(segment.start + i);
    this.#internet.write(packet, TCP_PROTOCOL, segment.ecn ?? 0);
    const pseudo = this.#internet.pseudoSum(packet, TCP_PROTOCOL, packet.end - tcpAt);
    fillTcpChecksum(packet.view, tcpAt, packet.end, pseudo);
    return packet;
  }

  /** What the stack sent; a string when it is no sound TCP segment to the peer. */
  decode(packet: Packet): Segment | string {
    const unsound = this.#internet.open(packet);
    if (unsound !== null) return unsound;
    const ip = this.#internet.view;
    const protocol = "protocol" in ip ? ip.protocol : ip.nextHeader;
    if (protocol !== TCP_PROTOCOL) return `IP protocol ${protocol}`;
    const at = ip.payloadStart;
    if (this.#tcp.wrap(packet.view, at, ip.payloadEnd) !== "ok") return "malformed TCP";
    const pseudo = this.#internet.pseudoSum(packet, TCP_PROTOCOL, ip.payloadEnd - at);
    if (!this.#tcp.checksumHolds(pseudo)) return "a bad TCP checksum";
    const repr = parseTcp(this.#tcp);
    const flow = this.#flow(repr.destinationPort);
    const reset = (repr.flags & TcpFlag.rst) !== 0;
    flow.ourPort = repr.sourcePort;
    if ((repr.flags & TcpFlag.syn) !== 0) flow.isn = repr.sequence;
    if (flow.isn === null && !reset) flow.isn = repr.sequence;
    const data = this.#sound(packet, repr.payloadLength, (repr.sequence - (flow.isn ?? 0)) >>> 0);
    if (!data) return "payload that was never written there";
    // A reset of a stranger takes its number from the stranger's ACK (RFC 9293 §3.10.7.1).
    const first = (repr.sequence - (reset && repr.sequence === 0 ? 0 : (flow.isn ?? 0))) >>> 0;
    const acks = (repr.flags & TcpFlag.ack) !== 0;
    return {
      ecn: ip.ecn,
      flags: repr.flags,
      start: first,
      end: first + repr.payloadLength,
      length: repr.payloadLength,
      ack: acks ? (repr.acknowledgment - PEER_ISN) >>> 0 : null,
      win: repr.window,
      options: this.#received(repr.options, flow),
      port: repr.destinationPort === this.defaultPort ? null : repr.destinationPort,
    };
  }

  /** An ICMP error about a segment of ours with this number. */
  icmp(what: string, mtu: number, quoted: number): Packet {
    const flow = this.#flow(this.defaultPort);
    const packet = Packet.allocate();
    const ports = ((flow.ourPort << 16) | this.defaultPort) >>> 0;
    writeIcmp(this.#internet, packet, what, mtu, ports, (flow.isn ?? 0) + quoted);
    return packet;
  }

  #flow(port: number): Numbers {
    let flow = this.#flows.get(port);
    if (flow === undefined) {
      const { ourPort } = this;
      flow = { ourPort, isn: null, firstStamp: null, lastStamp: 0, sentStamp: 0 };
      this.#flows.set(port, flow);
    }
    return flow;
  }

  #emitted(options: readonly Option[], flow: Numbers): TcpOptions {
    const number = (kind: string): number | null => {
      const found = options.find((option) => option.kind === kind);
      return found !== undefined && "value" in found && typeof found.value === "number"
        ? found.value
        : null;
    };
    const ts = options.find((option) => option.kind === "ts");
    const sack = options.find((option) => option.kind === "sack");
    const isn = flow.isn ?? 0;
    if (ts !== undefined && typeof ts.value === "number") flow.sentStamp = ts.value;
    const echo = (stamp: Stamp) =>
      typeof stamp === "number" ? (flow.firstStamp ?? 0) + stamp : flow.lastStamp;
    const user = number("uto");
    return {
      maximumSegmentSize: number("mss"),
      windowScale: number("ws"),
      sackPermitted: options.some(({ kind }) => kind === "sackOK"),
      timestamps:
        ts === undefined
          ? null
          : { value: flow.sentStamp, echo: flow.firstStamp === null ? 0 : echo(ts.echo) >>> 0 },
      fastOpen: null,
      userTimeout: user === null ? null : { unit: "seconds", value: user },
      sack: (sack?.blocks ?? []).map(({ start, end }) => ({
        start: seq(isn + start),
        end: seq(isn + end),
      })),
    };
  }

  #received(options: TcpOptions, flow: Numbers): Option[] {
    const found: Option[] = [];
    const { maximumSegmentSize: mss, windowScale: ws, userTimeout, timestamps, sack } = options;
    if (mss !== null) found.push({ kind: "mss", value: mss });
    if (options.sackPermitted) found.push({ kind: "sackOK" });
    if (timestamps !== null) {
      flow.firstStamp ??= timestamps.value;
      flow.lastStamp = timestamps.value;
      const value = (timestamps.value - flow.firstStamp) >>> 0;
      found.push({ kind: "ts", value, echo: timestamps.echo });
    }
    if (ws !== null) found.push({ kind: "ws", value: ws });
    if (userTimeout !== null) {
      const unit = userTimeout.unit === "minutes" ? 60 : 1;
      found.push({ kind: "uto", value: userTimeout.value * unit });
    }
    if (sack.length > 0) {
      const relative = (n: number) => (n - PEER_ISN) >>> 0;
      const blocks = sack.map(({ start, end }) => ({ start: relative(start), end: relative(end) }));
      found.push({ kind: "sack", blocks });
    }
    return found;
  }

  /** Whether the payload is the pattern that `write` wrote: byte n of the stream at number n + 1. */
  #sound(packet: Packet, length: number, first: number): boolean {
    const at = this.#tcp.payloadStart;
    for (let i = 0; i < length; i++) {
      if (packet.bytes[at + i] !== patternAt(first + i)) return false;
    }
    return true;
  }
}

/** The byte that has this sequence number, in both directions. */
export const patternAt = (n: number): number => ((n * 31) ^ (n >>> 8)) & 0xff;
