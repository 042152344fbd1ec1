import { expect, test } from "vitest";
import { below, type Rng, SeededRng, unit } from "../../src/core/random.ts";
import { type Duration, millis, seconds } from "../../src/core/time.ts";
import { CHOPPY } from "../../src/drivers/memory/link.ts";
import { Compression } from "../../src/proxy/compression/compression.ts";
import { compressionDefaults } from "../../src/proxy/compression/settings.ts";
import { instantCodecs } from "../../src/proxy/compression/testing/instant-codec.ts";
import type { ProxyProgram } from "../../src/proxy/program.ts";
import { chunks, ok } from "./origin.ts";
import { SimulatedOrigin, World } from "./simulated.ts";
import type { WireRequest } from "./wire-request.ts";

/*
 * Responses through decoder, hooks and encoder over links that deliver in random pieces, to clients that
 * read at their leisure, in virtual time. The codecs change no byte: what is looked at is the way.
 */

const textOf = (size: number, id: string): string => `${id}:${"abcdefghij".repeat(size / 10)}`;

/** "/id/size/framing/coding". */
function answer({ line }: WireRequest): string {
  const [, id, size, framing, coding] = line.split(" ")[1]!.split("/");
  const text = textOf(Number(size), id!);
  const fields = [
    "Content-Type: text/plain",
    ...(coding === "" ? [] : [`Content-Encoding: ${coding}`]),
  ];
  if (framing === "length") return ok(text, ...fields);
  const lines = fields.map((field) => `${field}\r\n`).join("");
  const pieces = text.match(/.{1,5000}/g) ?? [];
  return `HTTP/1.1 200 OK\r\n${lines}Transfer-Encoding: chunked\r\n\r\n${chunks(pieces, "X-T: 1")}`;
}

function request(rng: Rng, id: string): { message: string; text: string } {
  const size = 10 * below(rng, unit(rng) < 0.3 ? 40_000 : 500);
  const framing = unit(rng) < 0.5 ? "length" : "chunked";
  const coding = ["", "br", "gzip"][below(rng, 3)]!;
  const accept = unit(rng) < 0.8 ? "Accept-Encoding: gzip\r\n" : "";
  const message = `GET /${id}/${size}/${framing}/${coding} HTTP/1.1\r\nHost: h\r\n${accept}\r\n`;
  return { message, text: textOf(size, id) };
}

function program(rng: Rng): Partial<ProxyProgram> {
  const compression = new Compression(compressionDefaults, instantCodecs);
  const maybe = (): Promise<undefined> | undefined =>
    unit(rng) < 0.3 ? new Promise((resolve) => setImmediate(() => resolve(undefined))) : undefined;
  const hooks = { upstreamResponseFilter: maybe, responseFilter: maybe, responseBodyFilter: maybe };
  return { compression: () => compression, ...(unit(rng) < 0.5 && hooks) };
}

async function play(seed: number, resetChance: number): Promise<void> {
  const rng = new SeededRng(seed, 78);
  const world = await World.start({
    seed,
    link: { ...CHOPPY, resetChance },
    accept: (stream) => new SimulatedOrigin(stream, answer),
    program: program(rng),
  });
  const played = Array.from({ length: 4 }, (_, c) => {
    const client = world.connect();
    const planned = Array.from({ length: 1 + below(rng, 4) }, (_, i) => request(rng, `${c}-${i}`));
    client.rest = (): Duration => (unit(rng) < 0.2 ? millis(below(rng, 100)) : (0 as Duration));
    client.send(planned.map(({ message }) => message).join(""));
    return { client, planned };
  });
  await world.pass(seconds(120));
  for (const { client, planned } of played) {
    const got = client
      .responses(planned.map(() => "GET"))
      .map(({ status, body }) => (status === 200 ? body.toString("latin1") : `${status}`));
    const wanted = planned.map(({ text }) => text);
    if (resetChance === 0) expect(got).toEqual(wanted);
    else for (const [i, text] of got.entries()) expect(["502", wanted[i]]).toContain(text);
    client.stream.abort();
  }
  expect(await world.leftovers()).toEqual({
    active: 0,
    clients: 0,
    busy: 0,
    closed: 0,
    open: 0,
    upstreamOpen: 0,
  });
  expect(world.recorder.unexpectedFaults()).toEqual([]);
}

const seeds = Array.from({ length: 12 }, (_, i) => 4_000 + i);

test.each(seeds)("random pieces and pauses, every body comes whole (seed %i)", (seed) =>
  play(seed, 0),
);

test.each(seeds)("resets on the way, no body is taken for whole that is not (seed %i)", (seed) =>
  play(seed, 0.002),
);
