import type { Rng } from "../../core/random.ts";
import type { Packet } from "../../netstack/packet.ts";
import { Happening } from "./agenda.ts";
import { drawLatency, happens, type LinkConditions, LossModel } from "./conditions.ts";
import type { Frame, FrameCarrier } from "./frame.ts";
import { FrameQueue } from "./frame-queue.ts";
import { corrupt, ipLength, ipStart, markCongestion, wireBytes } from "./frame-surgery.ts";
import type { Simulation } from "./simulation.ts";

/** What is at the end of a channel: a device, or a port of a switch. */
export interface Endpoint {
  readonly name: string;
  readonly medium: "ethernet" | "ip";
  /** Borrowed until it returns. */
  deliver(packet: Packet): void;
  /** The queue has room again, after it refused. */
  room(): void;
  carrier(up: boolean): void;
  setMtu(mtu: number): void;
}

/** Sees a frame on its way: may not change or keep it. `sent` as it leaves, or as it is `received`. */
export type FrameWitness = (packet: Packet, what: "sent" | "received") => void;

/** What became of the frames of a channel. */
export class ChannelCounters {
  sent = 0;
  delivered = 0;
  deliveredBytes = 0;
  lost = 0;
  /** No room in the queue. */
  overflowed = 0;
  /** By a filter, for their length, or because the link went down. */
  dropped = 0;
  duplicated = 0;
  reordered = 0;
  corrupted = 0;
  marked = 0;
}

/**
 * One direction of a link. A frame waits in the queue, is sent bit by bit as `bandwidth` says, and
 * then is on its way for the latency; all chance is drawn when it leaves the queue.
 */
export class Channel implements FrameCarrier {
  conditions: LinkConditions;
  readonly name: string;
  readonly counters = new ChannelCounters();
  /**
   * Asked for each frame as it leaves the queue, with its number from 1: false drops it. For losses at
   * chosen places.
   */
  filter: ((packet: Packet, number: number) => boolean) | null = null;
  readonly #simulation: Simulation;
  readonly #from: Endpoint;
  readonly #to: Endpoint;
  readonly #rng: Rng;
  readonly #losses = new LossModel();
  readonly #queue = new FrameQueue();
  readonly #sender: Sender;
  readonly #witnesses: FrameWitness[] = [];
  #up = true;
  #epoch = 0;
  #refused = false;
  #lastArrival = 0;

  constructor(simulation: Simulation, from: Endpoint, to: Endpoint, conditions: LinkConditions) {
    this.#simulation = simulation;
    this.#from = from;
    this.#to = to;
    this.#rng = simulation.fork();
    this.#sender = new Sender(() => this.#departed());
    this.name = `${from.name}>${to.name}`;
    this.conditions = conditions;
  }

  /** Bytes and frames that wait, with the one that is being sent. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get queuedFrames(): number {
    return this.#queue.length;
  }

  watch(witness: FrameWitness): void {
    this.#witnesses.push(witness);
  }

  /** Takes a copy of the frame; false only where it `refuse`s. */
  send(packet: Packet): boolean {
    if (!this.#up) return this.#drop(packet, "link down");
    if (packet.gsoSize === 0 || !this.conditions.cutSegments) return this.#enqueue(packet);
    return this.#cut(packet);
  }

  #cut(packet: Packet): boolean {
    const { segmenter, segment } = this.#simulation;
    const network = ipStart(packet, this.#from.medium);
    if (network < 0 || !segmenter.begin(packet, network)) return this.#drop(packet, "unfit");
    for (let first = true; segmenter.next(segment); first = false) {
      // Refused as a whole or not at all: `transmit` has no word for half of it.
      if (!this.#enqueue(segment) && first) return false;
    }
    return true;
  }

  #enqueue(packet: Packet): boolean {
    const { conditions, counters } = this;
    const length = ipLength(packet, this.#from.medium);
    const cost = wireBytes(packet, this.#from.medium);
    // A long segment is judged by the frames that it stands for.
    const longest = packet.gsoSize === 0 ? length : 0;
    if (longest > conditions.mtu || longest > conditions.blackHoleAbove) {
      return this.#drop(packet, "too long");
    }
    const queue = this.#queue;
    const full =
      queue.length > 0 &&
      (queue.bytes + cost > conditions.queueBytes || queue.length >= conditions.queueFrames);
    if (full && conditions.whenFull === "refuse") {
      this.#refused = true;
      return false;
    }
    counters.sent++;
    if (full) {
      counters.overflowed++;
      this.#note(packet, "queue full");
      return true;
    }
    const frame = this.#simulation.pool.copyOf(packet);
    frame.carrier = this;
    frame.epoch = this.#epoch;
    frame.cost = cost;
    frame.number = counters.sent;
    this.#witness(frame.packet, "sent");
    if (queue.bytes >= conditions.markAbove) this.#mark(frame);
    if (queue.length === 0 && conditions.bandwidth === Number.POSITIVE_INFINITY) {
      this.#launch(frame);
      return true;
    }
    queue.push(frame);
    if (queue.length === 1) this.#startSending(frame);
    return true;
  }

  /** Loses what waits and what is on its way when it goes down. */
  setUp(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    if (up) return;
    this.#epoch++;
    this.#simulation.agenda.remove(this.#sender);
    for (let frame = this.#queue.shift(); frame !== null; frame = this.#queue.shift()) {
      this.#drop(frame.packet, "link down");
      this.#simulation.pool.release(frame);
    }
    this.#offerRoom();
  }

  arrive(frame: Frame): void {
    const { packet } = frame;
    if (frame.epoch !== this.#epoch) this.#drop(packet, "link down");
    else {
      this.counters.delivered++;
      this.counters.deliveredBytes += packet.end - packet.start;
      this.#note(packet, "arrived");
      this.#witness(packet, "received");
      this.#to.deliver(packet);
    }
    this.#simulation.pool.release(frame);
  }

  #startSending(frame: Frame): void {
    // A bandwidth that was taken away while frames waited sends them at once.
    const time = (frame.cost * 1e6) / this.conditions.bandwidth;
    this.#simulation.agenda.set(this.#sender, this.#simulation.time + time);
  }

  #departed(): void {
    const frame = this.#queue.shift()!;
    this.#launch(frame);
    const next = this.#queue.first;
    if (next !== null) this.#startSending(next);
    this.#offerRoom();
  }

  #offerRoom(): void {
    if (!this.#refused) return;
    this.#refused = false;
    this.#from.room();
  }

  /** The frame has left the queue: what happens to it on its way is decided here. */
  #launch(frame: Frame): void {
    const { conditions, counters } = this;
    const rng = this.#rng;
    if (this.filter !== null && !this.filter(frame.packet, frame.number)) {
      return this.#lose(frame, "filtered");
    }
    if (this.#losses.draw(conditions, rng)) return this.#lose(frame, "lost");
    if (happens(conditions.corruption, rng)) {
      counters.corrupted++;
      if (!corrupt(frame.packet, this.#from.medium, rng)) return this.#lose(frame, "corrupted");
      this.#note(frame.packet, "corrupted");
    }
    if (happens(conditions.duplication, rng)) this.#duplicate(frame);
    this.#fly(frame);
  }

  #fly(frame: Frame): void {
    const { conditions } = this;
    const latency = drawLatency(conditions, this.#rng);
    let arrival = this.#simulation.time + latency;
    if (happens(conditions.reordering, this.#rng)) {
      this.counters.reordered++;
      this.#note(frame.packet, "held up");
      arrival += conditions.reorderDelay;
    } else {
      if (arrival < this.#lastArrival) arrival = this.#lastArrival;
      this.#lastArrival = arrival;
    }
    this.#simulation.agenda.set(frame, arrival);
  }

  #duplicate(frame: Frame): void {
    this.counters.duplicated++;
    this.#note(frame.packet, "duplicated");
    const copy = this.#simulation.pool.copyOf(frame.packet);
    copy.carrier = this;
    copy.epoch = frame.epoch;
    copy.cost = frame.cost;
    copy.number = frame.number;
    this.#fly(copy);
  }

  #mark(frame: Frame): void {
    if (!markCongestion(frame.packet, this.#from.medium)) return;
    this.counters.marked++;
    this.#note(frame.packet, "marked");
  }

  #lose(frame: Frame, why: string): void {
    if (why === "filtered") this.counters.dropped++;
    else this.counters.lost++;
    this.#note(frame.packet, why);
    this.#simulation.pool.release(frame);
  }

  /** True, as it was taken. */
  #drop(packet: Packet, why: string): true {
    this.counters.dropped++;
    this.#note(packet, why);
    return true;
  }

  #witness(packet: Packet, what: "sent" | "received"): void {
    for (let i = 0; i < this.#witnesses.length; i++) this.#witnesses[i]!(packet, what);
  }

  #note(packet: Packet, what: string): void {
    const { trace } = this.#simulation;
    if (trace === null) return;
    trace(`${this.#simulation.time} ${this.name} ${packet.end - packet.start} ${what}`);
  }
}

/** The moment when the frame at the head of the queue has been sent. */
class Sender extends Happening {
  readonly #done: () => void;

  constructor(done: () => void) {
    super();
    this.#done = done;
  }

  happen(): void {
    this.#done();
  }
}
