import { describe, expect, test } from "vitest";
import { below, type Rng, SeededRng, unit } from "../../../src/core/random.ts";
import { after, millis, seconds } from "../../../src/core/time.ts";
import { CHOPPY } from "../../../src/drivers/memory/link.ts";
import { H2Code } from "../../../src/http/h2/error-code.ts";
import type { ProxyProgram } from "../../../src/proxy/program.ts";
import { type PlannedRequest, SimulatedH2Client } from "../http2/simulated-client.ts";
import { World } from "../simulated.ts";
import { type OriginRequest, SimulatedH2Origin } from "./simulated-origin.ts";

const nothingLeft = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };

/** Its path says what the answer's size and framing shall be. */
function plan(rng: Rng, id: string): PlannedRequest {
  const method = ["GET", "HEAD", "POST", "PUT"][below(rng, 4)]!;
  const size = unit(rng) < 0.2 ? below(rng, 120_000) : below(rng, 2_000);
  const path = `/${id}/${size}/${below(rng, 3)}`;
  const large = unit(rng) < 0.2;
  const body = method.startsWith("P") ? "b".repeat(below(rng, large ? 120_000 : 500)) : "";
  const announced = body !== "" && unit(rng) < 0.5;
  const resetAfter = unit(rng) < 0.15 ? 1 + below(rng, size + 40) : null;
  return { method, path, body, announced, resetAfter };
}

const answerTo = (line: string, received: number, size: number): string =>
  `${line} ${received} ${"a".repeat(size)}`;

function wanted({ method, path, body }: PlannedRequest): string {
  if (method === "HEAD") return "";
  return answerTo(`${method} ${path}`, body.length, Number(path.split("/")[2]));
}

function answer(request: OriginRequest): void {
  const { method, target } = request.request;
  const [, , size, framing] = target.split("/");
  if (method === "HEAD") return request.head(200, 77);
  const body = answerTo(`${method} ${target}`, request.body.length, Number(size));
  if (framing === "1") request.head(103, null);
  request.answer({ body, announced: framing === "0", ...(framing === "2" && { trailer: "1" }) });
}

/** Hooks that pass everything on, at once or after other things had their turn. */
function passing(rng: Rng): Partial<ProxyProgram> {
  const maybe = (): Promise<undefined> | undefined =>
    unit(rng) < 0.3 ? new Promise((resolve) => setImmediate(() => resolve(undefined))) : undefined;
  return {
    requestFilter: maybe,
    connectedToUpstream: maybe,
    upstreamRequestFilter: maybe,
    requestBodyFilter: maybe,
    responseFilter: maybe,
    responseBodyFilter: maybe,
  };
}

/** What goes wrong with one request of a hostile origin, and how its client may tell. */
function mischief(rng: Rng, request: OriginRequest): void {
  const { origin, stream } = request;
  switch (below(rng, 8)) {
    case 0:
      return request.cancel([H2Code.refusedStream, H2Code.cancel, H2Code.noError][below(rng, 3)]!);
    case 1:
      request.head(200, null);
      return request.cancel(H2Code.internalError);
    case 2:
      return origin.goAway(below(rng, stream.id + 2), below(rng, 2));
    case 3:
      return origin.session.drain();
    case 4:
      return unit(rng) < 0.3 ? origin.stream.abort() : answer(request);
    case 5:
      request.head(200, null);
      return request.send("half");
    default:
      return answer(request);
  }
}

async function run(seed: number, serve: (rng: Rng, request: OriginRequest) => void) {
  const rng = new SeededRng(seed);
  const limits = {
    concurrentStreams: 1 + below(rng, 20),
    streamWindow: 500 + below(rng, 60_000),
  };
  const world = await World.start({
    seed,
    link: CHOPPY,
    origin: {
      protocol: "http2",
      limits: { connectionsPerEndpoint: 1 + below(rng, 4), idlePerEndpoint: below(rng, 4) },
      timeouts: { firstByte: seconds(5), betweenBytes: seconds(5), connect: seconds(500) },
      retries: { attempts: 2 + below(rng, 2) },
    },
    accept: (stream, transport) =>
      new SimulatedH2Origin(stream, transport, {
        limits,
        serve: (request) => {
          const late = unit(rng) < 0.5 ? millis(below(rng, 40)) : millis(0);
          const onTimer = (): void => {
            if (request.reset === null) serve(rng, request);
          };
          transport.schedule({ onTimer }, after(transport.now(), late));
        },
      }),
    ...(seed % 2 === 0 ? { program: passing(rng) } : {}),
  });
  const clients = Array.from(
    { length: 3 },
    () => new SimulatedH2Client(world.clients, { streamWindow: 500 + below(rng, 60_000) }),
  );
  for (const [number, client] of clients.entries()) {
    client.ask(...Array.from({ length: 20 }, (_, i) => plan(rng, `${number}-${i}`)));
  }
  for (let round = 0; round < 3_000 && !clients.every(({ done }) => done); round++) {
    await world.pass(millis(200));
  }
  expect(clients.map(({ done }) => done)).toEqual([true, true, true]);
  const answers = clients.flatMap((client) => client.answers);
  for (const client of clients) client.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
  expect(world.recorder.faults).toEqual([]);
  return { answers, world };
}

describe("upstreams of HTTP/2 over choppy links", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])("seed %i, every answer is its own", async (seed) => {
    const { answers } = await run(seed, (_rng, request) => answer(request));
    for (const { body, request, reset, status } of answers) {
      if (request.resetAfter !== null) continue;
      expect([request.path, status, reset, body]).toEqual([
        request.path,
        200,
        null,
        wanted(request),
      ]);
    }
  });

  test.each([11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])(
    "seed %i, a hostile origin, spoils no answer that is taken for whole, and nothing leaks",
    async (seed) => {
      const { answers } = await run(seed, mischief);
      for (const { body, ended, request, status } of answers) {
        if (!ended || status !== 200 || request.method === "HEAD") continue;
        expect([request.path, body]).toEqual([request.path, wanted(request)]);
      }
    },
  );
});
