import { expect, it } from "vitest";
import type { Scene } from "../transport-suite.ts";

export function turnEndCases(scene: Scene): void {
  it("asked outside of events: called once, not within the call", async () => {
    const { world } = scene;
    let calls = 0;
    world.transport.atTurnEnd({ onTurnEnd: () => calls++ });
    expect(calls).toBe(0);
    await world.until("call", () => calls > 0);
    await world.quiet();
    expect(calls).toBe(1);
  });

  it("asked within onData: called after it returned, and what is written then arrives", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    let within = false;
    let nested = false;
    server.whenData = (buf, start, end) => {
      within = true;
      const echo = Uint8Array.from(buf.subarray(start, end));
      world.transport.atTurnEnd({
        onTurnEnd: () => {
          nested ||= within;
          server.stream.write(echo, 0, echo.length);
        },
      });
      within = false;
    };
    client.send("echo at the end");
    await world.until("echo", () => client.text === "echo at the end");
    expect(nested).toBe(false);
  });

  it("asked within itself: called again", async () => {
    const { world } = scene;
    let calls = 0;
    const target = {
      onTurnEnd: () => {
        if (++calls < 3) world.transport.atTurnEnd(target);
      },
    };
    world.transport.atTurnEnd(target);
    await world.until("calls", () => calls === 3);
  });

  it("asked within itself, with something written before: called again", async () => {
    const { world } = scene;
    const { client, server } = await world.pair();
    let calls = 0;
    const target = {
      onTurnEnd: () => {
        server.stream.write(Uint8Array.of(0x78), 0, 1);
        if (++calls < 3) world.transport.atTurnEnd(target);
      },
    };
    world.transport.atTurnEnd(target);
    await world.until("calls", () => calls === 3);
    await world.until("bytes", () => client.text === "xxx");
  });

  it("closed: never called", async () => {
    const { world } = scene;
    let calls = 0;
    world.transport.atTurnEnd({ onTurnEnd: () => calls++ });
    world.transport.close();
    await world.quiet();
    expect(calls).toBe(0);
  });
}
