import { describe, expect, it } from "vitest";
import { after, millis, seconds } from "../../src/core/time.ts";
import { Network } from "../../src/drivers/simulation/public.ts";
import { Recorder } from "../../src/drivers/testing/recorder.ts";
import { at } from "../../src/drivers/testing/world.ts";

const LENGTH = 400_000;

const ROUGH = {
  calm: { latency: millis(10) },
  lossy: { latency: millis(10), loss: 0.03 },
  "lossy and out of order": {
    latency: millis(10),
    jitter: millis(5),
    loss: 0.02,
    reordering: 0.1,
    duplication: 0.05,
    corruption: 0.01,
  },
  narrow: { latency: millis(20), bandwidth: 500_000, queueBytes: 20_000 },
} as const;

function pattern(seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: LENGTH }, (_, i) => (i * 31 + seed) ^ (i >>> 8)));
}

describe.each(Object.keys(ROUGH) as (keyof typeof ROUGH)[])("a link that is %s", (name) => {
  it.each([
    ["192.0.2.2", 1],
    ["192.0.2.2", 2],
    ["2001:db8::2", 3],
  ] as const)(
    "to %s, seed %i: all bytes arrive both ways, and both ends close",
    async (ip, seed) => {
      const network = new Network({ seed });
      const client = network.host("client");
      const server = network.host("server");
      network.link(
        { host: client, addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
        { host: server, addresses: ["192.0.2.2/24", "2001:db8::2/64"] },
        ROUGH[name],
      );
      network.run(after(network.now, seconds(10)));
      const [there, back] = [pattern(seed), pattern(seed + 100)];
      const near = new Recorder("client");
      const far = new Recorder("server");
      const bound = at(ip.includes(":") ? "[::]:80" : "0.0.0.0:80");
      await network.transport(server).listen(bound, {}, (stream) => {
        far.stream = stream;
        stream.write(back, 0, LENGTH);
        stream.end();
        return far;
      });
      const target = at(ip.includes(":") ? `[${ip}]:80` : `${ip}:80`);
      near.stream = network.transport(client).connect(target, {}, near);
      near.act((stream) => {
        stream.write(there, 0, LENGTH);
        stream.end();
      });
      network.run(() => near.closed && far.closed);
      expect([near.closes, far.closes]).toEqual([[null], [null]]);
      expect(far.bytes.equals(there)).toBe(true);
      expect(near.bytes.equals(back)).toBe(true);
      expect([near.violations, far.violations]).toEqual([[], []]);
      network.run(after(network.now, seconds(130)));
      expect([client.stack.tcp.connections, server.stack.tcp.connections]).toEqual([0, 0]);
    },
  );
});
