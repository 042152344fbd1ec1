import { expect, test } from "vitest";
import { HyStart } from "./hystart.ts";
import { ack, us } from "./testing/acks.ts";

/** A round of ten samples; true when it ended slow start. */
function rounds(hystart: HyStart, rtts: readonly number[]): boolean {
  let over = false;
  for (const rtt of rtts) {
    for (let i = 0; i < 10; i++) {
      over = hystart.onAck(ack({ rtt: us(rtt), roundStart: i === 0 })) || over;
    }
  }
  return over;
}

test("even round trips: stays in slow start", () => {
  const hystart = new HyStart();
  expect(rounds(hystart, [20_000, 20_500, 21_000, 20_000, 22_000])).toBe(false);
  expect(hystart.phase).toBe("slow-start");
});

test("a round longer by an eighth, at least 4 ms: conservative (RFC 9406 §4.2)", () => {
  const hystart = new HyStart();
  rounds(hystart, [20_000, 23_900]);
  expect(hystart.phase).toBe("slow-start");
  rounds(hystart, [27_900]);
  expect(hystart.phase).toBe("conservative");
});

test("five conservative rounds: slow start is over", () => {
  const hystart = new HyStart();
  expect(rounds(hystart, [20_000, 25_000, 25_000, 25_000, 25_000, 25_000])).toBe(false);
  expect(rounds(hystart, [25_000])).toBe(true);
});

test("the round trip falls again in conservative slow start: it was noise", () => {
  const hystart = new HyStart();
  rounds(hystart, [20_000, 25_000, 20_000]);
  expect(hystart.phase).toBe("slow-start");
});

test("fewer than eight samples in a round: no verdict", () => {
  const hystart = new HyStart();
  rounds(hystart, [20_000]);
  for (let i = 0; i < 7; i++) hystart.onAck(ack({ rtt: us(90_000), roundStart: i === 0 }));
  expect(hystart.phase).toBe("slow-start");
});
