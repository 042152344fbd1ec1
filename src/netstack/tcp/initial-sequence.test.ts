import { expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { after, instant, micros, seconds } from "../../core/time.ts";
import { seqDiff } from "../../wire/seq.ts";
import { Ip } from "../ip-address.ts";
import { drawSipKey } from "../siphash.ts";
import { SecretNumbers } from "./initial-sequence.ts";

const LOCAL = Ip.parse("192.0.2.1")!;
const REMOTE = Ip.parse("2001:db8::7")!;
const secret = (seed: number) => new SecretNumbers(drawSipKey(new SeededRng(seed)));

it("initial sequence: grows by one each 4 microseconds for one 4-tuple, across the wrap", () => {
  const numbers = secret(1);
  const at = (now: number) => numbers.initialSequence(instant(now), LOCAL, 1, REMOTE, 2);
  const start = 4 * 2 ** 32 - 40;
  expect(seqDiff(at(start + 4), at(start))).toBe(1);
  expect(seqDiff(at(start + 400), at(start))).toBe(100);
  const hour = after(instant(start), seconds(3_600));
  expect(seqDiff(at(hour), at(start))).toBe(900_000_000);
});

it("initial sequence: another port or another secret gives an unrelated number", () => {
  const now = instant(micros(12_345));
  const seen = new Set<number>();
  for (let port = 0; port < 1_000; port++) {
    seen.add(secret(1).initialSequence(now, LOCAL, port, REMOTE, 80) >>> 12);
  }
  expect(seen.size).toBeGreaterThan(990);
  expect(secret(1).initialSequence(now, LOCAL, 1, REMOTE, 2)).not.toBe(
    secret(2).initialSequence(now, LOCAL, 1, REMOTE, 2),
  );
});

it("timestamp offset: one for two addresses, another for others", () => {
  const numbers = secret(3);
  const offset = numbers.timestampOffset(LOCAL, REMOTE);
  expect(numbers.timestampOffset(LOCAL, REMOTE)).toBe(offset);
  expect(numbers.timestampOffset(REMOTE, LOCAL)).not.toBe(offset);
});
