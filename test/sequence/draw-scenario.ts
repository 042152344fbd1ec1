import { parseSocketAddress } from "../../src/core/address.ts";
import { type Duration, micros, millis, seconds } from "../../src/core/time.ts";
import { CALM, type LinkConditions } from "../../src/drivers/memory/link.ts";
import { http2Defaults } from "../../src/proxy/h2/settings.ts";
import type { ListenerSettings, UpstreamSettings } from "../../src/proxy/settings.ts";
import { Draw } from "./draw.ts";
import { drawRequest } from "./draw-request.ts";
import type {
  ClientPlan,
  Ills,
  OriginPlan,
  ProgramPlan,
  RequestPlan,
  Scenario,
} from "./scenario.ts";

export const originPort = 80;

/** Everything about a run, from its seed. */
export function drawScenario(seed: number): Scenario {
  const draw = new Draw(seed, 1_001);
  const ills = drawIlls(draw);
  const program = drawProgram(draw, ills);
  const origins = drawOrigins(draw, ills);
  const link = drawLink(draw, ills);
  const largest = largestBody(link);
  const requests = new Map<string, RequestPlan>();
  const clients = Array.from({ length: draw.int(1, 4) }, (_, index) =>
    drawClient(draw, `${index}`, largest, ills, program, requests),
  );
  return {
    seed,
    ills,
    link,
    listener: drawListener(draw),
    upstream: drawUpstream(draw, ills, origins),
    origins,
    program,
    clients,
    requests,
    drain: draw.chance(0.25)
      ? { at: draw.millis(0, 2_000), deadline: draw.pick([millis(100), seconds(5), seconds(120)]) }
      : null,
  };
}

function drawIlls(draw: Draw): Ills {
  if (draw.chance(0.3)) {
    return { links: false, origins: false, clients: false, hooks: false, scarce: false };
  }
  return {
    links: draw.chance(0.3),
    origins: draw.chance(0.5),
    clients: draw.chance(0.5),
    hooks: draw.chance(0.25),
    scarce: draw.chance(0.3),
  };
}

function drawLink(draw: Draw, ills: Ills): LinkConditions {
  const choppy = draw.chance(0.8);
  const whole = Number.POSITIVE_INFINITY;
  return {
    ...CALM,
    latency: choppy ? [micros(20), draw.millis(1, 5)] : [micros(100), micros(100)],
    largestPiece: choppy ? draw.pick([16, 512, 16 * 1024, 32 * 1024]) : whole,
    window: draw.pick([2_000, 16 * 1024, 64 * 1024]),
    stallChance: choppy ? draw.pick([0, 0.02]) : 0,
    stall: [millis(5), millis(150)],
    resetChance: ills.links ? draw.pick([0, 0.002, 0.02]) : 0,
    resetAfter: ills.links && draw.chance(0.4) ? draw.size(60_000) : whole,
  };
}

/** So that the slowest link carries it well within the timeouts. */
const largestBody = ({ largestPiece }: LinkConditions): number =>
  largestPiece < 100 ? 1_500 : largestPiece < 1_000 ? 20_000 : 600_000;

function drawListener(draw: Draw): ListenerSettings {
  return {
    name: "front",
    limits: {
      requestLine: 8 * 1024,
      head: 32 * 1024,
      fields: 100,
      body: Number.POSITIVE_INFINITY,
      connections: 100,
      requestsPerConnection: draw.pick([2, 5, 1_000]),
      webSocketMessage: 1024 * 1024,
    },
    timeouts: {
      head: seconds(3),
      idle: seconds(6),
      body: seconds(3),
      write: seconds(4),
      tunnel: seconds(8),
    },
    forwarding: {
      via: draw.pick([null, "seq"]),
      xForwarded: draw.pick(["append", "replace", "off"]),
      forwarded: draw.pick(["append", "off"]),
    },
    halfClose: draw.pick(["abort", "serve"]),
    allowConnect: false,
    http2: http2Defaults,
    tls: null,
  };
}

function drawUpstream(draw: Draw, ills: Ills, origins: readonly OriginPlan[]): UpstreamSettings {
  return {
    name: "origin",
    endpoints: origins.map(({ ip }) => ({
      target: parseSocketAddress(`${ip}:${originPort}`)!,
      weight: draw.int(1, 3),
    })),
    balance: draw.pick<UpstreamSettings["balance"]>([
      { kind: "round-robin" },
      { kind: "random" },
      { kind: "least-request" },
      { kind: "p2c-ewma" },
      { kind: "consistent-hash", on: { kind: "header", name: "x-id" } },
    ]),
    limits: {
      connectionsPerEndpoint: ills.scarce ? draw.int(1, 2) : 100,
      idlePerEndpoint: draw.pick([0, 1, 100, 100]),
      pending: ills.scarce ? draw.pick([0, 1, 100]) : 100,
    },
    timeouts: {
      connect: seconds(1),
      firstByte: seconds(3),
      betweenBytes: seconds(3),
      total: ills.origins && draw.chance(0.2) ? seconds(5) : null,
      idle: draw.pick([millis(100), seconds(5)]),
    },
    retries: {
      attempts: draw.int(1, 3),
      keepBody: draw.pick([0, 1_000, 64 * 1024]),
      nonIdempotent: draw.chance(0.15),
      maxFails: draw.pick([0, 1, 3]),
      failTimeout: millis(500),
    },
    host: draw.pick<UpstreamSettings["host"]>(["preserve", "endpoint", { literal: "fixed" }]),
    resolveEvery: seconds(30),
    protocol: "auto",
    tls: null,
  };
}

function drawOrigins(draw: Draw, ills: Ills): readonly OriginPlan[] {
  const origins: OriginPlan[] = [{ ip: "10.0.1.1", fate: "serves" }];
  for (let i = draw.int(0, 2); i > 0; i--) {
    const fate =
      ills.origins && draw.chance(0.4) ? draw.pick(["refuses", "silent"] as const) : "serves";
    origins.push({ ip: `10.0.1.${1 + i}`, fate });
  }
  return origins;
}

function drawProgram(draw: Draw, ills: Ills): ProgramPlan {
  const style = ills.hooks
    ? draw.pick(["plain", "promises"] as const)
    : draw.pick(["none", "plain", "promises"] as const);
  const filtering = (): ProgramPlan["requestBody"] =>
    style === "none" ? "none" : draw.pick(["none", "none", "each", "gather"] as const);
  return { style, requestBody: filtering(), responseBody: filtering(), passes: draw.chance(0.5) };
}

function drawClient(
  draw: Draw,
  name: string,
  largest: number,
  ills: Ills,
  program: ProgramPlan,
  requests: Map<string, RequestPlan>,
): ClientPlan {
  const plans = Array.from({ length: draw.int(1, 6) }, (_, index) =>
    drawRequest(draw, `${name}-${index}`, largest, ills, program),
  );
  for (const plan of plans) requests.set(plan.id, plan);
  const leaves = ills.clients && draw.chance(0.35);
  return {
    name,
    startsAt: draw.millis(0, 500),
    requests: plans,
    depth: draw.pick([1, 1, 2, 10]),
    // With tiny pieces, and so many reads, it would seem idle before it has read all.
    restChance: draw.pick([0, 0, 0.1, largest < 2_000 ? 0.1 : 0.4]),
    rest: draw.millis(1, 80),
    leaves: leaves
      ? {
          afterBytes: draw.size(60_000),
          after: draw.pick<Duration>([millis(0), draw.millis(1, 300), draw.millis(1, 3_000)]),
          by: draw.pick(["abort", "end", "numb"]),
        }
      : null,
  };
}
