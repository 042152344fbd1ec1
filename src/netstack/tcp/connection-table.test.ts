import fc from "fast-check";
import { expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { Inbound } from "../inbound.ts";
import { Ip } from "../ip-address.ts";
import { ConnectionTable } from "./connection-table.ts";
import { type FlowLayer, TcpFlow } from "./tcp-flow.ts";

const LAYER = { rng: new SeededRng(1) } as unknown as FlowLayer;

const tuple = fc.record({
  local: fc.constantFrom("10.0.0.1", "10.0.0.2", "2001:db8::1"),
  localPort: fc.constantFrom(80, 443, 32_768),
  remote: fc.constantFrom("10.0.0.9", "192.0.2.1", "2001:db8::9", "::ffff:10.0.0.9"),
  remotePort: fc.integer({ min: 1, max: 60 }),
});

function segmentOf(flow: TcpFlow): Inbound {
  const inbound = new Inbound();
  const { local, remote } = flow;
  [inbound.s0, inbound.s1, inbound.s2, inbound.s3] = [remote.w0, remote.w1, remote.w2, remote.w3];
  [inbound.d0, inbound.d1, inbound.d2, inbound.d3] = [local.w0, local.w1, local.w2, local.w3];
  return inbound;
}

it("added and removed at random: what is there is found by either way, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(tuple, fc.boolean()), { maxLength: 400 }), (steps) => {
      const table = new ConnectionTable(new SeededRng(2));
      const there = new Map<string, TcpFlow>();
      for (const [{ local, localPort, remote, remotePort }, add] of steps) {
        const ends = { local: Ip.parse(local)!, localPort, remote: Ip.parse(remote)!, remotePort };
        const key = `${ends.local} ${localPort} ${Ip.parse(remote)!.w3} ${ends.remote} ${remotePort}`;
        const known = there.get(key);
        if (add && known === undefined) {
          const flow = new TcpFlow(LAYER, ends, null);
          if (table.find(segmentOf(flow), remotePort, localPort) !== null) continue;
          table.add(flow);
          there.set(key, flow);
        } else if (!add && known !== undefined) {
          table.remove(known);
          table.remove(known);
          there.delete(key);
          expect(table.find(segmentOf(known), remotePort, localPort)).toBe(null);
        }
      }
      expect(table.size).toBe(there.size);
      const visited = new Set<TcpFlow>();
      table.forEach((flow) => void visited.add(flow));
      expect(visited).toEqual(new Set(there.values()));
      for (const flow of there.values()) {
        const { local, localPort, remote, remotePort } = flow;
        expect(table.find(segmentOf(flow), remotePort, localPort)).toBe(flow);
        expect(table.findBetween(local, localPort, remote, remotePort)).toBe(flow);
      }
    }),
    { seed: 20261121 },
  );
});
