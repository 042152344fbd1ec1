import { describe, expect, test } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { millis } from "../../core/time.ts";
import { Pair, pattern } from "./testing/pair.ts";

describe("a connection", () => {
  test("syn-sent: syn+ack, both are established and have agreed to all options", () => {
    const pair = new Pair().established();
    expect(pair.client.events).toEqual(["established"]);
    expect(pair.server.events).toEqual(["established"]);
    for (const side of [pair.client, pair.server]) {
      expect(side.c.info()).toMatchObject({
        state: "Established",
        sack: true,
        timestamps: true,
        mss: 1448,
        sendWindowScale: 8,
        receiveWindowScale: 8,
      });
    }
  });

  test("established: bytes each way, arrive and are acknowledged", () => {
    const pair = new Pair().established();
    pair.client.write("hello");
    pair.server.write("world");
    pair.settle(millis(200));
    expect(pair.server.text).toBe("hello");
    expect(pair.client.text).toBe("world");
    expect(pair.client.c.queued).toBe(0);
  });

  test("established: a megabyte and end from both sides, arrives whole and closes", () => {
    for (const gso of [false, true]) {
      const pair = new Pair({ gso }).established();
      const data = pattern(1 << 20, new SeededRng(9));
      pair.client.write(data);
      pair.client.c.end();
      pair.server.onEvent = (event) => {
        if (event === "end") pair.server.c.end();
      };
      expect(pair.run(() => pair.client.events.includes("closed"))).toBe(true);
      pair.settle(millis(100));
      expect(Buffer.compare(pair.server.bytes, data)).toBe(0);
      expect(pair.server.events).toEqual(["established", "end", "closed"]);
      expect(pair.client.states.slice(1)).toEqual(["FinWait1", "FinWait2", "TimeWait"]);
      expect(pair.server.c.state.kind).toBe("Closed");
      pair.settle(millis(61_000));
      expect(pair.client.c.state.kind).toBe("Closed");
    }
  });
});
