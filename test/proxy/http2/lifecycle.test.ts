import { expect, test } from "vitest";
import { millis, seconds } from "../../../src/core/time.ts";
import { Flag, FrameType } from "../../../src/http/h2/frame-type.ts";
import {
  data,
  END,
  frame,
  framesOf,
  GET,
  get,
  HEADERS_DONE,
  headers,
  post,
  reset,
  settings,
  windowUpdate,
} from "../../../src/http/h2/testing/frames.ts";
import { ok } from "../origin.ts";
import { SimulatedOrigin, World, type WorldOptions } from "../simulated.ts";
import { RawPeer } from "./raw-peer.ts";

const nothingLeft = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };
const lastPossible = 0x7fff_ffff;

/** An origin that answers after `later`. */
const start = (options: Partial<WorldOptions> = {}, later = seconds(0)): Promise<World> =>
  World.start({
    seed: 11,
    link: { latency: [millis(1), millis(1)] },
    accept: (stream, transport) => {
      if (later === 0) return new SimulatedOrigin(stream, () => ok("hello"));
      return new SimulatedOrigin(stream, () => {
        const answer = Buffer.from(ok("hello"));
        const due = (transport.now() + later) as ReturnType<typeof transport.now>;
        transport.schedule({ onTimer: () => stream.write(answer, 0, answer.length) }, due);
        return "";
      });
    },
    ...options,
  });

/** What a client has to answer: PINGs. */
const answerPings = (peer: RawPeer): Promise<void> => {
  const answers = peer
    .frames()
    .filter(({ type, flags }) => type === FrameType.ping && (flags & Flag.ack) === 0)
    .map(({ payload }) => frame(FrameType.ping, Flag.ack, 0, payload));
  return peer.say(...answers);
};

test("draining with nothing under way: GOAWAY twice, then the end", async () => {
  const world = await start();
  const peer = await RawPeer.ready(world);
  void world.server.drain(seconds(30));
  await peer.pass(millis(50));
  const frames = peer.frames();
  expect(frames.map(({ type }) => type)).toEqual([FrameType.goaway, FrameType.ping]);
  expect(frames[0]!.payload.readUInt32BE(0)).toBe(lastPossible);
  await peer.say(frame(FrameType.ping, Flag.ack, 0, frames[1]!.payload));
  expect(peer.heard()).toEqual(["goaway 0 0"]);
  expect(peer.ended).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("draining: a request that crossed the first GOAWAY is served", async () => {
  const world = await start({}, seconds(2));
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  void world.server.drain(seconds(30));
  await peer.pass(millis(50));
  await peer.say(get(3));
  await answerPings(peer);
  expect(peer.heard()).toEqual(["goaway 3 0"]);
  await peer.say(get(5));
  await peer.pass(seconds(3));
  expect(peer.heard()).toEqual(["head 1", "data 1 5 end", "head 3", "data 3 5 end"]);
  expect(peer.ended).toBe(true);
  expect(world.recorder.requests.map(({ status }) => status)).toEqual([200, 200]);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("draining: what is not over at its deadline is cut off", async () => {
  const world = await start({}, seconds(60));
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  void world.server.drain(seconds(5));
  await peer.pass(seconds(6));
  expect(peer.closed).toBe(true);
  expect(world.recorder.last).toMatchObject({ error: "DRAINING", source: "internal" });
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a client without requests, is sent away after the idle timeout", async () => {
  const world = await start({ listener: { timeouts: { idle: seconds(2) } } });
  const peer = await RawPeer.ready(world);
  await peer.pass(millis(1_500));
  await peer.say(get(1));
  peer.heard();
  await peer.pass(millis(1_500));
  expect(peer.heard()).toEqual([]);
  await peer.pass(seconds(1));
  expect(peer.heard()).toEqual([`goaway ${lastPossible} 0`, "ping"]);
  await peer.pass(seconds(4));
  expect(peer.ended).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a silent client with a request, is asked by PING; one that answers stays", async () => {
  const world = await start({ listener: { http2: { keepAlive: seconds(5) } } }, seconds(18));
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  for (let asked = 0; asked < 3; asked++) {
    await peer.pass(seconds(5));
    await answerPings(peer);
  }
  await peer.pass(seconds(4));
  expect(peer.heard()).toContain("data 1 5 end");
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a silent client with a request, asked and dead, is given up", async () => {
  const listener = { http2: { keepAlive: seconds(5) } };
  const origin = { timeouts: { firstByte: seconds(90) } };
  const world = await start({ listener, origin }, seconds(60));
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  await peer.pass(seconds(6));
  expect(peer.heard()).toEqual(["ping"]);
  await peer.pass(seconds(15));
  expect(peer.heard()).toEqual(["goaway 1 0"]);
  expect(world.recorder.http2Faults).toEqual(["ping-timeout"]);
  expect(world.recorder.last).toMatchObject({ status: 0, source: "downstream" });
  await peer.pass(seconds(10));
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("the last request that a connection may have, is answered, and GOAWAY says so", async () => {
  const world = await start({ listener: { limits: { requestsPerConnection: 2 } } });
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  await peer.say(get(3));
  const frames = peer.frames();
  const goaway = frames.find(({ type }) => type === FrameType.goaway);
  expect(goaway?.payload.readUInt32BE(0)).toBe(lastPossible);
  const ask = frames.find(({ type }) => type === FrameType.ping)!;
  await peer.say(frame(FrameType.ping, Flag.ack, 0, ask.payload));
  expect(peer.ended).toBe(true);
  expect(world.recorder.requests.map(({ status }) => status)).toEqual([200, 200]);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test.each([
  ["abort", { error: "ABORTED", status: 0 }],
  ["serve", { error: null, status: 200 }],
] as const)("a client that half-closes, with halfClose %s", async (halfClose, outcome) => {
  const world = await start({ listener: { halfClose } }, seconds(1));
  const peer = await RawPeer.ready(world);
  await peer.say(get(1));
  peer.stream.end();
  await peer.pass(seconds(3));
  expect(world.recorder.last).toMatchObject(outcome);
  expect(peer.closed).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("what many streams write in one turn, leaves in few pieces", async () => {
  const world = await start();
  const pieces: number[] = [];
  const peer = await RawPeer.ready(world);
  const { onData } = peer;
  peer.onData = (buf, from, to) => {
    pieces.push(framesOf(buf.slice(from, to)).length);
    onData.call(peer, buf, from, to);
  };
  // One exchange of the upstream's connections after another, so that all are kept.
  await peer.say(...Array.from({ length: 50 }, (_, i) => get(2 * i + 1)));
  peer.frames();
  pieces.length = 0;
  await peer.say(...Array.from({ length: 50 }, (_, i) => get(2 * i + 101)));
  expect(pieces.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(pieces.length).toBeLessThan(10);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("spare sides of streams, used again after resets at any moment, mix nothing up", async () => {
  const world = await start({}, millis(5));
  const peer = await RawPeer.ready(world);
  for (let round = 0; round < 30; round++) {
    const first = 1 + round * 12;
    await peer.say(get(first), post(first + 2), get(first + 4), reset(first), get(first + 6));
    await peer.say(reset(first + 2), get(first + 8), reset(first + 8), get(first + 10));
  }
  await peer.pass(seconds(1));
  const heard = peer.heard();
  const ended = heard.filter((text) => text.startsWith("data") && text.endsWith("5 end"));
  const ids = ended.map((text) => Number(text.split(" ")[1]));
  for (let round = 0; round < 30; round++) {
    const first = 1 + round * 12;
    for (const id of [first + 4, first + 6, first + 10]) expect(ids).toContain(id);
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(world.recorder.http2Faults).toEqual([]);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("bodies that a hook answered late and nobody read, do not shut the connection's window", async () => {
  const world = await start({
    listener: { http2: { connectionWindow: 65_535 } },
    program: {
      requestFilter: async (session) => {
        await new Promise((resolve) => setImmediate(resolve));
        return session.respond(403, null, "no");
      },
    },
  });
  const peer = await RawPeer.ready(world);
  let window = 65_535;
  for (let id = 1; id < 100; id += 2) {
    await peer.say(post(id), data(id, 10_000, END));
    window -= 10_000;
    for (const text of peer.heard()) {
      if (text.startsWith("window 0")) window += Number(text.split(" ")[2]);
    }
    expect(window).toBeGreaterThan(10_000);
  }
  expect(world.recorder.requests.map(({ status }) => status)).toEqual(Array(50).fill(403));
  expect(world.recorder.http2Faults).toEqual([]);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("responses that wait for the same window, leave by urgency (RFC 9218)", async () => {
  const world = await start({
    accept: (stream) => new SimulatedOrigin(stream, () => ok("x".repeat(100_000))),
  });
  const peer = await RawPeer.ready(world, settings(4, 1_000_000));
  const asked = (id: number, priority: string): Buffer =>
    headers(id, [...GET, ["priority", priority]], END | HEADERS_DONE);
  await peer.say(asked(1, "u=5"), asked(3, "u=0"), asked(5, "u=3"));
  const octets = (): Record<number, number> => {
    const sums: Record<number, number> = {};
    for (const { type, stream, payload } of peer.frames()) {
      if (type === FrameType.data) sums[stream] = (sums[stream] ?? 0) + payload.length;
    }
    return sums;
  };
  expect(Object.values(octets()).reduce((sum, n) => sum + n, 0)).toBe(65_535);
  await peer.say(windowUpdate(0, 10_000));
  expect(octets()).toEqual({ 3: 10_000 });
  // The most urgent one leaves: the next gets what there is.
  await peer.say(reset(3), windowUpdate(0, 10_000));
  expect(octets()).toEqual({ 5: 10_000 });
  await peer.say(reset(5), windowUpdate(0, 10_000));
  expect(octets()).toEqual({ 1: 10_000 });
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});
