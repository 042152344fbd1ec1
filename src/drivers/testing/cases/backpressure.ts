import { expect, it } from "vitest";
import type { Recorder } from "../recorder.ts";
import type { Scene } from "../transport-suite.ts";

/** More than what the sockets of a connection hold between them. */
const PLENTY = 64 * 1024 * 1024;
const PIECE = Buffer.alloc(32 * 1024, "0123456789abcdef");
/** No transport holds more than this for one stream whose writer obeys. */
const MOST_QUEUED = 512 * 1024;

export function backpressureCases(scene: Scene): void {
  it("a paused reader: stops a writer that obeys, in bounded memory; resumed, all arrives", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.pause();
    const flood = new Flood(client);
    await world.until("writer stopped", () => flood.step());
    expect(flood.written).toBeLessThan(PLENTY);
    await world.quiet();
    const held = flood.written;
    await world.quiet();
    expect(flood.written).toBe(held);
    expect(flood.blocked).toBe(true);
    expect(client.stream.queued).toBeGreaterThan(0);
    expect(flood.mostQueued).toBeLessThan(MOST_QUEUED);
    expect(server.length).toBe(0);
    flood.stop = held + 4 * PIECE.length;
    server.resume();
    await world.until("all", () => server.length === flood.stop);
    expect(client.events).toContain("writable");
    expect(client.stream.queued).toBe(0);
    expect(flood.written).toBe(flood.stop);
  });

  it("the transport's own pause in the middle: a relay passes backpressure on", async () => {
    const { world } = scene;
    const front = await world.pair();
    const back = await world.pair();
    front.server.whenData = (buf, start, end) => {
      if (back.client.stream.write(buf, start, end)) front.server.stream.pause();
    };
    back.client.whenWritable = () => front.server.stream.resume();
    back.server.pause();
    const flood = new Flood(front.client);
    let most = 0;
    await world.until("source stopped", () => {
      most = Math.max(most, back.client.stream.queued);
      return flood.step();
    });
    expect(flood.written).toBeLessThan(PLENTY);
    expect(most).toBeLessThan(MOST_QUEUED);
    flood.stop = flood.written;
    back.server.resume();
    await world.until("all", () => back.server.length === flood.written);
  });

  it("never above the mark: onWritable is not called", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    expect(client.stream.write(PIECE, 0, 100)).toBe(false);
    await world.until("bytes", () => server.length === 100);
    await world.quiet();
    expect(client.events).toEqual(["connect"]);
  });

  it("above the mark more than once: onWritable once for each time", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    let blocked = 0;
    let total = 0;
    for (let round = 0; round < 3; round++) {
      server.pause();
      for (let full = false; !full; ) {
        full = client.stream.write(PIECE, 0, PIECE.length);
        total += PIECE.length;
        if (total > PLENTY) throw new Error("never above the mark");
      }
      client.stream.write(PIECE, 0, 1);
      total++;
      blocked++;
      server.resume();
      await world.until("drained", () => server.length === total);
      await world.until("writable", () => client.events.filter(isWritable).length === blocked);
    }
    await world.quiet();
    expect(client.events.filter(isWritable)).toHaveLength(3);
  });

  it("paused: neither data nor end come; resumed: both, in order", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.pause();
    client.send("waiting");
    client.act((stream) => stream.end());
    await world.quiet();
    expect(server.events).toEqual([]);
    server.resume();
    await world.until("end", () => server.ended);
    expect(server.text).toBe("waiting");
  });

  it("paused inside onData: no further onData until resumed", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    const big = Buffer.alloc(600_000, "y");
    server.whenData = () => server.stream.pause();
    client.act((stream) => stream.write(big, 0, big.length));
    await world.until("first piece", () => server.length > 0);
    let pieces = 1;
    while (server.length < big.length) {
      await world.turn();
      await world.turn();
      expect(server.events.filter((event) => event === "data")).toHaveLength(pieces);
      server.resume();
      await world.until("next piece", () => server.events.length > pieces);
      pieces++;
    }
    expect(server.length).toBe(big.length);
  });

  it("paused inside onData before the end: onEnd waits", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.whenData = () => server.stream.pause();
    client.send("last words");
    client.act((stream) => stream.end());
    await world.until("data", () => server.text === "last words");
    await world.quiet();
    expect(server.ended).toBe(false);
    server.resume();
    await world.until("end", () => server.ended);
  });

  it("paused and resumed many times in a turn: the last word counts", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    for (let i = 0; i < 5; i++) {
      server.pause();
      server.resume();
    }
    client.send("a");
    await world.until("data", () => server.text === "a");
    server.resume();
    server.pause();
    server.pause();
    client.send("b");
    await world.quiet();
    expect(server.text).toBe("a");
    server.resume();
    await world.until("data", () => server.text === "ab");
  });

  it("paused, then aborted by the peer: after resume the stream closes", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    server.pause();
    client.act((stream) => stream.abort());
    await world.quiet();
    if (!server.closed) server.resume();
    await world.until("close", () => server.closed);
    expect(server.events).toEqual(["close"]);
    expect(server.closes[0]?.code).toBe("ECONNRESET");
  });
}

const isWritable = (event: string): boolean => event === "writable";

/** Writes as much as the stream takes, up to `stop`. */
class Flood {
  written = 0;
  stop = PLENTY;
  blocked = false;
  mostQueued = 0;
  #idle = 0;
  readonly #recorder: Recorder;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    recorder.whenWritable = () => {
      this.blocked = false;
      this.#idle = 0;
      this.#write();
    };
  }

  /** True once it has been blocked for a while, or wrote all. */
  step(): boolean {
    if (!this.blocked) this.#recorder.act(() => this.#write());
    return this.written >= this.stop || ++this.#idle > 30;
  }

  #write(): void {
    const { stream } = this.#recorder;
    while (!this.blocked && this.written < this.stop) {
      this.blocked = stream.write(PIECE, 0, PIECE.length);
      this.written += PIECE.length;
      this.mostQueued = Math.max(this.mostQueued, stream.queued);
    }
  }
}
