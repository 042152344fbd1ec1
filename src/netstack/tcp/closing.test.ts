import { expect, it } from "vitest";
import { SeededRng } from "../../core/random.ts";
import { Ip } from "../ip-address.ts";
import { FlowList } from "./closing.ts";
import { type FlowLayer, TcpFlow } from "./tcp-flow.ts";

const LAYER = { rng: new SeededRng(1) } as unknown as FlowLayer;
const ENDS = { local: Ip.v4(1), localPort: 1, remote: Ip.v4(2), remotePort: 2 };
const flow = () => new TcpFlow(LAYER, ENDS, null);

it("a full list: names the oldest, whichever were taken off before", () => {
  const list = new FlowList(3);
  const flows = [flow(), flow(), flow(), flow(), flow()];
  expect(flows.slice(0, 3).map((each) => list.add(each))).toEqual([null, null, null]);
  list.remove(flows[1]!);
  list.remove(flows[1]!);
  expect(list.size).toBe(2);
  expect(list.add(flows[3]!)).toBe(null);
  expect(list.add(flows[4]!)).toBe(flows[0]);
  list.remove(flows[0]!);
  expect(list.first).toBe(flows[2]);
});

it("added to another list: leaves the first", () => {
  const [a, b] = [new FlowList(9), new FlowList(9)];
  const moved = flow();
  a.add(moved);
  a.add(flow());
  b.add(moved);
  expect([a.size, b.size, moved.list]).toEqual([1, 1, b]);
  expect(a.first?.list).toBe(a);
});
