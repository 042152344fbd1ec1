import { after, type Duration, micros, millis, seconds } from "../../../src/core/time.ts";
import {
  FULL_OFFLOAD,
  Network,
  type SimulatedDevice,
  type SimulatedHost,
} from "../../../src/drivers/simulation/public.ts";
import { Ip, MAX_FRAME, Packet, type StackLimits } from "../../../src/netstack/public.ts";
import {
  ArpOperation,
  ArpView,
  arpLength,
  EtherType,
  emitArp,
  emitNdp,
  IpProtocol,
  type Ipv6Words,
  type Mac,
  ndpLength,
  readIpv6,
  readMac,
} from "../../../src/wire/public.ts";
import { Applications, attempt } from "./applications.ts";
import { beyondBounds } from "./bounds.ts";
import { Dialogue } from "./dialogue.ts";
import { Dice } from "./dice.ts";
import { ethernet, ip, written } from "./frames.ts";
import { eavesdropper, hostilePeer } from "./hostile-peer.ts";
import { informed, packets } from "./ip-attacks.ts";
import { leases } from "./leases.ts";
import { impostors, neighbors } from "./link-attacks.ts";
import { mutate } from "./mutation.ts";
import { ATTACKER, type Attack, type Target } from "./target.ts";
import { WireCheck } from "./wire-check.ts";

/** Small enough that attacks reach them. */
const LIMITS: Partial<StackLimits> = {
  neighbors: 32,
  bytesAwaitingNeighbors: 60_000,
  fragmentBytes: 100_000,
  fragmentedDatagrams: 12,
  routes: 100,
  paths: 32,
  connections: 60,
  synBacklog: 16,
  timeWait: 12,
  orphans: 6,
  addressesPerInterface: 24,
  groupsPerInterface: 48,
  icmpErrorsPerSecond: 100,
  icmpErrorBurst: 20,
  datagramBytes: 50_000,
};
const SEEN = 64;
/** Things that may happen at one instant, and while a step lasts; more is a loop that sends to itself. */
const MOST_AT_ONCE = 5_000;
const MOST_IN_A_STEP = 200_000;

export interface SceneOptions {
  readonly seed: number;
  /** `blind`: an innocent connection has to survive; `spoofing`: anything goes, at every layer. */
  readonly attacker: "blind" | "spoofing";
  readonly forwarding: boolean;
  readonly offload: boolean;
}

/** A victim, an innocent peer that it talks with, and somebody else on the same Ethernet. */
export class Scene implements Target {
  readonly dice: Dice;
  readonly network: Network;
  readonly victim: SimulatedHost;
  readonly seen: Uint8Array[] = [];
  readonly ports = { victim: 7, innocent: 0 };
  readonly udpPorts = [5353, 9999, 53];
  readonly wire: WireCheck;
  readonly dialogues: readonly Dialogue[];
  readonly #options: SceneOptions;
  readonly #applications: Applications;
  readonly #device: SimulatedDevice;
  readonly #attacker: SimulatedDevice;
  readonly #attacks: readonly (readonly [string, Attack])[];
  /** Held down for a while by its administrator. */
  #down = false;
  /** What was done, the newest last, for looking at a run that failed. */
  readonly log: string[] = [];

  constructor(options: SceneOptions) {
    this.#options = options;
    const { seed, forwarding } = options;
    this.dice = new Dice(seed, 1);
    this.network = new Network({ seed });
    const settings = { dadTransmits: 1, forwarding, temporaryAddresses: this.dice.chance(0.3) };
    this.victim = this.network.host("victim", { limits: LIMITS, settings });
    const innocent = this.network.host("innocent", {
      settings: { acceptRouterAdvertisements: false },
    });
    const offload = options.offload ? { offload: FULL_OFFLOAD } : {};
    const segment = this.network.segment([], { latency: micros(200) });
    this.network.join(segment, {
      host: this.victim,
      addresses: ["10.0.0.1/24", "2001:db8::1/64"],
      ...offload,
    });
    this.network.join(segment, {
      host: innocent,
      addresses: ["10.0.0.2/24", "2001:db8::2/64"],
      ...offload,
    });
    if (forwarding) {
      const beyond = this.network.host("beyond");
      this.network.link(
        { host: this.victim, addresses: ["192.0.2.1/24", "2400::1/64"] },
        { host: beyond, addresses: ["192.0.2.9/24", "2400::9/64"] },
        { latency: millis(3), mtu: 1300 },
      );
    }
    this.#device = this.victim.device("eth0");
    this.#attacker = this.network.device({ name: "attacker", mac: ATTACKER });
    segment.plug(this.#attacker);
    this.#attacker.attach({
      receive: (packet) => this.#overhear(packet),
      ready() {},
      linkChanged() {},
      mtuChanged() {},
    });
    const eth0 = this.victim.interface("eth0");
    this.wire = new WireCheck(eth0, this.network.simulation, forwarding);
    eth0.addTap({
      onFrame: (_from, { bytes, start, end }) => {
        this.seen.push(bytes.slice(start, end));
        if (this.seen.length > SEEN) this.seen.shift();
      },
    });
    this.network.run(after(this.network.now, seconds(3)));
    this.#applications = new Applications(this.victim.stack, new Dice(seed, 2));
    this.dialogues = ["10.0.0.1", "2001:db8::1"].map(
      (address) => new Dialogue(this.victim.stack, innocent.stack, address, this.ports.victim),
    );
    this.network.run(after(this.network.now, seconds(1)));
    this.ports.innocent = this.dialogues[0]!.port;
    const blind = { ...packets, ...neighbors, "a hostile peer": hostilePeer };
    const spoofing = { ...informed, ...impostors, ...leases, "an eavesdropper": eavesdropper };
    const all = options.attacker === "blind" ? blind : { ...blind, ...spoofing };
    this.#attacks = Object.entries(all);
  }

  get mac(): Mac {
    return this.#device.mac;
  }

  get linkLocal(): Ipv6Words {
    const found = this.victim
      .interface("eth0")
      .addresses.all.find(({ ip: own }) => own.isLinkLocal && own.version === 6);
    const own = found?.ip ?? Ip.parse("fe80::1")!;
    return [own.w0 >>> 0, own.w1 >>> 0, own.w2 >>> 0, own.w3 >>> 0];
  }

  /** Some frames, some calls, some time; then everything is looked at. */
  step(): void {
    const { dice } = this;
    const spoofed = this.#options.attacker === "spoofing";
    for (let i = dice.below(6); i > 0; i--) {
      if (spoofed && dice.chance(0.4)) this.#replay();
      else {
        const [name, attack] = dice.pick(this.#attacks);
        this.log.push(name);
        for (let n = dice.chance(0.2) ? 30 : dice.between(1, 3); n > 0; n--) attack(this);
      }
    }
    if (dice.chance(0.5)) this.#applications.act();
    if (spoofed && dice.chance(0.1)) this.#administer();
    if (this.#down && dice.chance(0.3)) this.#setDown(false);
    for (const dialogue of this.dialogues) dialogue.write(dice.below(3000), dice.below(3000));
    this.advance(this.#someTime());
    this.check();
  }

  inject(frame: Uint8Array): void {
    const packet = Packet.allocate(Math.max(2048, frame.length + 256));
    const length = Math.min(frame.length, MAX_FRAME);
    packet.bytes.set(frame.subarray(0, length), packet.start);
    packet.end = packet.start + length;
    if (this.#options.attacker === "spoofing" && this.dice.chance(0.15))
      this.#pretendOffload(packet);
    this.#device.deliver(packet);
  }

  /** Metadata as a hostile or broken device has it; what points out of the frame its driver drops. */
  #pretendOffload(packet: Packet): void {
    const { dice } = this;
    packet.checksum = dice.pick(["complete", "verified", "partial"] as const);
    // A device that has IP headers summed changes what is quoted of them: that is not the stack's fault.
    const transport = packet.view.getUint16(packet.start + 12) === EtherType.ipv6 ? 54 : 34;
    const at = transport + dice.pick([0, 0, 8, dice.below(200), dice.below(70_000)]);
    packet.checksumStart = packet.start + at;
    packet.checksumOffset = dice.pick([2, 6, 16, dice.below(100), dice.below(65_536)]);
    packet.gsoType = dice.pick([0, 1, 3, 4, 5, 0x81, dice.below(256)]);
    packet.gsoSize = dice.pick([0, 1, 8, 536, 1448, 65_535, dice.below(65_536)]);
  }

  #replay(): void {
    const { dice, seen } = this;
    if (seen.length === 0) return;
    this.log.push("mutation");
    const frame = dice.pick(seen);
    const bytes = dice.chance(0.2) ? frame.slice() : mutate(frame, dice.pick(seen), dice);
    // What the victim sent comes back to it as if the other one had.
    if (dice.chance(0.5) && bytes.length >= 12) {
      const dv = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      dv.setUint16(0, Math.floor(this.mac / 2 ** 32));
      dv.setUint32(2, this.mac % 2 ** 32);
    }
    this.inject(bytes);
  }

  #administer(): void {
    const { dice, victim } = this;
    const { stack } = victim;
    const eth0 = victim.interface("eth0");
    const address = dice.pick(["10.0.0.33/24", "10.0.0.1/24", "2001:db8::33/64", "2001:db8::1/64"]);
    const action = dice.pick(["add", "remove", "down", "mtu", "dhcp", "carrier", "routers"]);
    this.log.push(`administrator: ${action}`);
    if (action === "add") attempt(() => stack.configuration.addAddress("eth0", address));
    else if (action === "remove") attempt(() => stack.configuration.removeAddress("eth0", address));
    else if (action === "mtu") eth0.setMtu(dice.pick([100, 576, 1280, 1400, 1500, 9000]));
    else if (action === "down") this.#setDown(true);
    else if (action === "carrier") {
      eth0.linkChanged(false);
      eth0.linkChanged(true);
    } else if (action === "routers") {
      eth0.settings.acceptRouterAdvertisements = dice.chance(0.8);
      stack.autoconfiguration.refresh(eth0);
    } else if (dice.chance(0.8)) stack.startDhcp("eth0");
    else stack.startDhcp("eth0").stop();
    victim.wake();
  }

  #setDown(down: boolean): void {
    this.#down = down;
    this.victim.interface("eth0").setUp(!down);
    this.victim.wake();
  }

  #someTime(): Duration {
    const { dice } = this;
    const most = dice.pick([50, 5_000, 5_000, 200_000, 2_000_000, 60_000_000]);
    return dice.chance(0.02) ? seconds(dice.between(600, 20_000)) : micros(dice.below(most));
  }

  /** Lets time pass; throws where the stack keeps itself busy, or wants to run in the past. */
  advance(duration: Duration): void {
    const { network, victim } = this;
    const { simulation } = network;
    const until = after(network.now, duration);
    let last = simulation.time;
    let still = 0;
    for (let steps = 0; simulation.agenda.next <= until; steps++) {
      network.step();
      still = simulation.time === last ? still + 1 : 0;
      last = simulation.time;
      if (still > MOST_AT_ONCE) throw new Error("busy without an end at one instant");
      if (steps > MOST_IN_A_STEP) throw new Error(`busy: ${steps} steps in ${duration / 1e6} s`);
    }
    simulation.moveTo(until);
    const next = victim.stack.run();
    if (next !== undefined && next < network.now) throw new Error("a timeout in the past remains");
  }

  check(): void {
    const wrong = [...this.wire.violations, ...beyondBounds(this.victim.stack)];
    if (this.#applications.violations > 0)
      wrong.push("a stream's handler heard something after onClose");
    const seconds = this.network.now / 1e6;
    const most = LIMITS.icmpErrorBurst! + LIMITS.icmpErrorsPerSecond! * (seconds + 1);
    if (this.wire.icmpErrors > most) wrong.push(`${this.wire.icmpErrors} ICMP errors`);
    if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join("\n"));
  }

  /** The attack is over: what it left behind goes away by itself, and the stack works as before. */
  calmDown(): void {
    const { stack } = this.victim;
    this.#setDown(false);
    if (this.#options.attacker === "blind") {
      for (let i = 0; i < 60 && !this.dialogues.every((dialogue) => dialogue.idle); i++) {
        this.advance(seconds(10));
      }
      for (const dialogue of this.dialogues) dialogue.check();
    }
    for (const dialogue of this.dialogues) dialogue.close();
    this.#applications.close();
    this.advance(seconds(3600));
    this.check();
    if (stack.tcp.connections > 0) {
      throw new Error(`left: ${JSON.stringify(stack.tcp.list())}, of ${stack.tcp.connections}`);
    }
    if (stack.ip.reassembler.bytes > 0) throw new Error("fragments are left");
    this.#talkToItself();
  }

  #talkToItself(): void {
    const { stack } = this.victim;
    for (const address of ["127.0.0.1", "::1"]) {
      const dialogue = new Dialogue(stack, stack, address, 4321);
      dialogue.write(20_000, 20_000);
      this.advance(seconds(10));
      if (!dialogue.idle) throw new Error(`${address} does not answer any more`);
      dialogue.check();
      dialogue.close();
      this.advance(seconds(130));
    }
  }

  /** The attacker answers for some addresses, so that there are neighbours to have. */
  #overhear(packet: Packet): void {
    const { view, start, end } = packet;
    if (end - start < 42) return;
    const from = readMac(view, start + 6);
    const type = view.getUint16(start + 12);
    if (type === EtherType.arp) {
      const arp = new ArpView();
      if (arp.wrap(view, start + 14, end) !== "ok" || arp.operation !== ArpOperation.request)
        return;
      if ((arp.targetIp & 0xff) < 100 || arp.targetIp >>> 8 !== 0x0a_0000) return;
      const repr = {
        operation: ArpOperation.reply,
        senderMac: ATTACKER,
        senderIp: arp.targetIp,
        targetMac: from,
        targetIp: arp.senderIp,
      };
      const bytes = written(arpLength(), (dv) => emitArp(repr, dv, 0));
      this.#reply(ethernet(from, ATTACKER, EtherType.arp, bytes));
    } else if (type === EtherType.ipv6 && end - start >= 78 && view.getUint8(start + 54) === 135) {
      const target = readIpv6(view, start + 62);
      if (target[0] !== 0x2001_0db8 || target[3] < 0x1_0000) return;
      const destination = readIpv6(view, start + 22);
      const repr = {
        kind: "neighbor-advertisement",
        router: false,
        solicited: true,
        override: true,
        target,
        options: [{ kind: "target-link-layer", mac: ATTACKER }],
      } as const;
      const bytes = written(ndpLength(repr), (dv) => emitNdp(repr, dv, 0, target, destination));
      const protocol = IpProtocol.icmpv6;
      const message = ip({ source: target, destination, protocol, hops: 255 }, bytes);
      this.#reply(ethernet(from, ATTACKER, EtherType.ipv6, message));
    }
  }

  #reply(frame: Uint8Array): void {
    const packet = Packet.allocate(2048);
    packet.bytes.set(frame, packet.start);
    packet.end = packet.start + frame.length;
    this.#attacker.transmit(packet);
  }
}
