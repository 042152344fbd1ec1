import { expect, it } from "vitest";
import type { Scene } from "../transport-suite.ts";

export function exchangeCases(scene: Scene): void {
  it("an echo: what is written inside onData comes back", async () => {
    const { client, server } = await scene.world.pair();
    server.whenData = (buf, start, end) => server.stream.write(buf, start, end);
    client.send("hello, ");
    client.send("world");
    await scene.world.until("echo", () => client.text === "hello, world");
  });

  it("many writes of one turn: arrive in order", async () => {
    const { client, server } = await scene.world.pair();
    let expected = "";
    for (let i = 0; i < 500; i++) {
      client.send(`${i},`);
      expected += `${i},`;
    }
    await scene.world.until("bytes", () => server.length === expected.length);
    expect(server.text).toBe(expected);
  });

  it("a part of a buffer: only that part is sent", async () => {
    const { client, server } = await scene.world.pair();
    const buf = Buffer.from("..middle..");
    client.act((stream) => stream.write(buf, 2, 8));
    client.act((stream) => stream.write(buf, 5, 5));
    client.send("|");
    await scene.world.until("bytes", () => server.length === 7);
    expect(server.text).toBe("middle|");
  });

  it.each([16, 1_000, 20_000, 300_000, 3_000_000])(
    "%i bytes written, then overwritten by their owner: the peer gets the old ones",
    async (length) => {
      const { client, server } = await scene.world.pair();
      const buf = Buffer.alloc(length);
      for (let i = 0; i < length; i++) buf[i] = (i * 31) ^ (i >>> 8);
      const wanted = Buffer.from(buf);
      client.act((stream) => stream.write(buf, 0, length));
      buf.fill(0xee);
      await scene.world.until("bytes", () => server.length >= length);
      expect(server.bytes.equals(wanted)).toBe(true);
    },
  );

  it("written from a promise and from a timer, outside of callbacks: arrives", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    await Promise.resolve();
    client.send("promise ");
    await world.until("first", () => server.text === "promise ");
    world.transport.schedule({ onTimer: () => client.send("timer") }, world.transport.now());
    await world.until("second", () => server.text === "promise timer");
  });

  it("a handler is replaced: the new one gets what follows", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const second = world.recorder("second");
    second.stream = server.stream;
    server.whenData = () => {
      server.stream.handler = second;
    };
    client.send("one");
    await world.until("first", () => server.text === "one");
    client.send("two");
    await world.until("second", () => second.text === "two");
    client.act((stream) => stream.abort());
    await world.until("close", () => second.closed);
    expect(server.events).toEqual(["data"]);
  });

  it("a range outside the buffer: throws RangeError, nothing is sent", async () => {
    const { client, server } = await scene.world.pair();
    const buf = Buffer.alloc(4);
    for (const [start, end] of [
      [0, 5],
      [-1, 2],
      [3, 2],
    ] as const) {
      expect(() => client.stream.write(buf, start, end)).toThrow(RangeError);
    }
    client.send("ok");
    await scene.world.until("bytes", () => server.text === "ok");
  });
}
