import { describe, expect, it } from "vitest";
import { instant } from "../../core/time.ts";
import { endpointsOfWeights, IdleConnection, type SettingsPatch } from "./fixture.ts";

const at = (s: number) => instant(s * 1_000_000);
const endpoint = (patch?: SettingsPatch) => endpointsOfWeights([1], patch)[0]!;

/** Down since second 2, with the first trial due at second 12. */
function down() {
  const one = endpoint();
  for (const s of [0, 1, 2]) one.connectFailed(at(s));
  return one;
}

describe("Endpoint", () => {
  it("up: fewer failures in a row than maxFails, it stays up", () => {
    const one = endpoint();
    one.connectFailed(at(0));
    one.connectFailed(at(0));
    one.connectSucceeded();
    one.connectFailed(at(0));
    one.connectFailed(at(0));
    expect([one.state(at(0)), one.fails]).toEqual(["up", 2]);
  });

  it("up: maxFails failures in a row, down for failTimeout from the last", () => {
    const one = down();
    expect(one.state(at(2))).toBe("down");
    expect(one.state(instant(at(12) - 1))).toBe("down");
    expect(one.state(at(12))).toBe("up");
  });

  it("trial due: the request that takes it shuts the door for another failTimeout", () => {
    const one = down();
    one.requestStarted(at(20));
    expect(one.state(at(20))).toBe("down");
    expect(one.state(at(30))).toBe("up");
  });

  it("trial under way: it connects, up again with a clean slate", () => {
    const one = down();
    one.requestStarted(at(20));
    one.connectSucceeded();
    expect([one.state(at(20)), one.fails]).toEqual(["up", 0]);
  });

  it("trial under way: it fails, down for failTimeout from then", () => {
    const one = down();
    one.requestStarted(at(20));
    one.connectFailed(at(21));
    expect([one.state(instant(at(31) - 1)), one.state(at(31))]).toEqual(["down", "up"]);
  });

  it("trial on a kept connection: the answer brings it up", () => {
    const one = down();
    one.requestStarted(at(20));
    one.requestEnded(at(21), at(20), "success");
    expect([one.state(at(21)), one.fails]).toEqual(["up", 0]);
  });

  it("down: a request from before is answered, that proves nothing", () => {
    const one = endpoint();
    one.requestStarted(at(1));
    for (const s of [0, 1, 2]) one.connectFailed(at(s));
    one.requestEnded(at(3), at(1), "success");
    expect(one.state(at(3))).toBe("down");
  });

  it("up with failures: an answer on a kept connection does not count as a connection", () => {
    const one = endpoint();
    one.connectFailed(at(0));
    one.requestStarted(at(1));
    one.requestEnded(at(2), at(1), "success");
    expect(one.fails).toBe(1);
  });

  it("down: a cancelled or failed trial does not bring it up", () => {
    for (const outcome of ["cancelled", "failure"] as const) {
      const one = down();
      one.requestStarted(at(20));
      one.requestEnded(at(21), at(20), outcome);
      expect(one.state(at(21))).toBe("down");
    }
  });

  it("maxFails 0: never down", () => {
    const one = endpoint({ retries: { maxFails: 0 } });
    for (let i = 0; i < 50; i++) one.connectFailed(at(0));
    expect(one.state(at(0))).toBe("up");
  });

  it("requests start and end: active counts them, the cost follows their outcome", () => {
    const one = endpoint();
    one.requestStarted(at(0));
    one.requestStarted(at(0));
    expect(one.active).toBe(2);
    one.requestEnded(at(1), at(0), "success");
    expect([one.active, one.cost(at(1))]).toEqual([1, 1_000_000]);
    one.requestEnded(at(3), at(0), "cancelled");
    expect([one.active, one.cost(at(3))]).toEqual([0, 3_000_000]);
    one.requestStarted(at(8));
    one.requestEnded(at(8), at(8), "failure");
    expect(one.cost(at(8))).toBe(3_000_000);
  });

  it("at its connection limit: capacity only while one is idle", () => {
    const one = endpoint({ limits: { connectionsPerEndpoint: 2 } });
    one.connectionOpening();
    expect(one.hasCapacity).toBe(true);
    one.connectionOpening();
    expect(one.hasCapacity).toBe(false);
    one.pool.put(new IdleConnection(), at(0));
    expect(one.hasCapacity).toBe(true);
    one.pool.take();
    expect(one.hasCapacity).toBe(false);
    one.connectionClosed();
    expect(one.hasCapacity).toBe(true);
  });

  it("retired: removed, idle connections closed, those that become idle closed as well", () => {
    const one = endpoint();
    const idle = new IdleConnection();
    const busy = new IdleConnection();
    one.pool.put(idle, at(0));
    one.retire();
    one.pool.put(busy, at(1));
    expect([one.state(at(1)), one.retired, idle.retired, busy.retired]).toEqual([
      "removed",
      true,
      1,
      1,
    ]);
  });
});
