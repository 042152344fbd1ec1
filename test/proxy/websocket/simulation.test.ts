import { describe, expect, test } from "vitest";
import { below, type Rng, SeededRng } from "../../../src/core/random.ts";
import { type Duration, micros, millis, seconds } from "../../../src/core/time.ts";
import { CHOPPY } from "../../../src/drivers/memory/link.ts";
import type { ProxyProgram } from "../../../src/proxy/program.ts";
import { proxyAddress, World } from "../simulated.ts";
import { SimulatedPeer } from "./simulated-peer.ts";

interface Scene {
  readonly world: World;
  readonly client: SimulatedPeer;
  /** Once its connection came. */
  origin(): SimulatedPeer;
}

async function scene(seed: number, rng: Rng, program: Partial<ProxyProgram> = {}): Promise<Scene> {
  let origin: SimulatedPeer | null = null;
  const world = await World.start({
    seed,
    link: CHOPPY,
    program,
    accept(stream, transport) {
      origin = new SimulatedPeer("server", transport, rng);
      origin.stream = stream;
      for (let i = 0; i < 20; i++) origin.add(`o${i}`);
      return origin;
    },
  });
  const client = new SimulatedPeer("client", world.clients, rng);
  for (let i = 0; i < 20; i++) client.add(`c${i}`);
  client.stream = world.clients.connect(proxyAddress, {}, client);
  return {
    world,
    client,
    origin() {
      if (origin === null) throw new Error("no connection came");
      return origin;
    },
  };
}

/** A hook that now and then takes its time. */
const hooked = (rng: Rng, world: () => World): Partial<ProxyProgram> => ({
  webSocketMessage() {
    if (below(rng, 3) > 0) return undefined;
    const { clients } = world();
    return new Promise<undefined>((resolve) => {
      const at = (clients.now() + below(rng, 5_000)) as ReturnType<typeof clients.now>;
      clients.schedule({ onTimer: () => resolve(undefined) }, at);
    });
  },
});

async function start(seed: number, withHook: boolean): Promise<Scene & { rng: Rng }> {
  const rng = new SeededRng(seed);
  let world: World;
  const made = await scene(seed, rng, withHook ? hooked(rng, () => world) : {});
  world = made.world;
  return { ...made, rng };
}

const pass = (world: World, time: number): Promise<void> => world.pass(time as Duration);

describe.each([false, true])("simulated websockets (hook: %s)", (withHook) => {
  test("messages of both, in pieces and fragments: arrive whole and in order; the close crosses", async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const { world, client, origin } = await start(seed, withHook);
      client.addClose(1000);
      await pass(world, seconds(20));
      const far = origin();
      expect([seed, client.fault, far.fault]).toEqual([seed, "", ""]);
      expect(far.heard).toEqual(client.said);
      expect(far.heard.length).toBe(20);
      expect(client.heard).toEqual(far.said);
      expect([far.code, client.code]).toEqual([1000, 1000]);
      expect([client.closed, far.closed]).toEqual([true, true]);
      expect(world.recorder.tunnels.websocket).toBe(0);
      expect(world.recorder.unexpectedFaults()).toEqual([]);
    }
  });

  test("draining at any time: each hears a beginning of what was said, whole, then 1001", async () => {
    let partial = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { world, client, origin, rng } = await start(seed, withHook);
      await pass(world, millis(20) + below(rng, 100_000));
      let drained = false;
      void world.server.drain(seconds(60)).then(() => (drained = true));
      await pass(world, seconds(4));
      const far = origin();
      expect([seed, client.fault, far.fault]).toEqual([seed, "", ""]);
      expect([seed, client.code, far.code]).toEqual([seed, 1001, 1001]);
      expect([seed, drained, client.closed, far.closed]).toEqual([seed, true, true, true]);
      expect(far.heard).toEqual(client.said.slice(0, far.heard.length));
      expect(client.heard).toEqual(far.said.slice(0, client.heard.length));
      partial += far.heard.length > 0 && far.heard.length < 20 ? 1 : 0;
      expect(world.recorder.last.error).toBe(null);
    }
    // In the middle of it, most of the time.
    expect(partial).toBeGreaterThan(20);
  });

  test("closed by both, neither ends its stream: both are closed soon", async () => {
    const { world, client, origin } = await start(3, withHook);
    client.addClose(1000);
    client.ends = false;
    await pass(world, millis(10));
    origin().ends = false;
    await pass(world, seconds(3));
    expect([client.code, origin().code]).toEqual([1000, 1000]);
    expect(world.recorder.tunnels.websocket).toBe(1);
    await pass(world, seconds(4));
    expect(world.recorder.tunnels.websocket).toBe(0);
    expect(world.recorder.last.error).toBe(null);
  });

  test.each(["client", "origin"])(
    "closed by the %s, the other talks on and never answers: both are cut in 5 s",
    async (first) => {
      const { world, client, origin } = await start(5, withHook);
      await pass(world, millis(60));
      const far = origin();
      const [closer, other] = first === "client" ? [client, far] : [far, client];
      closer.addClose(1000);
      closer.ends = false;
      other.polite = false;
      for (let i = 0; i < 1_500; i++) other.add("on and on");
      await pass(world, seconds(4));
      expect([other.code, world.recorder.tunnels.websocket]).toEqual([1000, 1]);
      const heard = closer.heard.length;
      await pass(world, millis(500));
      expect(closer.heard.length).toBeGreaterThan(heard);
      await pass(world, seconds(3));
      expect(world.recorder.tunnels.websocket).toBe(0);
      expect(world.recorder.last.error).toBe(null);
    },
  );

  test("draining, neither answers: both are cut when the time for goodbyes is over", async () => {
    const { world, client, origin } = await start(7, withHook);
    await pass(world, millis(60));
    const far = origin();
    client.polite = false;
    far.polite = false;
    let drained = false;
    void world.server.drain(seconds(60)).then(() => (drained = true));
    await pass(world, seconds(4));
    expect([drained, client.closed, far.closed]).toEqual([false, false, false]);
    await pass(world, seconds(2) + micros(0));
    expect([drained, world.recorder.tunnels.websocket]).toEqual([true, 0]);
  });
});
