import { expect, test } from "vitest";
import { seconds } from "../../core/time.ts";
import { TicketKeyRing } from "./ticket-key-ring.ts";

const counting = (): (() => Uint8Array) => {
  let n = 0;
  return () => Uint8Array.of(n++);
};
const settings = (lifetime: number, rotateEvery: number) => ({
  count: 2,
  lifetime: seconds(lifetime),
  rotateEvery: seconds(rotateEvery),
});
const names = ({ keys }: TicketKeyRing): readonly number[] => keys.map((key) => key[0]!);

test("rotated: the newest encrypts, those whose sessions may still come are kept", () => {
  const ring = new TicketKeyRing([settings(7200, 3600)], counting());
  expect(names(ring)).toEqual([0]);
  for (let i = 0; i < 5; i++) ring.rotate();
  // The oldest session under key 3 began when 4 was drawn, an hour before 5: within two hours.
  expect(names(ring)).toEqual([5, 4, 3]);
});

test("several listeners: rotated as the most eager wants, kept as the longest needs, within bounds", () => {
  const ring = new TicketKeyRing([settings(60, 10), settings(86_400, 3600)], counting());
  expect(ring.every).toBe(seconds(10));
  for (let i = 0; i < 50; i++) ring.rotate();
  expect(ring.keys).toHaveLength(16);
});

test("no listener gives out tickets: one key, never rotated", () => {
  const ring = new TicketKeyRing([], counting());
  expect([ring.every, names(ring)]).toEqual([null, [0]]);
});
