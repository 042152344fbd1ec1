import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { after, instant, millis, seconds } from "../../core/time.ts";
import { seq, seqAdd } from "../../wire/seq.ts";
import { Ip } from "../ip-address.ts";
import { drawSipKey } from "../siphash.ts";
import { SecretNumbers } from "./initial-sequence.ts";
import { optionsInTimestamp, SynCookies, timestampWithOptions } from "./syn-cookies.ts";

const LOCAL = Ip.parse("192.0.2.1")!;
const REMOTE = Ip.parse("198.51.100.7")!;
const PORTS = (80 << 16) | 40_000;
const NOW = instant(1_000_000_000);

const cookies = (seed = 1) => new SynCookies(new SecretNumbers(drawSipKey(new SeededRng(seed))));

describe("SYN cookies", () => {
  it("made: the size at or below the peer's comes back, for two periods at the most", () => {
    const jar = cookies();
    for (const [mss, kept] of [
      [1_460, 1_460],
      [9_000, 1_460],
      [1_459, 1_440],
      [600, 536],
      [100, 536],
    ] as const) {
      const irs = seq(0xffff_fff0 + mss);
      const cookie = jar.make(NOW, LOCAL, REMOTE, PORTS, irs, mss);
      const read = (later: number) =>
        jar.read(after(NOW, seconds(later)), LOCAL, REMOTE, PORTS, irs, cookie);
      expect([read(0), read(60)]).toEqual([kept, kept]);
      expect(read(130)).toBe(-1);
    }
  });

  it("another peer, port, number or secret: the cookie is none", () => {
    const jar = cookies();
    const irs = seq(77);
    const cookie = jar.make(NOW, LOCAL, REMOTE, PORTS, irs, 1_460);
    expect(jar.read(NOW, LOCAL, Ip.parse("198.51.100.8")!, PORTS, irs, cookie)).toBe(-1);
    expect(jar.read(NOW, LOCAL, REMOTE, PORTS + 1, irs, cookie)).toBe(-1);
    expect(jar.read(NOW, LOCAL, REMOTE, PORTS, seqAdd(irs, 1), cookie)).toBe(-1);
    expect(cookies(2).read(NOW, LOCAL, REMOTE, PORTS, irs, cookie)).toBe(-1);
  });

  it("guessed: about one in two million is taken, not more", () => {
    const jar = cookies();
    const rng = new SeededRng(5);
    let taken = 0;
    for (let i = 0; i < 200_000; i++) {
      if (jar.read(NOW, LOCAL, REMOTE, PORTS, seq(9), seq(rng.u32())) >= 0) taken++;
    }
    expect(taken).toBeLessThan(3);
  });

  it("believed: only while the last one is fresh", () => {
    const jar = cookies();
    expect(jar.believed(NOW, null)).toBe(false);
    expect(jar.believed(after(NOW, seconds(100)), NOW)).toBe(true);
    expect(jar.believed(after(NOW, seconds(129)), NOW)).toBe(false);
  });

  it("options in a timestamp: come back, and the clock is never ahead", () => {
    const kept = fc.record({
      windowScale: fc.integer({ min: -1, max: 14 }),
      sack: fc.boolean(),
      ecn: fc.boolean(),
    });
    fc.assert(
      fc.property(
        kept,
        fc.integer({ min: 100_000, max: 2 ** 50 }),
        fc.nat(0xffff_ffff),
        (options, now, offset) => {
          const stamp = timestampWithOptions(instant(now), offset, options);
          expect(optionsInTimestamp(stamp, offset)).toEqual(options);
          const clock = Math.floor(now / millis(1)) + offset;
          const behind = (clock - stamp) >>> 0;
          expect(behind).toBeLessThan(64);
        },
      ),
      { seed: 20261121 },
    );
  });
});
