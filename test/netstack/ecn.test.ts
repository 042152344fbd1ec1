import { describe, expect, it } from "vitest";
import { millis } from "../../src/core/time.ts";
import type { ConnectHandler } from "../../src/core/transport.ts";
import { Network } from "../../src/drivers/simulation/public.ts";
import { Ip } from "../../src/netstack/ip-address.ts";

const THERE = { 4: Ip.v4(0x0a00_0002), 6: Ip.v6(0xfd00_0000, 0, 0, 2) } as const;
const BYTES = 4_000_000;
const QUIET: ConnectHandler = {
  onConnect() {},
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};

/** 1 MB/s, a round trip of 20 ms, a queue of 100 ms that marks from 20 ms on. */
const NARROW = { latency: millis(10), bandwidth: 1e6, queueBytes: 100_000, markAbove: 20_000 };

/** One long transfer over a queue that marks; how it went. */
function transfer(congestion: "newreno" | "cubic" | "bbr", ecn: "on" | "off", version: 4 | 6 = 4) {
  const network = new Network({ seed: 5 });
  const host = (name: string) => network.host(name, { tcp: { congestion, ecn } });
  const [near, far] = [host("near"), host("far")];
  const settings = { conflictDetection: "off" } as const;
  const link = network.link(
    { host: near, addresses: ["10.0.0.1/24", "fd00::1/64"], settings },
    { host: far, addresses: ["10.0.0.2/24", "fd00::2/64"], settings },
    NARROW,
  );
  let received = 0;
  far.stack.tcp.listen({ ip: THERE[version], port: 9 }, () => ({
    ...QUIET,
    onData: (_bytes, start, end) => void (received += end - start),
  }));
  const began = network.now;
  const stream = near.stack.tcp.connect({ ip: THERE[version], port: 9 }, QUIET);
  stream.write(new Uint8Array(BYTES), 0, BYTES);
  let longest = 0;
  network.run(() => {
    // The first round trips overshoot, as slow start does.
    if (received > BYTES / 4) longest = Math.max(longest, link.forward.queuedBytes);
    return received === BYTES;
  });
  const { marked, overflowed } = link.forward.counters;
  const info = stream.info()!;
  const rate = (BYTES / (network.now - began)) * 1e6;
  return { marked, overflowed, longest, rate, ecn: info.ecn, again: info.segmentsRetransmitted };
}

describe("ECN (RFC 3168) over a queue that marks", () => {
  it.each([
    ["newreno", 4],
    ["cubic", 4],
    ["cubic", 6],
  ] as const)("%s, IPv%i: marks keep the queue short, nothing is lost", (congestion, version) => {
    const marking = transfer(congestion, "on", version);
    expect(marking).toMatchObject({ ecn: true, overflowed: 0, again: 0 });
    expect(marking.marked).toBeGreaterThan(0);
    expect(marking.longest).toBeLessThan(60_000);
    expect(marking.rate).toBeGreaterThan(0.85e6);
    const deaf = transfer(congestion, "off", version);
    expect(deaf).toMatchObject({ ecn: false, marked: 0 });
    expect(deaf.overflowed).toBeGreaterThan(0);
  });

  it("bbr: marks lower what it has in flight, and the path stays full", () => {
    const marking = transfer("bbr", "on");
    expect(marking).toMatchObject({ ecn: true, overflowed: 0, again: 0 });
    expect(marking.marked).toBeGreaterThan(0);
    expect(marking.rate).toBeGreaterThan(0.8e6);
  });
});
