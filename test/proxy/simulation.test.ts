import { describe, expect, test } from "vitest";
import { below, type Rng, SeededRng, unit } from "../../src/core/random.ts";
import { after, type Duration, millis, seconds } from "../../src/core/time.ts";
import { CHOPPY } from "../../src/drivers/memory/link.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { chunks, ok } from "./origin.ts";
import { type SimulatedClient, SimulatedOrigin, World } from "./simulated.ts";
import type { WireRequest } from "./wire-request.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

interface Planned {
  readonly method: string;
  readonly message: string;
  /** The body of a good answer. */
  readonly answer: string;
}

/** A random request, and what the origin makes of it: its path says the size and the framing. */
function plan(rng: Rng, id: string): Planned {
  const method = ["GET", "HEAD", "POST", "PUT"][below(rng, 4)]!;
  const size = unit(rng) < 0.2 ? below(rng, 150_000) : below(rng, 2_000);
  const path = `/${id}/${size}/${below(rng, 3)}`;
  const body = "GET HEAD".includes(method)
    ? ""
    : "b".repeat(below(rng, unit(rng) < 0.2 ? 150_000 : 500));
  const head = `${method} ${path} HTTP/1.1\r\nHost: h\r\n`;
  const answer = method === "HEAD" ? "" : answerTo(`${method} ${path}`, body.length, size);
  if (body === "" && method.length < 5 && !method.startsWith("P"))
    return { method, message: `${head}\r\n`, answer };
  if (unit(rng) < 0.5) {
    return { method, message: `${head}Content-Length: ${body.length}\r\n\r\n${body}`, answer };
  }
  const pieces: string[] = [];
  for (let at = 0; at < body.length; ) {
    const next = at + 1 + below(rng, 9_000);
    pieces.push(body.slice(at, next));
    at = next;
  }
  return {
    method,
    message: `${head}Transfer-Encoding: chunked\r\n\r\n${chunks(pieces, "X-T: 1")}`,
    answer,
  };
}

const answerTo = (line: string, received: number, size: number): string =>
  `${line} ${received} ${"a".repeat(size)}`;

function answer({ line, body, trailers }: WireRequest): string {
  const [method, path] = line.split(" ");
  const [, , size, framing] = path!.split("/");
  const text = answerTo(`${method} ${path}`, body.length, Number(size));
  const interim = trailers === "" ? "" : "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  if (method === "HEAD") return "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n";
  if (framing === "0") return interim + ok(text);
  if (framing === "1") return interim + ok(text, "Connection: close");
  return `${interim}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks([text, "x"].slice(0, 1), "X-S: 1")}`;
}

/** What a client got: the bodies of its final answers, or their status where that is not 200. */
function outcomes(client: SimulatedClient, planned: readonly Planned[]): string[] {
  return client
    .responses(planned.map(({ method }) => method))
    .map(({ status, body }) => (status === 200 ? body.toString("latin1") : `${status}`));
}

/** Hooks that pass everything on, at once or after other things had their turn. */
function passing(rng: Rng): Partial<ProxyProgram> {
  const maybe = (): Promise<undefined> | undefined =>
    unit(rng) < 0.3 ? new Promise((resolve) => setImmediate(() => resolve(undefined))) : undefined;
  return {
    earlyRequestFilter: maybe,
    requestFilter: maybe,
    connectedToUpstream: maybe,
    upstreamRequestFilter: maybe,
    requestBodyFilter: maybe,
    upstreamResponseFilter: maybe,
    responseFilter: maybe,
    responseBodyFilter: maybe,
    responseTrailerFilter: maybe,
  };
}

async function play(seed: number, resetChance: number, hooks: boolean): Promise<void> {
  const rng = new SeededRng(seed, 77);
  const world = await World.start({
    seed,
    link: { ...CHOPPY, resetChance },
    accept: (stream) => new SimulatedOrigin(stream, answer),
    ...(hooks ? { program: passing(rng) } : {}),
  });
  const played = Array.from({ length: 4 }, (_, c) => {
    const client = world.connect();
    const planned = Array.from({ length: 1 + below(rng, 6) }, (_, i) => plan(rng, `${c}-${i}`));
    client.rest = (): Duration => (unit(rng) < 0.2 ? millis(below(rng, 100)) : (0 as Duration));
    // All at once: pipelined.
    client.send(planned.map(({ message }) => message).join(""));
    return { client, planned };
  });
  await world.pass(seconds(60));
  for (const { client, planned } of played) {
    const got = outcomes(client, planned);
    const wanted = planned.map((request) => request.answer);
    if (resetChance === 0) expect(got).toEqual(wanted);
    else {
      for (const [i, text] of got.entries()) expect(["502", wanted[i]]).toContain(text);
    }
    client.stream.abort();
  }
  const none = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };
  expect(await world.leftovers()).toEqual(none);
  expect(world.recorder.faults).toEqual([]);
}

/** Each of these is another run; a failing one names itself. */
const seeds = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

describe("client, proxy and origin in virtual time", () => {
  test.each(seeds(1, 25))(
    "random pieces and stalls, every answer is right and in order (seed %i)",
    async (seed) => {
      await play(seed, 0, false);
    },
  );

  test.each(seeds(101, 15))(
    "the same through hooks, every answer is right and in order (seed %i)",
    async (seed) => {
      await play(seed, 0, true);
    },
  );

  test.each(seeds(201, 25))(
    "resets on top, what is answered is right and nothing leaks (seed %i)",
    async (seed) => {
      await play(seed, 0.004, seed % 2 === 0);
    },
  );

  const narrow = { window: 4_096, largestPiece: 4_096 };

  test("a client that takes little at a time, is not cut by the write timeout", async () => {
    const body = "a".repeat(500_000);
    const world = await World.start({
      seed: 1,
      link: narrow,
      listener: { timeouts: { write: millis(300) } },
      accept: (stream) => new SimulatedOrigin(stream, () => ok(body)),
    });
    const client = world.connect();
    client.rest = () => millis(100);
    client.send(GET);
    await world.pass(seconds(120));
    expect(client.responses(["GET"])[0]?.body.length).toBe(body.length);
    client.stream.abort();
    expect((await world.leftovers()).clients).toBe(0);
  });

  test("a client that takes nothing, is cut by the write timeout", async () => {
    const world = await World.start({
      seed: 1,
      link: narrow,
      listener: { timeouts: { write: millis(300) } },
      accept: (stream) => new SimulatedOrigin(stream, () => ok("a".repeat(500_000))),
    });
    const client = world.connect();
    client.rest = () => seconds(1_000);
    client.send(GET);
    await world.pass(seconds(5));
    expect(world.recorder.last.error).toBe("WRITE_TIMEOUT");
    expect(world.server.connections).toBe(0);
  });

  test("a client that takes nothing of its pipelined answers, is cut by the write timeout", async () => {
    const world = await World.start({
      seed: 1,
      link: narrow,
      listener: { timeouts: { write: millis(300) } },
      program: { requestFilter: (session) => session.respond(200, null, "x".repeat(10_000)) },
      accept: (stream) => new SimulatedOrigin(stream, () => ok()),
    });
    const client = world.connect();
    client.rest = () => seconds(1_000);
    client.send(GET.repeat(100));
    await world.pass(seconds(5));
    expect(world.server.connections).toBe(0);
    expect(world.recorder.requests.length).toBeLessThan(20);
  });

  test.each([
    ["little at a time, it is waited for", millis(100), seconds(60), 200],
    ["nothing, 504 between bytes", seconds(1_000), seconds(60), 504],
    [
      "the queued end little at a time, its time to answer starts after",
      millis(100),
      millis(3_000),
      200,
    ],
  ])("an origin that takes of an upload %s", async (_name, rest, firstByte, status) => {
    const body = "b".repeat(500_000);
    const world = await World.start({
      seed: 1,
      link: narrow,
      origin: { timeouts: { betweenBytes: millis(300), firstByte } },
      accept: (stream, transport) => {
        const origin = new SimulatedOrigin(stream, () => ok());
        const { onData } = origin;
        origin.onData = (buf, start, end) => {
          onData.call(origin, buf, start, end);
          stream.pause();
          transport.schedule({ onTimer: () => stream.resume() }, after(transport.now(), rest));
        };
        return origin;
      },
    });
    const client = world.connect();
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await world.pass(seconds(120));
    expect(client.responses(["POST"])[0]?.status).toBe(status);
    client.stream.abort();
    expect((await world.leftovers()).clients).toBe(0);
  });
});
