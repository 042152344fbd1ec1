import { createHash, type Hash } from "node:crypto";
import { parseSocketAddress, type SocketAddress } from "../../src/core/address.ts";
import { after, type Duration, seconds } from "../../src/core/time.ts";
import type { CALM } from "../../src/drivers/memory/link.ts";
import { MemoryNetwork } from "../../src/drivers/memory/network.ts";
import { ProxyServer } from "../../src/proxy/server.ts";
import { Recorder } from "../proxy/recorder.ts";
import { Client } from "./client.ts";
import { Draw } from "./draw.ts";
import { drawScenario, originPort } from "./draw-scenario.ts";
import { Origin, OriginLog } from "./origin.ts";
import { ScenarioProgram } from "./programs.ts";
import type { Scenario } from "./scenario.ts";
import { WatchedTransport } from "./watched-transport.ts";

const proxyAddress = parseSocketAddress("10.0.0.2:80")!;

/** Past every timeout, one after another. */
const longest = seconds(900);

/** What a run came to, for the checks. */
export interface Played {
  readonly scenario: Scenario;
  readonly clients: readonly Client[];
  readonly log: OriginLog;
  readonly program: ScenarioProgram;
  readonly recorder: Recorder;
  readonly transport: WatchedTransport;
  /** What was left when all clients had gone, when idle connections had aged, when all was closed. */
  readonly settled: Leftovers;
  readonly aged: Leftovers;
  readonly closed: Leftovers;
  /** Null where nothing was drained. */
  readonly drained: Drained | null;
  /** Of every event with its time, and of what clients got. */
  readonly hash: string;
}

export interface Leftovers {
  readonly clients: number;
  readonly active: number;
  readonly waiting: number;
  readonly busy: number;
  readonly connections: number;
  readonly open: number;
  readonly upstreamOpen: number;
  readonly streams: number;
  readonly timers: number;
}

export interface Drained {
  readonly resolved: boolean;
  readonly took: number;
  readonly connections: number;
}

/** Plays what follows from the seed. `trace` is told of every event. */
export async function play(seed: number, trace?: (line: string) => void): Promise<Played> {
  const scenario = drawScenario(seed);
  const run = new Run(scenario, trace);
  await run.start();
  return run.finish();
}

class Run {
  private readonly scenario: Scenario;
  private readonly network: MemoryNetwork;
  private readonly transport: WatchedTransport;
  private readonly recorder = new Recorder();
  private readonly log: OriginLog;
  private readonly program: ScenarioProgram;
  private readonly server: ProxyServer;
  private readonly clients: readonly Client[];
  private readonly hash: Hash = createHash("sha1");
  private drained: Drained | null = null;

  constructor(scenario: Scenario, trace: ((line: string) => void) | undefined) {
    const { seed, requests } = scenario;
    this.scenario = scenario;
    this.network = new MemoryNetwork({
      seed,
      link: (_from, to) => this.conditions(to),
      onFault: (error) => this.recorder.fault("transport", error),
      trace: (line) => {
        this.hash.update(line);
        trace?.(line);
      },
    });
    this.log = new OriginLog(requests);
    this.transport = new WatchedTransport(this.network.transport("10.0.0.2"));
    this.program = new ScenarioProgram(scenario, this.transport, new Draw(seed, 2_001));
    this.server = new ProxyServer({
      transport: this.transport,
      program: this.program.program(),
      upstreams: [scenario.upstream],
      observer: this.recorder,
    });
    const place = this.network.transport("10.0.0.1");
    this.clients = scenario.clients.map(
      (plan, i) => new Client(plan, place, proxyAddress, new Draw(seed, 3_001 + i)),
    );
  }

  async start(): Promise<void> {
    for (const [i, { ip, fate }] of this.scenario.origins.entries()) {
      const transport = this.network.transport(ip);
      if (fate === "silent") this.network.blackHole(ip);
      if (fate !== "serves") continue;
      const origin = new Origin(this.log, transport, new Draw(this.scenario.seed, 4_001 + i));
      const address = parseSocketAddress(`${ip}:${originPort}`)!;
      await transport.listen(address, {}, (stream) => origin.accept(stream));
    }
    await this.server.start();
    await this.server.listen(proxyAddress, this.scenario.listener, {});
    for (const client of this.clients) client.start();
  }

  async finish(): Promise<Played> {
    const { drain } = this.scenario;
    if (drain !== null) {
      await this.pass(drain.at);
      await this.drain(drain.deadline);
    }
    const limit = after(this.network.now, longest);
    await this.network.settle(() => {
      this.transport.look();
      return this.clients.every(({ done }) => done) || this.network.now > limit;
    });
    const stuck = this.clients.filter(({ done }) => !done);
    for (const { plan } of stuck) {
      this.log.violations.push(`client ${plan.name} was left without an answer or an end`);
    }
    for (const client of this.clients) client.abort();
    await this.pass(seconds(60));
    const settled = this.leftovers();
    await this.pass(seconds(60));
    const aged = this.leftovers();
    this.server.close();
    await this.pass(seconds(120));
    const { clients, log, program, recorder, scenario, transport, drained } = this;
    this.hash.update(JSON.stringify(recorder.requests));
    for (const { outcomes } of clients) {
      for (const { status, content } of outcomes) this.hash.update(`${status}`).update(content);
    }
    const closed = this.leftovers();
    const hash = this.hash.digest("hex");
    const seen = { clients, log, program, recorder, scenario, transport };
    return { ...seen, settled, aged, closed, drained, hash };
  }

  private async drain(deadline: Duration): Promise<void> {
    const from = this.network.now;
    let resolved = false;
    void this.server.drain(deadline).then(() => {
      resolved = true;
    });
    // A timer of the wheel may be late by a tick.
    const limit = after(from, (deadline + 2_000) as Duration);
    await this.network.settle(() => {
      this.transport.look();
      return resolved || this.network.now > limit;
    });
    const { connections } = this.server;
    this.drained = { resolved, took: this.network.now - from, connections };
  }

  private async pass(time: Duration): Promise<void> {
    const until = after(this.network.now, time);
    await this.network.settle(() => {
      this.transport.look();
      return this.network.now > until;
    });
    await this.network.settle(until);
  }

  private conditions(to: SocketAddress): typeof CALM {
    const { link } = this.scenario;
    // Also where a run has ills, some connections are sound.
    const sound = to.kind === "ip" && to.ip === "10.0.0.2" && this.scenario.seed % 2 === 0;
    return sound ? { ...link, resetChance: 0, resetAfter: Number.POSITIVE_INFINITY } : link;
  }

  private leftovers(): Leftovers {
    const { endpoints, waiting } = this.server.snapshot().upstreams[0]!;
    const sum = (of: (endpoint: (typeof endpoints)[number]) => number): number =>
      endpoints.reduce((total, endpoint) => total + of(endpoint), 0);
    return {
      clients: this.server.connections,
      active: sum(({ active }) => active),
      waiting,
      busy: sum(({ connections, idle }) => connections - idle),
      connections: sum(({ connections }) => connections),
      open: this.recorder.open,
      upstreamOpen: this.recorder.upstreamOpen,
      streams: this.transport.openStreams,
      timers: this.transport.activeTimers,
    };
  }
}
