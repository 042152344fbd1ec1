import { SeededRng } from "../../../src/core/random.ts";
import { type Instant, instant, millis, seconds } from "../../../src/core/time.ts";
import type { StackLimits } from "../../../src/netstack/limits.ts";
import type { Packet } from "../../../src/netstack/packet.ts";
import { Stack } from "../../../src/netstack/stack.ts";
import type { TcpSettings } from "../../../src/netstack/tcp/settings.ts";
import { Application } from "./application.ts";
import { type Internet, internetOf } from "./internet.ts";
import { type Delay, type Script, ScriptError, type Step } from "./parser.ts";
import { Peer } from "./peer.ts";
import { ScriptedDevice } from "./scripted-device.ts";
import { formatSegment, mismatch, type Segment } from "./segment.ts";

/** How late a timer may be: two ticks of the wheel. */
const TOLERANCE = 2_000;
const START = instant(1_000_000_000);
/** Packets of the dump that an error shows. */
const SHOWN = 12;

/**
 * Runs a script over a stack in virtual time, over that version of IP; throws ScriptError at the first
 * thing that differs.
 */
export function runScript(script: Script, version: 4 | 6): void {
  new Interpreter(script, internetOf(version)).run();
}

class Interpreter {
  readonly #script: Script;
  readonly #stack: Stack;
  readonly #device: ScriptedDevice;
  readonly #application: Application;
  readonly #peer: Peer;
  /** Sent by the stack, and not yet expected. */
  readonly #unseen: { at: Instant; packet: Packet }[] = [];
  readonly #dump: string[] = [];
  #now: Instant = START;
  /** When the last step happened. */
  #at: Instant = START;
  #step!: Step;

  constructor(script: Script, internet: Internet) {
    this.#script = script;
    this.#peer = new Peer(internet);
    const settings = new Settings(script);
    this.#stack = new Stack({
      clock: { now: () => this.#now },
      rng: new SeededRng(settings.number("seed", 1)),
      wake() {},
      tcp: settings.tcp(),
      limits: settings.limits(),
    });
    this.#device = new ScriptedDevice(settings.number("mtu", 1_500));
    const name = "tun0";
    const quiet = {
      conflictDetection: "off",
      linkLocal: false,
      ipv6: internet.version === 6,
      acceptRouterAdvertisements: false,
    } as const;
    this.#stack.addInterface({ name, device: this.#device, settings: quiet });
    this.#stack.configuration.addAddress(name, internet.address);
    this.#application = new Application(this.#stack, internet);
    settings.finish();
    this.#device.sent.length = 0;
  }

  run(): void {
    for (const step of this.#script.steps) {
      this.#step = step;
      if (step.action.kind === "expect") this.#expect(step.action.segment, step.delay);
      else this.#perform(step);
    }
    this.#noneUnseen();
    this.#stack.close();
  }

  #perform(step: Step): void {
    const { action, delay } = step;
    this.#advance((this.#at + delay.least) as Instant);
    this.#at = this.#now;
    if (action.kind === "verb" && isLook(action.verb)) {
      this.#look(action.verb, action.words);
      return;
    }
    this.#noneUnseen();
    try {
      if (action.kind === "inject") {
        this.#note("<", formatSegment(action.segment));
        this.#receive(this.#peer.encode(action.segment));
      } else if (action.kind === "icmp") {
        this.#note("<", step.text);
        this.#receive(this.#peer.icmp(action.what, action.mtu, action.quoted));
      } else if (action.kind === "verb") this.#call(action.verb, action.words);
    } catch (error) {
      if (error instanceof ScriptError) throw error;
      this.#fail((error as Error).message);
    }
    this.#settle();
  }

  #receive(packet: Packet): void {
    this.#device.port.receive(packet);
  }

  #call(verb: string, words: readonly string[]): void {
    this.#note("|", [verb, ...words].join(" "));
    const [first, second] = words.map(Number);
    switch (verb) {
      case "listen":
        this.#peer.ourPort = first!;
        this.#application.listen(first!, second);
        return;
      case "connect":
        this.#peer.defaultPort = first!;
        this.#application.connect(first!, second);
        return;
      case "write": {
        const full = this.#application.write(first!);
        if (full !== (words[1] === "full")) this.#fail(`write says ${full ? "full" : "not full"}`);
        return;
      }
      case "peer":
        this.#peer.defaultPort = first!;
        return;
      case "device":
        this.#device.room = words[0] === "ready";
        return;
      case "link":
        this.#device.port.linkChanged(words[0] === "up");
        return;
      default:
        if (!this.#application.call(verb, words)) this.#fail(`no such call: ${verb}`);
    }
  }

  /** Assertions: they change nothing, so packets may wait to be expected. */
  #look(verb: string, words: readonly string[]): void {
    const { events } = this.#application;
    const wanted = words.join(" ");
    if (verb === "hears" && events.shift() !== wanted) {
      this.#fail(`not heard: ${wanted}; instead: ${events[0] ?? "nothing"}`);
    } else if (verb === "silent" && events.length > 0) {
      this.#fail(`heard ${events.join(", ")}`);
    } else if (verb === "state") {
      const state = this.#application.stream.info()?.state ?? "none";
      if (state !== wanted) this.#fail(`the state is ${state}`);
    } else if (verb === "connections") {
      const count = this.#stack.tcp.connections;
      if (count !== Number(wanted)) this.#fail(`there are ${count} connections`);
    } else if (verb === "info") this.#checkInfo(words);
    else if (verb === "quiet") this.#noneUnseen();
  }

  #checkInfo([name, operator, value]: readonly string[]): void {
    const info = this.#application.stream.info() as unknown as Record<string, unknown> | null;
    const actual = info?.[name!];
    const bound = /^\d+$/.test(value!) ? Number(value) : value;
    const numbers = typeof actual === "number" && typeof bound === "number";
    const holds =
      operator === "=="
        ? `${actual}` === `${bound}`
        : numbers && (operator === "<=" ? actual <= bound : operator === ">=" && actual >= bound);
    if (!holds) this.#fail(`${name} is ${actual}`);
  }

  #expect(expected: Segment, delay: Delay): void {
    const latest = (this.#at + delay.most + TOLERANCE) as Instant;
    this.#advance(latest, true);
    const sent = this.#unseen.shift();
    if (sent === undefined) this.#fail("nothing was sent");
    const actual = this.#decode(sent.packet);
    if (typeof actual === "string") this.#fail(`what was sent is ${actual}`);
    const text = formatSegment(actual);
    const wrong = mismatch(expected, actual);
    if (wrong !== null) this.#fail(`sent instead: ${text}\n  (${wrong})`);
    if (sent.at < this.#at + delay.least - TOLERANCE) {
      this.#fail(`sent ${inSeconds(this.#at + delay.least - sent.at)} s too early: ${text}`);
    }
    this.#at = sent.at;
  }

  /** Moves time on to `until`; or only until something was sent. */
  #advance(until: Instant, stopAtPacket = false): void {
    this.#settle();
    for (;;) {
      if (stopAtPacket && this.#unseen.length > 0) return;
      const next = this.#stack.nextTimeout();
      if (next === undefined || next > until) break;
      this.#now = Math.max(next, this.#now) as Instant;
      this.#settle();
    }
    // To look for a packet takes no time where none comes: the script fails then.
    if (this.#now < until) this.#now = until;
    this.#settle();
  }

  #settle(): void {
    this.#stack.run();
    for (const packet of this.#device.sent.splice(0)) {
      this.#unseen.push({ at: this.#now, packet });
      const segment = this.#decode(packet);
      this.#note(">", typeof segment === "string" ? segment : formatSegment(segment));
    }
  }

  #decode(packet: Packet): Segment | string {
    return this.#peer.decode(packet);
  }

  #noneUnseen(): void {
    const sent = this.#unseen[0];
    if (sent === undefined) return;
    const segment = this.#decode(sent.packet);
    const text = typeof segment === "string" ? segment : formatSegment(segment);
    this.#fail(`sent, but not expected: ${text}`);
  }

  #note(mark: string, what: string): void {
    this.#dump.push(`  ${inSeconds(this.#now - START)} ${mark} ${what}`);
  }

  #fail(why: string): never {
    const where = `${this.#script.name}:${this.#step.line}`;
    const heard = this.#application.events;
    const state = this.#application.hasStream ? this.#application.stream.info()?.state : "none";
    throw new ScriptError(
      [
        `${where}: ${this.#step.text}`,
        `  ${why}`,
        `at ${inSeconds(this.#now - START)} s, state ${state}, heard: ${heard.join(", ") || "-"}`,
        ...this.#dump.slice(-SHOWN),
      ].join("\n"),
    );
  }
}

const LOOKS = ["hears", "silent", "state", "connections", "info", "quiet"];
const isLook = (verb: string): boolean => LOOKS.includes(verb);
const inSeconds = (micros: number): string => (micros / 1e6).toFixed(6);

/** `set` lines: of the script, of TCP by the names of `TcpSettings`, and of the stack's limits. */
class Settings {
  readonly #script: Script;
  readonly #left: Map<string, string>;

  constructor(script: Script) {
    this.#script = script;
    this.#left = new Map(script.settings);
    this.#left.delete("ip"); // whoever runs it has looked at that
  }

  number(name: string, otherwise: number): number {
    const text = this.#take(name);
    return text === undefined ? otherwise : Number(text);
  }

  /** Plain by default: no timestamps and no scaling, so that scripts need not write them. */
  tcp(): Partial<TcpSettings> {
    const flag = (name: string) => this.#take(name) === "on";
    const duration = (name: string, otherwise: number) => seconds(this.number(name, otherwise));
    return {
      congestion: (this.#take("congestion") ?? "newreno") as TcpSettings["congestion"],
      sack: flag("sack"),
      timestamps: flag("timestamps"),
      windowScaling: flag("windowScaling"),
      rack: flag("rack"),
      ecn: (this.#take("ecn") ?? "off") as TcpSettings["ecn"],
      maxSegment: this.number("maxSegment", 1_000),
      receiveBuffer: this.number("receiveBuffer", 60_000),
      maxReceiveBuffer: this.number("maxReceiveBuffer", 60_000),
      minRto: millis(this.number("minRto", 1) * 1_000),
      synRetries: this.number("synRetries", 3),
      synAckRetries: this.number("synAckRetries", 3),
      timeWait: duration("timeWait", 60),
      finWait2: duration("finWait2", 60),
    };
  }

  limits(): Partial<StackLimits> {
    const names = ["synBacklog", "timeWait", "orphans", "connections", "resetsPerSecond"] as const;
    const limits: Partial<Record<(typeof names)[number] | "challengeAcksPerSecond", number>> = {};
    for (const name of [...names, "challengeAcksPerSecond"] as const) {
      const text = this.#take(`limit.${name}`);
      if (text !== undefined) limits[name] = Number(text);
    }
    return limits;
  }

  finish(): void {
    const [unknown] = this.#left.keys();
    if (unknown !== undefined) throw new ScriptError(`${this.#script.name}: no setting ${unknown}`);
  }

  #take(name: string): string | undefined {
    const text = this.#left.get(name);
    this.#left.delete(name);
    return text;
  }
}
