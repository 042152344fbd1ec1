import { expect, test } from "vitest";
import { millis } from "../../core/time.ts";
import { FOREVER } from "./recovery/loss-recovery.ts";
import { Pair } from "./testing/pair.ts";

/** Two ticks of the wheel. */
const SLACK = 2_000;

test.each(["newreno", "cubic", "bbr"] as const)(
  "%s: whatever loss recovery or pacing waits for, a timer is set",
  (congestion) => {
    const pair = new Pair({
      seed: 7,
      client: { congestion },
      wire: { delay: millis(20), jitter: millis(4), loss: 0.03 },
    }).established();
    pair.tracing = false;
    const data = new Uint8Array(300_000);
    pair.client.write(data);
    const late: number[] = [];
    const done = pair.run(() => {
      const due = pair.client.c.recovery.nextTimeout();
      const set = pair.wheel.nextDeadline() ?? FOREVER;
      if (due !== FOREVER && set > due + SLACK) late.push(pair.now);
      return pair.server.receivedLength === data.length;
    });
    expect([done, late]).toEqual([true, []]);
  },
);
