import { describe, expect, test } from "vitest";
import { below, type Rng, SeededRng, unit } from "../../../src/core/random.ts";
import { after, millis, seconds } from "../../../src/core/time.ts";
import { CHOPPY } from "../../../src/drivers/memory/link.ts";
import type { ProxyProgram } from "../../../src/proxy/program.ts";
import { chunks, ok } from "../origin.ts";
import { SimulatedOrigin, World } from "../simulated.ts";
import type { WireRequest } from "../wire-request.ts";
import { type PlannedRequest, SimulatedH2Client } from "./simulated-client.ts";

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

function answer({ line, body }: WireRequest): string {
  const [method, path] = line.split(" ");
  const [, , size, framing] = path!.split("/");
  const text = answerTo(`${method} ${path}`, body.length, Number(size));
  if (method === "HEAD") return "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n";
  if (framing === "0") return ok(text);
  if (framing === "1") return `HTTP/1.1 103 Early Hints\r\n\r\n${ok(text, "Connection: close")}`;
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks([text], "X-S: 1")}`;
}

function wanted({ method, path, body }: PlannedRequest): string {
  if (method === "HEAD") return "";
  return answerTo(`${method} ${path}`, body.length, Number(path.split("/")[2]));
}

/** Hooks that pass everything on, at once or after other things had their turn. */
function passing(rng: Rng): Partial<ProxyProgram> {
  const maybe = (): Promise<undefined> | undefined =>
    unit(rng) < 0.3 ? new Promise((resolve) => setImmediate(() => resolve(undefined))) : undefined;
  return {
    requestFilter: maybe,
    connectedToUpstream: maybe,
    requestBodyFilter: maybe,
    responseFilter: maybe,
    responseBodyFilter: maybe,
  };
}

describe("http/2 over choppy links", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 17])(
    "seed %i, every answer is its own",
    async (seed) => {
      const rng = new SeededRng(seed);
      const http2 = {
        maxConcurrentStreams: 1 + below(rng, 20),
        initialWindow: 1_000 + below(rng, 100_000),
        connectionWindow: 65_535 + below(rng, 100_000),
      };
      const world = await World.start({
        seed,
        link: CHOPPY,
        listener: { http2 },
        accept: (stream) => new SimulatedOrigin(stream, answer),
        ...(seed % 2 === 0 ? { program: passing(rng) } : {}),
      });
      const clients = Array.from(
        { length: 3 },
        () => new SimulatedH2Client(world.clients, { streamWindow: 500 + below(rng, 60_000) }),
      );
      for (const [number, client] of clients.entries()) {
        const requests = Array.from({ length: 20 }, (_, i) => plan(rng, `${number}-${i}`));
        client.ask(...requests);
      }
      await world.network.settle(() => clients.every(({ done }) => done));
      for (const client of clients) {
        for (const { request, status, body, trailers, ended, reset } of client.answers) {
          if (request.resetAfter !== null && !ended) continue;
          expect(reset, request.path).toBeNull();
          expect(status, request.path).toBe(200);
          expect(body, request.path).toBe(wanted(request));
          const chunked = request.path.endsWith("/2") && request.method !== "HEAD";
          expect(trailers).toBe(chunked ? "x-s: 1" : "");
        }
        expect(client.answers.length).toBe(20);
        client.stream.end();
      }
      expect(world.recorder.http2Faults).toEqual([]);
      expect(await world.leftovers()).toEqual(nothingLeft);
      expect(world.recorder.unexpectedFaults()).toEqual([]);
    },
  );

  test.each(Array.from({ length: 8 }, (_, i) => i + 101))(
    "seed %i, connections that break, leave nothing behind",
    async (seed) => {
      const rng = new SeededRng(seed);
      const world = await World.start({
        seed,
        link: { ...CHOPPY, resetChance: 0.01 },
        listener: { http2: { maxConcurrentStreams: 5 } },
        accept: (stream) => new SimulatedOrigin(stream, answer),
        ...(seed % 2 === 0 ? { program: passing(rng) } : {}),
      });
      const clients = Array.from({ length: 10 }, () => new SimulatedH2Client(world.clients, {}));
      for (const [number, client] of clients.entries()) {
        client.ask(...Array.from({ length: 10 }, (_, i) => plan(rng, `${number}-${i}`)));
      }
      const limit = after(world.network.now, seconds(120));
      await world.network.settle(
        () => world.network.now > limit || clients.every(({ done }) => done),
      );
      for (const client of clients) client.stream.abort();
      await world.pass(millis(500));
      for (const { answers } of clients) {
        for (const { request, status, body, ended } of answers) {
          if (ended && status === 200) expect(body, request.path).toBe(wanted(request));
        }
      }
      expect(await world.leftovers()).toEqual(nothingLeft);
      expect(world.recorder.unexpectedFaults()).toEqual([]);
    },
  );
});
