import { SeededRng, unit } from "../../../../core/random.ts";
import type { Duration, Instant } from "../../../../core/time.ts";
import { type Seq, seq, seqAdd, seqGe, seqGt, seqLt } from "../../../../wire/seq.ts";
import { TcpOptionIndex } from "../../../../wire/tcp-options.ts";
import { DEFAULT_TCP, type TcpSettings } from "../../settings.ts";
import { FOREVER, LossRecovery, type TimeoutOutcome } from "../loss-recovery.ts";

/** A one-way bulk transfer over a bottleneck, in virtual time: sender, link and receiver in one object. */
export interface PathOptions {
  readonly bytes: number;
  /** Round trip without queueing, microseconds. */
  readonly rtt: number;
  /** Of the bottleneck, bytes a second; 0: no limit. */
  readonly rate: number;
  /** Bytes that it queues. */
  readonly queue: number;
  readonly loss: number;
  readonly ackLoss: number;
  /** Chance of a packet to be late by up to a round trip. */
  readonly reorder: number;
  readonly sack: boolean;
  readonly timestamps: boolean;
  /** Payload of the largest packet: the segment size, or up to 64 KiB. */
  readonly maxPacket: number;
  readonly mss: number;
  readonly seed: number;
  readonly iss: Seq;
  readonly settings: Partial<TcpSettings>;
  /** Decides the fate of a transmission instead of chance. */
  readonly fate: ((packet: Packet) => "pass" | "drop" | number) | null;
}

export interface Packet {
  start: Seq;
  end: Seq;
  /** Counts transmissions of the path, from 0. */
  readonly ordinal: number;
  readonly sentAt: number;
}

type Event = { at: number; order: number; packet: Packet | null; ack: Ack | null };
type Ack = { ack: Seq; blocks: [Seq, Seq][]; echo: number; ece: boolean };

const DEFAULTS: PathOptions = {
  bytes: 1_000_000,
  rtt: 20_000,
  rate: 0,
  queue: 1 << 30,
  loss: 0,
  ackLoss: 0,
  reorder: 0,
  sack: true,
  timestamps: true,
  maxPacket: 1460,
  mss: 1460,
  seed: 1,
  iss: seq(0xffff_0000),
  settings: {},
  fate: null,
};

export class Path {
  readonly recovery: LossRecovery;
  readonly options: PathOptions;
  now = 0 as Instant;
  una: Seq;
  nxt: Seq;
  readonly limit: Seq;
  /** What happened, for tests to look at. */
  readonly sent: Packet[] = [];
  readonly outcomes: TimeoutOutcome[] = [];
  retransmitted = 0;
  /** The next ACKs carry ECN-Echo. */
  ece = false;
  /** Called after each ACK and timer, before the sender sends. */
  check: (() => void) | null = null;
  #events: Event[] = [];
  #order = 0;
  readonly #rng: SeededRng;
  #linkFree = 0;
  #received: Seq;
  #echo = 0;
  readonly #ranges: [Seq, Seq][] = [];
  readonly #view = new DataView(new ArrayBuffer(64));
  readonly #index = new TcpOptionIndex();

  constructor(options: Partial<PathOptions> = {}) {
    this.options = { ...DEFAULTS, ...options };
    const { mss, iss, seed, sack, timestamps, bytes } = this.options;
    this.#rng = new SeededRng(seed);
    const settings = { ...DEFAULT_TCP, ...this.options.settings };
    this.recovery = new LossRecovery(this.#rng, settings, mss, iss);
    this.recovery.configure({ sack, timestamps, mss });
    this.una = iss;
    this.nxt = iss;
    this.limit = seqAdd(iss, bytes);
    this.#received = iss;
  }

  get done(): boolean {
    return this.una === this.limit;
  }

  /** Takes the handshake's round trip as measured, then runs until all is acknowledged or `until`. */
  run(until = 3_600_000_000): void {
    if (this.recovery.rtt.srtt === 0) {
      this.recovery.onHandshakeRtt(this.now, this.options.rtt as Duration, 0);
      this.now = (this.now + 1) as Instant;
    }
    this.transmit();
    while (!this.done && this.step(until));
  }

  /** The next event before `until`; false when there is none. */
  step(until: number): boolean {
    const timeout = this.recovery.nextTimeout();
    const event = this.#events[0];
    const at = Math.min(event?.at ?? FOREVER, Math.max(timeout, this.now));
    if (at >= until || at === FOREVER) return false;
    this.now = at as Instant;
    if (event !== undefined && event.at <= at) {
      this.#events.shift();
      if (event.packet !== null) this.#deliver(event.packet);
      else this.#onAck(event.ack!);
    } else {
      this.outcomes.push(this.recovery.handleTimeout(this.now));
    }
    this.check?.();
    this.transmit();
    return true;
  }

  transmit(): void {
    const { recovery, options, now } = this;
    if (recovery.probeDue) {
      if (seqLt(this.nxt, this.limit)) {
        const end = this.#upTo(options.mss);
        this.#send(this.nxt, end);
        recovery.onProbeSent(now, this.nxt, end);
        this.nxt = end;
      } else {
        const segment = recovery.probeSegment();
        if (segment !== null) {
          this.#send(segment.start, segment.end);
          recovery.onProbeSent(now, segment.start, segment.end);
        }
      }
    }
    for (;;) {
      const segment = recovery.nextRetransmission(now, seqLt(this.nxt, this.limit));
      if (segment === null) break;
      const end =
        segment.length > options.maxPacket ? seqAdd(segment.start, options.maxPacket) : segment.end;
      this.retransmitted += (end - segment.start) | 0;
      this.#send(segment.start, end);
      recovery.onRetransmitted(now, segment, end);
    }
    while (seqLt(this.nxt, this.limit)) {
      const allowance = recovery.sendAllowance(now, options.maxPacket);
      if (allowance === 0) break;
      const end = this.#upTo(Math.min(allowance, options.maxPacket));
      this.#send(this.nxt, end);
      const start = this.nxt;
      this.nxt = end;
      recovery.onSent(now, start, end, end === this.limit);
    }
  }

  #upTo(bytes: number): Seq {
    return seqAdd(this.nxt, Math.min(bytes, (this.limit - this.nxt) | 0));
  }

  /** On the wire a large packet is segments, each with its own fate. */
  #send(start: Seq, end: Seq): void {
    const { mss, fate, loss, reorder, rtt, rate, queue } = this.options;
    for (let at = start; seqLt(at, end); at = seqAdd(at, mss)) {
      const left = (end - at) | 0;
      const packet: Packet = {
        start: at,
        end: seqAdd(at, left < mss ? left : mss),
        ordinal: this.sent.length,
        sentAt: this.now,
      };
      this.sent.push(packet);
      const verdict = fate === null ? "pass" : fate(packet);
      if (verdict === "drop") continue;
      if (fate === null && unit(this.#rng) < loss) continue;
      let arrival = this.now + rtt / 2;
      if (rate > 0) {
        const backlog = Math.max(0, this.#linkFree - this.now);
        if ((backlog * rate) / 1e6 > queue) continue;
        this.#linkFree =
          Math.max(this.#linkFree, this.now) + ((packet.end - at) | 0) * (1e6 / rate);
        arrival = this.#linkFree + rtt / 2;
      }
      if (typeof verdict === "number") arrival += verdict;
      else if (reorder > 0 && unit(this.#rng) < reorder) arrival += unit(this.#rng) * rtt;
      this.#schedule(Math.trunc(arrival), packet, null);
    }
  }

  /** The receiver: one ACK for each packet. */
  #deliver(packet: Packet): void {
    let { start } = packet;
    const { end } = packet;
    const blocks: [Seq, Seq][] = [];
    const known = this.#ranges.find((r) => seqGe(start, r[0]) && seqGe(r[1], end));
    if (!seqGt(end, this.#received)) blocks.push([start, end]);
    else if (known !== undefined) blocks.push([start, end], known);
    else {
      if (seqGe(this.#received, start)) {
        start = this.#received;
        this.#echo = packet.sentAt;
      }
      this.#insert(start, end);
      const at = this.#ranges.findIndex((r) => r[0] === this.#received);
      if (at >= 0) this.#received = this.#ranges.splice(at, 1)[0]![1];
    }
    for (const range of this.#ranges) {
      if (blocks.length >= 3) break;
      if (!blocks.some((b) => b === range)) blocks.push(range);
    }
    if (unit(this.#rng) < this.options.ackLoss) return;
    const copied = blocks.map((b): [Seq, Seq] => [b[0], b[1]]);
    const ack = { ack: this.#received, blocks: copied, echo: this.#echo, ece: this.ece };
    this.#schedule(this.now + Math.trunc(this.options.rtt / 2), null, ack);
  }

  #insert(start: Seq, end: Seq): void {
    let merged: [Seq, Seq] = [start, end];
    for (let i = this.#ranges.length - 1; i >= 0; i--) {
      const range = this.#ranges[i]!;
      if (seqGt(merged[0], range[1]) || seqGt(range[0], merged[1])) continue;
      merged = [
        seqLt(range[0], merged[0]) ? range[0] : merged[0],
        seqGt(range[1], merged[1]) ? range[1] : merged[1],
      ];
      this.#ranges.splice(i, 1);
    }
    this.#ranges.unshift(merged); // the most recent first (RFC 2018 §4)
  }

  #onAck(received: Ack): void {
    if (seqLt(received.ack, this.una)) return;
    const { view, index } = { view: this.#view, index: this.#index };
    const count = this.options.sack ? received.blocks.length : 0;
    let at = 0;
    if (count > 0) {
      view.setUint16(0, 0x0101);
      view.setUint8(2, 5);
      view.setUint8(3, 2 + 8 * count);
      at = 4;
      for (let i = 0; i < count; i++) {
        view.setUint32(at, received.blocks[i]![0]);
        view.setUint32(at + 4, received.blocks[i]![1]);
        at += 8;
      }
    }
    index.read(view, 0, at);
    const echoed = this.options.timestamps
      ? (Math.trunc(this.now / 1000) - Math.trunc(received.echo / 1000)) * 1000
      : -1;
    const previous = this.una;
    this.una = received.ack;
    const { recovery, now } = this;
    recovery.onAck(now, previous, this.una, index, 0, false, received.ece, echoed as Duration);
  }

  #schedule(at: number, packet: Packet | null, ack: Ack | null): void {
    const event = { at, order: this.#order++, packet, ack };
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#events[middle]!;
      if (other.at < at || (other.at === at && other.order < event.order)) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }
}
