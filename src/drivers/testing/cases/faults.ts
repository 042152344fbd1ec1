import { expect, it } from "vitest";
import type { Recorder } from "../recorder.ts";
import type { Scene } from "../transport-suite.ts";
import { at } from "../world.ts";

export function faultCases(scene: Scene): void {
  const failing = (): never => {
    throw new Error("on purpose");
  };

  it.each(["whenData", "whenEnded"] as const)(
    "%s throws: that stream dies, others go on",
    async (hook) => {
      const { world } = scene;
      const bad = await world.pair();
      const good = await world.pair();
      bad.server[hook] = failing;
      bad.client.send("x");
      if (hook === "whenEnded") bad.client.act((stream) => stream.end());
      await world.until("both closed", () => bad.client.closed && bad.server.closed);
      expect(bad.server.stream.closed).toBe(true);
      await echoes(good.client, good.server);
    },
  );

  it("onConnect throws: the stream dies", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    const listener = await world.listen("127.0.0.1:0", [server]);
    const client = world.recorder("client");
    client.whenConnected = failing;
    world.connect(listener.address, client);
    const unheard = scene.options.clientFirst === true;
    await world.until("both closed", () => client.closed && (unheard || server.closed));
    expect(client.events).toEqual(["connect", "close"]);
  });

  it("onWritable throws: the stream dies", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    client.whenWritable = failing;
    const big = Buffer.alloc(8_000_000);
    client.act((stream) => stream.write(big, 0, big.length));
    await world.until("both closed", () => client.closed && server.closed);
  });

  it("onClose throws: nothing else is harmed", async () => {
    const { world } = scene;
    const bad = await world.pair();
    const good = await world.pair();
    bad.server.whenClosed = failing;
    bad.client.act((stream) => stream.abort());
    await world.until("close", () => bad.server.closed);
    await echoes(good.client, good.server);
  });

  it("the acceptor throws: that stream is reset, the next is accepted", async () => {
    const { world } = scene;
    const server = world.recorder("server");
    let calls = 0;
    const listener = await world.transport.listen(at("127.0.0.1:0"), {}, (stream) => {
      if (++calls === 1) failing();
      server.stream = stream;
      return server;
    });
    const first = world.recorder("first");
    world.connect(listener.address, first);
    await world.until("reset", () => first.closed);
    expect(first.closes[0]?.code).toBe("ECONNRESET");
    const second = world.recorder("second");
    world.connect(listener.address, second);
    second.send("hello");
    await world.until("bytes", () => server.text === "hello");
  });

  const echoes = async (client: Recorder, server: Recorder): Promise<void> => {
    client.send("still");
    server.send("alive");
    await scene.world.until("both", () => server.text === "still" && client.text === "alive");
  };
}
