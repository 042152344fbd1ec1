import { expect, test } from "vitest";
import { millis, seconds } from "../../../src/core/time.ts";
import { H2Code } from "../../../src/http/h2/error-code.ts";
import { Flag, FrameType, PREFACE } from "../../../src/http/h2/frame-type.ts";
import {
  data,
  END,
  frame,
  GET,
  get,
  HEADERS_DONE,
  headers,
  ping,
  post,
  reset,
  SETTINGS,
  settings,
  windowUpdate,
} from "../../../src/http/h2/testing/frames.ts";
import { ok } from "../origin.ts";
import { SimulatedOrigin, World, type WorldOptions } from "../simulated.ts";
import { RawPeer } from "./raw-peer.ts";

const nothingLeft = { active: 0, clients: 0, busy: 0, closed: 0, open: 0, upstreamOpen: 0 };

/** An origin that answers with as many bytes as the path says; "/hang" gets none. */
const start = (options: Partial<WorldOptions> = {}): Promise<World> =>
  World.start({
    seed: 7,
    link: { latency: [millis(1), millis(1)] },
    accept: (stream) =>
      new SimulatedOrigin(stream, ({ line }) => {
        const path = line.split(" ")[1]!;
        return path === "/hang" ? "" : ok("x".repeat(Number(path.slice(1)) || 5));
      }),
    ...options,
  });

const ask = (stream: number, path: string): Buffer =>
  headers(
    stream,
    GET.map(([name, value]) => [name, name === ":path" ? path : value]),
    END | HEADERS_DONE,
  );

const odd = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, i) => from + 2 * i);

/** What each attack sends, how it ends, and what the metrics call it. */
const attacks: readonly [string, string, (peer: RawPeer) => Promise<void>, number][] = [
  [
    "rapid reset (CVE-2023-44487)",
    "rapid-reset",
    async (peer) => {
      for (let at = 1; at < 3_000; at += 200) {
        await peer.say(...odd(100, at).flatMap((id) => [get(id), reset(id)]));
      }
    },
    H2Code.enhanceYourCalm,
  ],
  [
    "a PING flood",
    "control-flood",
    (peer) => peer.say(...Array.from({ length: 3_000 }, ping)),
    H2Code.enhanceYourCalm,
  ],
  [
    "a SETTINGS flood",
    "control-flood",
    (peer) => peer.say(...Array.from({ length: 3_000 }, () => SETTINGS)),
    H2Code.enhanceYourCalm,
  ],
  [
    "a flood of empty DATA",
    "empty-flood",
    (peer) => peer.say(post(1), ...Array.from({ length: 1_000 }, () => data(1, 0))),
    H2Code.enhanceYourCalm,
  ],
  [
    "a CONTINUATION flood",
    "continuation-flood",
    (peer) =>
      peer.say(
        headers(1, GET, END),
        ...Array.from({ length: 100 }, () => frame(FrameType.continuation, 0, 1, [])),
      ),
    H2Code.enhanceYourCalm,
  ],
  [
    "a flood of WINDOW_UPDATEs",
    "window-flood",
    (peer) => peer.say(...Array.from({ length: 10_000 }, () => windowUpdate(0, 1))),
    H2Code.enhanceYourCalm,
  ],
  [
    "a field block that does not decode",
    "compression",
    (peer) => peer.say(frame(FrameType.headers, END | HEADERS_DONE, 1, [0xff, 0xff, 0xff, 0x7f])),
    H2Code.compressionError,
  ],
  [
    "a frame that is too large",
    "frame-too-large",
    (peer) => peer.say(data(1, 16_385)),
    H2Code.frameSizeError,
  ],
  ["a stream of even number", "stream-id", (peer) => peer.say(get(2)), H2Code.protocolError],
];

test.each(attacks)("%s, ends the connection with GOAWAY, counted as %s", async (...attack) => {
  const [, reason, run, code] = attack;
  const world = await start();
  const peer = await RawPeer.ready(world);
  const others = await RawPeer.ready(world);
  await run(peer);
  const goaway = peer.heard().find((text) => text.startsWith("goaway"));
  expect(goaway?.split(" ")[2]).toBe(String(code));
  expect(world.recorder.http2Faults.at(-1)).toBe(reason);
  // Nobody else feels it.
  await others.say(get(1));
  expect(others.heard()).toEqual(["head 1", "data 1 5 end"]);
  others.stream.abort();
  await peer.pass(seconds(10));
  expect(peer.closed).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("more streams than allowed, are refused, and the others served", async () => {
  const world = await start({ listener: { http2: { maxConcurrentStreams: 2 } } });
  const peer = await RawPeer.ready(world);
  await peer.say(ask(1, "/hang"), ask(3, "/hang"), get(5));
  expect(peer.heard()).toEqual([`reset 5 ${H2Code.refusedStream}`]);
  await peer.say(reset(1));
  await peer.say(get(7));
  expect(peer.heard()).toEqual(["head 7", "data 7 5 end"]);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a malformed request, is answered 400 and reset, and the others served", async () => {
  const world = await start();
  const peer = await RawPeer.ready(world);
  const smuggled = [...GET, ["transfer-encoding", "chunked"]] as const;
  await peer.say(headers(1, smuggled, END | HEADERS_DONE), get(3));
  const heard = peer.heard();
  expect(heard).toContain("head 1");
  expect(heard).toContain(`reset 1 ${H2Code.protocolError}`);
  expect(heard).toContain("data 3 5 end");
  expect(world.recorder.http2Faults).toEqual(["connection-field"]);
  const [bad] = world.recorder.requests.filter(({ status }) => status === 400);
  expect(bad).toMatchObject({ error: "MALFORMED_MESSAGE", source: "downstream", method: "" });
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a window that is never opened, resets its stream after the write timeout alone", async () => {
  const world = await start({ listener: { timeouts: { write: seconds(3) } } });
  const peer = await RawPeer.ready(world, settings(4, 10));
  await peer.say(ask(1, "/100000"));
  expect(peer.heard()).toEqual(["head 1", "data 1 10"]);
  await peer.say(get(3));
  expect(peer.heard()).toEqual(["head 3", "data 3 5 end"]);
  await peer.pass(seconds(4));
  expect(peer.heard()).toEqual([`reset 1 ${H2Code.enhanceYourCalm}`]);
  expect(world.recorder.http2Faults).toEqual(["stalled"]);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a client that reads nothing, is cut off after the write timeout; little was read for it", async () => {
  const world = await start({
    link: { latency: [millis(1), millis(1)], window: 20_000 },
    listener: { timeouts: { write: seconds(3) } },
  });
  const peer = await RawPeer.ready(world, settings(4, 0x7fff_ffff), windowUpdate(0, 0x7000_0000));
  peer.stream.pause();
  await peer.say(...odd(20).map((id) => ask(id, "/1000000")));
  await peer.pass(seconds(2));
  expect(world.recorder.requests.length).toBe(0);
  // What the network's own buffers take at first counts as progress.
  await peer.pass(seconds(5));
  const ends = world.recorder.requests;
  expect(ends.map(({ error }) => error)).toEqual(Array(20).fill("WRITE_TIMEOUT"));
  const held = ends.reduce((sum, { responseBytes }) => sum + responseBytes, 0);
  expect(held).toBeLessThan(2_000_000);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a client that takes a little at a time, is served to the end", async () => {
  const world = await start({ listener: { timeouts: { write: seconds(1) } } });
  const peer = await RawPeer.ready(world, settings(4, 1_000));
  await peer.say(ask(1, "/20000"));
  let got = 0;
  for (let i = 0; i < 40 && got < 20_000; i++) {
    for (const { type, payload } of peer.frames())
      if (type === FrameType.data) got += payload.length;
    await peer.pass(millis(700));
    await peer.say(windowUpdate(1, 1_000));
  }
  expect(got).toBe(20_000);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a head that never ends, ends the connection after the head timeout", async () => {
  const world = await start({ listener: { timeouts: { head: seconds(1) } } });
  const peer = await RawPeer.ready(world);
  await peer.say(headers(1, GET, END));
  await peer.pass(seconds(2));
  expect(peer.heard()).toEqual([`goaway 0 ${H2Code.enhanceYourCalm}`]);
  expect(world.recorder.http2Faults).toEqual(["head-timeout"]);
  await peer.pass(seconds(10));
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("SETTINGS that are never acknowledged, end the connection", async () => {
  const world = await start();
  const peer = RawPeer.connect(world);
  await peer.pass(millis(50));
  await peer.say(Buffer.from(PREFACE), SETTINGS);
  await peer.pass(seconds(11));
  expect(peer.heard().at(-1)).toBe(`goaway 0 ${H2Code.settingsTimeout}`);
  await peer.pass(seconds(10));
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test.each([
  ["the stream's window", { initialWindow: 20_000 }, `reset 1 ${H2Code.flowControlError}`],
  [
    "the connection's window",
    { initialWindow: 1 << 20, connectionWindow: 65_535 },
    `goaway 1 ${H2Code.flowControlError}`,
  ],
])("more DATA than %s, for an origin that takes nothing, is not taken", async (...of) => {
  const [, http2, verdict] = of;
  const world = await start({
    listener: { http2 },
    accept: (stream) => {
      stream.pause();
      return new SimulatedOrigin(stream, () => "");
    },
    link: { latency: [millis(1), millis(1)], window: 4_000 },
  });
  const peer = await RawPeer.ready(world);
  await peer.say(post(1));
  const heard: string[] = [];
  // The client does not look at its windows.
  for (let i = 0; i < 300 && !heard.includes(verdict); i++) {
    await peer.say(data(1, 1_000));
    heard.push(...peer.heard());
  }
  expect(heard).toContain(verdict);
  expect(world.recorder.http2Faults).toEqual(["window"]);
  expect(world.recorder.last).toMatchObject({ error: "MALFORMED_MESSAGE", source: "downstream" });
  expect(world.recorder.last.requestBytes).toBeLessThan(200_000);
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a client that goes in the middle of a preface, leaves nothing behind", async () => {
  const world = await start();
  const peer = RawPeer.connect(world);
  await peer.pass(millis(50));
  await peer.say(Buffer.from(PREFACE.slice(0, 10)));
  peer.stream.end();
  await peer.pass(seconds(1));
  expect(peer.closed).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a preface that comes in drops and never whole, has as long as a head from its first byte", async () => {
  const world = await start({ listener: { timeouts: { head: seconds(2) } } });
  const peer = RawPeer.connect(world);
  await peer.pass(millis(1_500));
  for (let at = 0; at < 6; at++) {
    await peer.say(Buffer.from(PREFACE.slice(at, at + 1)));
    expect(peer.closed).toBe(false);
    await peer.pass(millis(250));
  }
  await peer.pass(millis(300));
  expect(peer.closed).toBe(true);
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("a preface in two pieces within the time for a head, is not held to it any more", async () => {
  const world = await start({ listener: { timeouts: { head: seconds(1) } } });
  const peer = RawPeer.connect(world);
  await peer.pass(millis(50));
  await peer.say(Buffer.from(PREFACE.slice(0, 10)));
  await peer.say(Buffer.from(PREFACE.slice(10)), SETTINGS, frame(FrameType.settings, Flag.ack, 0));
  await peer.pass(seconds(3));
  peer.heard();
  await peer.say(get(1));
  expect(peer.heard()).toContain("data 1 5 end");
  peer.stream.abort();
  expect(await world.leftovers()).toEqual(nothingLeft);
});

test("frames after a GOAWAY for a fault, are thrown away unread", async () => {
  const world = await start();
  const peer = await RawPeer.ready(world);
  await peer.say(get(2), get(5), frame(FrameType.ping, Flag.ack, 0, Array<number>(8).fill(0)));
  await peer.say(get(7));
  expect(peer.heard()).toEqual([`goaway 0 ${H2Code.protocolError}`]);
  expect(world.recorder.streams).toBe(0);
  await peer.pass(seconds(10));
  expect(await world.leftovers()).toEqual(nothingLeft);
});
