import { type Duration, millis, seconds } from "../../src/core/time.ts";
import type { Draw } from "./draw.ts";
import type {
  Behaviour,
  Ills,
  Nonsense,
  Pace,
  Phase,
  ProgramPlan,
  RequestPlan,
} from "./scenario.ts";

const nonsense = [
  "GET /\r\n\r\n",
  "\0\0\0\0",
  "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
  "GET / HTTP/2.7\r\nHost: h\r\n\r\n",
  `GET /${"a".repeat(9_000)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
] as const;

/** Longer than any timeout of a message under way. */
export const stall = seconds(30);

const steady: Pace = { pauses: [], death: null };

const phases: readonly Phase[] = [
  "newContext",
  "earlyRequestFilter",
  "requestFilter",
  "upstreamPeer",
  "connectedToUpstream",
  "upstreamRequestFilter",
  "requestBodyFilter",
  "upstreamResponseFilter",
  "responseFilter",
  "responseBodyFilter",
  "responseTrailerFilter",
  "failToProxy",
  "logging",
];

const answering: readonly Phase[] = [
  "earlyRequestFilter",
  "requestFilter",
  "upstreamPeer",
  "connectedToUpstream",
  "upstreamRequestFilter",
  "upstreamResponseFilter",
  "responseFilter",
  "failToProxy",
];

export function drawRequest(
  draw: Draw,
  id: string,
  largest: number,
  ills: Ills,
  program: ProgramPlan,
): RequestPlan {
  const malformed = ills.clients && draw.chance(0.06) ? draw.pick(nonsense) : null;
  const method =
    malformed !== null
      ? "POST"
      : draw.pick(["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "PATCH"] as const);
  const minor = draw.chance(0.12) ? 0 : 1;
  const upgrade = minor === 1 && method === "GET" && draw.chance(0.06) ? draw.size(largest) : null;
  // Also a POST may have no body: then nothing but its method keeps it from being sent again.
  const usually = method === "POST" || method === "PUT" || method === "PATCH";
  const sends = draw.chance(usually ? 0.75 : 0.05);
  const framing =
    !sends || upgrade !== null ? "none" : minor === 0 || draw.chance(0.5) ? "length" : "chunked";
  const size = framing === "none" ? 0 : draw.size(largest);
  return {
    id,
    method,
    minor,
    connection: drawConnection(draw, minor),
    framing,
    size,
    trailer: framing === "chunked" && draw.chance(0.3),
    expect: minor === 1 && size > 0 && draw.chance(0.15),
    upgrade,
    malformed,
    pace: drawPace(draw, size, ills.clients),
    behaviours: Array.from({ length: 4 }, () =>
      drawBehaviour(draw, method, minor, upgrade, largest, ills),
    ),
    hook: drawHook(draw, ills, program),
  };
}

function drawConnection(draw: Draw, minor: 0 | 1): RequestPlan["connection"] {
  if (minor === 0) return draw.pick([undefined, "keep-alive"] as const);
  return draw.chance(0.08) ? "close" : undefined;
}

function drawHook(draw: Draw, ills: Ills, program: ProgramPlan): RequestPlan["hook"] {
  if (program.style === "none") return null;
  if (ills.hooks && draw.chance(0.25)) return { phase: draw.pick(phases), does: "throw" };
  return draw.chance(0.12) ? { phase: draw.pick(answering), does: "answer" } : null;
}

/** Pauses and, where things may go wrong, ones that outlast every timeout, and a death. */
function drawPace(draw: Draw, size: number, ill: boolean): Pace {
  const span = size + 300;
  const pauses = Array.from({ length: draw.chance(0.4) ? draw.int(1, 4) : 0 }, () => ({
    at: draw.int(0, span),
    wait: draw.millis(0, 100),
  }));
  if (ill && draw.chance(0.08)) pauses.push({ at: draw.int(0, span), wait: stall });
  pauses.sort((a, b) => a.at - b.at);
  const dies = ill && draw.chance(0.2);
  // Before the first byte: what was sent so far may have been for nothing, and may be tried again.
  const at = draw.chance(0.4) ? 0 : draw.int(0, span);
  return {
    pauses,
    death: dies ? { at, by: draw.pick(["abort", "end"] as const) } : null,
  };
}

function drawBehaviour(
  draw: Draw,
  method: string,
  requestMinor: 0 | 1,
  upgrade: number | null,
  largest: number,
  ills: Ills,
): Behaviour {
  const minor = draw.chance(0.1) ? 0 : 1;
  const size = draw.size(largest);
  const status =
    upgrade !== null && draw.chance(0.8)
      ? 101
      : draw.pick([200, 200, 200, 200, 204, 304, 404, 500]);
  const framing =
    minor === 0
      ? draw.pick(["length", "close"] as const)
      : draw.pick(["length", "length", "chunked", "close"] as const);
  const ill = ills.origins && draw.chance(0.5);
  const nonsense =
    ill && draw.chance(0.15) ? drawNonsense(draw, method, framing, upgrade !== null) : null;
  return {
    status,
    minor,
    framing,
    size: method === "HEAD" ? draw.int(0, 1_000) : size,
    trailer: framing === "chunked" && draw.chance(0.4),
    interim:
      requestMinor === 1 && minor === 1 && draw.chance(0.15)
        ? draw.pick([[103], [100], [103, 102]])
        : [],
    early: draw.chance(0.1),
    delay: drawDelay(draw, ill),
    close: draw.chance(0.15),
    // What is spoken to before all of it is out must not pause: a tunnel, and what comes unasked.
    pace: status === 101 || nonsense === "surplus" ? steady : drawPace(draw, size, ill),
    nonsense,
    idle: ill && draw.chance(0.3) ? draw.millis(0, 300) : null,
    restChance: draw.pick([0, 0, 0.1]),
    rest: draw.millis(1, 40),
  };
}

function drawDelay(draw: Draw, ill: boolean): Duration {
  if (ill && draw.chance(0.08)) return stall;
  return draw.chance(0.4) ? draw.millis(1, 200) : millis(0);
}

/** None that is good sense in its place. */
function drawNonsense(
  draw: Draw,
  method: string,
  framing: Behaviour["framing"],
  upgrade: boolean,
): Nonsense | null {
  if (upgrade) return null;
  const nonsense = draw.pick([
    "status-line",
    "two-lengths",
    "chunk-size",
    "surplus",
    "switch",
  ] as const);
  if (nonsense === "surplus" && framing === "close") return "status-line";
  return nonsense === "chunk-size" && method === "HEAD" ? "status-line" : nonsense;
}
