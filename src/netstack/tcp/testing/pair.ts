import type { NetError } from "../../../core/errors.ts";
import { below, type Rng, SeededRng, unit } from "../../../core/random.ts";
import { type Duration, type Instant, instant, millis } from "../../../core/time.ts";
import { TimerWheel } from "../../../core/timer-wheel.ts";
import type { Timer, TimerTarget } from "../../../core/transport.ts";
import { seq } from "../../../wire/seq.ts";
import { TcpView } from "../../../wire/tcp.ts";
import { Ip } from "../../ip-address.ts";
import { Packet } from "../../packet.ts";
import { MemoryAhead } from "../assembler.ts";
import { TcpConnection } from "../connection.ts";
import type { TcpEndpoints, TcpHost } from "../host.ts";
import { OutgoingSegment } from "../outgoing-segment.ts";
import type { TcpOwner } from "../owner.ts";
import { QueueMemory } from "../queue-memory.ts";
import { DEFAULT_TCP, type TcpSettings } from "../settings.ts";
import type { TcpStateKind } from "../state.ts";

/** What a wire does to segments. */
export interface WireFaults {
  readonly delay: Duration;
  /** Added to the delay, uniformly: larger than the spacing it reorders. */
  readonly jitter: Duration;
  /** Probabilities. */
  readonly loss: number;
  readonly duplication: number;
  /** Marks ECN-capable packets "congestion experienced". */
  readonly marking: number;
}

export const PERFECT_WIRE: WireFaults = {
  delay: millis(10),
  jitter: 0 as Duration,
  loss: 0,
  duplication: 0,
  marking: 0,
};

export interface PairOptions {
  readonly seed?: number;
  readonly wire?: Partial<WireFaults>;
  readonly client?: Partial<TcpSettings>;
  readonly server?: Partial<TcpSettings>;
  readonly mss?: number;
  /** Packets of up to 64 KiB, which the wire cuts up. */
  readonly gso?: boolean;
}

interface Flight {
  readonly at: Instant;
  readonly order: number;
  readonly to: Side;
  readonly bytes: Uint8Array;
  readonly ecn: number;
}

/** A segment as it went onto the wire, before the wire did anything to it. */
export interface Sent {
  readonly from: string;
  readonly at: Instant;
  readonly bytes: Uint8Array;
  readonly ecn: number;
}

/** One end: a host, an owner that notes what it hears, and the connection. */
export class Side implements TcpHost, TcpOwner {
  readonly name: string;
  readonly pair: Pair;
  readonly rng: Rng;
  readonly memoryAhead = new MemoryAhead(64 << 20);
  readonly sendMemory = new QueueMemory(64 << 20);
  readonly receiveMemory = new QueueMemory(64 << 20);
  readonly events: string[] = [];
  readonly states: TcpStateKind[] = [];
  connection: TcpConnection | null = null;
  received = new Uint8Array(1024);
  receivedLength = 0;
  error: NetError | null = null;
  /** May call commands; by default nothing. */
  onEvent: (event: string) => void = () => {};
  wants = false;

  constructor(name: string, pair: Pair, seed: number) {
    this.name = name;
    this.pair = pair;
    this.rng = new SeededRng(seed);
  }

  get c(): TcpConnection {
    return this.connection!;
  }

  now(): Instant {
    return this.pair.now;
  }

  schedule(target: TimerTarget, at: Instant): Timer {
    return this.pair.wheel.schedule(target, at);
  }

  wantsTransmit(): void {
    this.wants = true;
  }

  onStateChanged(connection: TcpConnection): void {
    this.states.push(connection.state.kind);
  }

  challengeAllowed(): boolean {
    return true;
  }

  onEstablished(): void {
    this.#note("established");
  }

  onData(bytes: Uint8Array, start: number, end: number): void {
    const total = this.receivedLength + end - start;
    if (total > this.received.length) {
      const larger = new Uint8Array(total * 2);
      larger.set(this.received);
      this.received = larger;
    }
    this.received.set(bytes.subarray(start, end), this.receivedLength);
    this.receivedLength = total;
    this.onEvent("data");
  }

  onEnd(): void {
    this.#note("end");
  }

  onAcknowledged(): void {
    this.onEvent("acknowledged");
  }

  onClosed(error: NetError | null): void {
    this.error = error;
    this.#note(error === null ? "closed" : `closed ${error.code}`);
  }

  get bytes(): Uint8Array {
    return this.received.subarray(0, this.receivedLength);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    this.c.write(bytes, 0, bytes.length);
  }

  #note(event: string): void {
    this.events.push(event);
    this.onEvent(event);
  }
}

/**
 * Two connections that face each other over a wire with faults, in virtual time, all from one seed.
 * `step` does the next thing; `run` goes on until a condition holds or time is up.
 */
export class Pair {
  now: Instant = instant(1_000_000);
  readonly wheel = new TimerWheel(this.now);
  readonly client: Side;
  readonly server: Side;
  readonly sent: Sent[] = [];
  wire: WireFaults;
  /** Called for each segment before the wire has it; false drops it. */
  filter: (from: Side, view: TcpView) => boolean = () => true;
  /** Keeps copies in `sent`. */
  tracing = true;
  readonly #rng: Rng;
  readonly #view = new TcpView();
  readonly #packet = Packet.allocate();
  readonly #segment = new OutgoingSegment();
  readonly #options: PairOptions;
  #flights: Flight[] = [];
  #order = 0;

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1;
    this.#options = options;
    this.wire = { ...PERFECT_WIRE, ...options.wire };
    this.#rng = new SeededRng(seed, 3);
    this.client = new Side("client", this, seed + 1);
    this.server = new Side("server", this, seed + 2);
  }

  /** The client's SYN is ready to go; the server makes its connection when it arrives. */
  connect(iss = seq(0xffff_fff0)): this {
    this.client.connection = TcpConnection.connect(
      this.client,
      CLIENT,
      { ...DEFAULT_TCP, ...this.#options.client },
      this.mss,
      iss,
      77,
      this.client,
    );
    return this;
  }

  /** Both open at once. */
  connectBoth(): this {
    this.connect();
    this.server.connection = TcpConnection.connect(
      this.server,
      SERVER,
      { ...DEFAULT_TCP, ...this.#options.server },
      this.mss,
      seq(5_000),
      99,
      this.server,
    );
    return this;
  }

  /** Connected, with nothing in flight. */
  established(): this {
    this.connect();
    this.run(() => this.server.events.includes("established"), millis(60_000));
    this.settle(millis(100));
    return this;
  }

  get mss(): number {
    return this.#options.mss ?? 1460;
  }

  /** Until `done` says so; false when time is up first, or nothing can happen any more. */
  run(done: () => boolean, limit: Duration = millis(600_000)): boolean {
    const until = this.now + limit;
    while (!done()) {
      if (this.now > until) return false;
      if (!this.step()) return done();
    }
    return true;
  }

  /** Lets time pass, whatever happens in it. */
  settle(time: Duration): void {
    const until = (this.now + time) as Instant;
    this.#flush();
    for (;;) {
      const next = this.#next();
      if (next > until) break;
      this.#advance(next);
    }
    this.now = until;
    this.wheel.advance(until);
    this.#flush();
  }

  /** The next event; false when there is none. */
  step(): boolean {
    this.#flush();
    const next = this.#next();
    if (next === Number.POSITIVE_INFINITY) return false;
    this.#advance(next as Instant);
    return true;
  }

  /** A segment that nobody of the two sent. */
  inject(to: Side, bytes: Uint8Array, ecn = 0): void {
    this.#deliver({ at: this.now, order: 0, to, bytes, ecn });
    this.#flush();
  }

  #next(): number {
    let at: number = this.wheel.nextDeadline() ?? Number.POSITIVE_INFINITY;
    for (const flight of this.#flights) if (flight.at < at) at = flight.at;
    return at;
  }

  #advance(at: number): void {
    if (at > this.now) this.now = at as Instant;
    this.wheel.advance(this.now);
    const due = this.#flights.filter((flight) => flight.at <= this.now);
    if (due.length > 0) {
      this.#flights = this.#flights.filter((flight) => flight.at > this.now);
      due.sort((a, b) => a.at - b.at || a.order - b.order);
      for (const flight of due) this.#deliver(flight);
    }
    this.#flush();
  }

  #flush(): void {
    for (const side of [this.client, this.server]) {
      if (!side.wants || side.connection === null) continue;
      side.wants = false;
      for (let rounds = 0; ; rounds++) {
        if (rounds > 100_000) throw new Error(`${side.name} never stops sending`);
        if (!this.#sendOne(side)) break;
      }
    }
  }

  #sendOne(side: Side): boolean {
    const packet = this.#packet;
    const segment = this.#segment;
    packet.reset();
    segment.gso = this.#options.gso ?? false;
    segment.maxSegment = segment.gso ? 65_000 : this.mss;
    if (!side.c.pollTransmit(this.now, packet, segment)) return false;
    side.c.committed(this.now, segment);
    for (const bytes of cut(packet)) this.#launch(side, bytes, segment.ecn);
    return true;
  }

  #launch(from: Side, bytes: Uint8Array, ecn: number): void {
    if (this.tracing) this.sent.push({ from: from.name, at: this.now, bytes, ecn });
    const view = this.#view;
    view.wrap(new DataView(bytes.buffer), 0, bytes.length);
    if (!this.filter(from, view)) return;
    const { loss, duplication, delay, jitter, marking } = this.wire;
    if (unit(this.#rng) < loss) return;
    const to = from === this.client ? this.server : this.client;
    const marked = ecn !== 0 && unit(this.#rng) < marking ? 3 : ecn;
    const copies = unit(this.#rng) < duplication ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const at = this.now + delay + (jitter > 0 ? below(this.#rng, jitter) : 0);
      this.#flights.push({ at: at as Instant, order: this.#order++, to, bytes, ecn: marked });
    }
  }

  #deliver({ to, bytes, ecn }: Flight): void {
    const memory = bytes.slice();
    const view = this.#view;
    if (view.wrap(new DataView(memory.buffer), 0, memory.length) !== "ok") return;
    if (to.connection === null) {
      if (!view.syn || to !== this.server) return;
      const settings = { ...DEFAULT_TCP, ...this.#options.server };
      to.connection = TcpConnection.accept(
        to,
        SERVER,
        settings,
        this.mss,
        seq(0x7fff_ff00),
        99,
        view,
      );
      to.connection.owner = to;
    } else to.c.handleSegment(this.now, view, memory, ecn);
    memory.fill(0xee); // borrowed bytes must not be kept
  }
}

const CLIENT: TcpEndpoints = {
  local: Ip.v4(0x0a00_0001),
  localPort: 40_000,
  remote: Ip.v4(0x0a00_0002),
  remotePort: 80,
};
const SERVER: TcpEndpoints = {
  local: CLIENT.remote,
  localPort: CLIENT.remotePort,
  remote: CLIENT.local,
  remotePort: CLIENT.localPort,
};

/** What a device does to a packet with `gsoSize`: FIN and PSH go with the last part. */
function cut(packet: Packet): Uint8Array[] {
  const whole = packet.bytes.slice(packet.start, packet.end);
  if (packet.gsoSize === 0) return [whole];
  const header = (whole[12]! >>> 4) * 4;
  const payload = whole.length - header;
  const sequence = new DataView(whole.buffer).getUint32(4);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < payload; at += packet.gsoSize) {
    const n = Math.min(packet.gsoSize, payload - at);
    const part = new Uint8Array(header + n);
    part.set(whole.subarray(0, header));
    part.set(whole.subarray(header + at, header + at + n), header);
    new DataView(part.buffer).setUint32(4, sequence + at);
    if (at + n < payload) part[13]! &= ~0x09;
    parts.push(part);
  }
  return parts;
}

/** Bytes that differ at each position of a long stretch. */
export function pattern(length: number, rng: Rng): Uint8Array {
  const bytes = new Uint8Array(length);
  let word = rng.u32();
  for (let i = 0; i < length; i++) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = word >>> 24;
  }
  return bytes;
}
