import { describe, expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { Ip } from "../ip-address.ts";
import { drawSipKey } from "../siphash.ts";
import { SecretNumbers } from "./initial-sequence.ts";
import { EphemeralPorts, FIRST_EPHEMERAL, LAST_EPHEMERAL } from "./ports.ts";

const LOCAL = Ip.parse("192.0.2.1")!;
const REMOTE = Ip.parse("198.51.100.7")!;
const COUNT = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;

const ports = (seed = 1) => {
  const rng = new SeededRng(seed);
  return new EphemeralPorts(new SecretNumbers(drawSipKey(rng)), rng);
};

describe("ephemeral ports", () => {
  it("one peer: every port comes once before one comes again", () => {
    const source = ports();
    const seen = new Set<number>();
    for (let i = 0; i < COUNT; i++) seen.add(source.forPeer(LOCAL, REMOTE, 80, () => false));
    expect(seen.size).toBe(COUNT);
    expect(Math.min(...seen)).toBe(FIRST_EPHEMERAL);
    expect(Math.max(...seen)).toBe(LAST_EPHEMERAL);
  });

  it("another peer, or another secret: starts elsewhere", () => {
    const starts = new Set<number>();
    for (let i = 0; i < 50; i++) {
      starts.add(ports(i).forPeer(LOCAL, REMOTE, 80, () => false));
      starts.add(ports(1).forPeer(LOCAL, Ip.v4(i), 80, () => false));
    }
    expect(starts.size).toBeGreaterThan(90);
  });

  it("taken ones are left out; all taken: -1", () => {
    const source = ports();
    const free = FIRST_EPHEMERAL + 123;
    expect(source.forPeer(LOCAL, REMOTE, 80, (port) => port !== free)).toBe(free);
    expect(source.forListener((port) => port !== free)).toBe(free);
    expect(source.forPeer(LOCAL, REMOTE, 80, () => true)).toBe(-1);
    expect(source.forListener(() => true)).toBe(-1);
  });
});
