import { expect, test } from "vitest";
import { after, seconds } from "../../core/time.ts";
import { Network } from "../../drivers/simulation/public.ts";
import { Ip } from "../../netstack/ip-address.ts";
import { trafficOf } from "./traffic.ts";

test("traffic: a network at rest makes none, a download much", () => {
  const network = new Network({ seed: 1 });
  const near = network.host("near");
  const far = network.host("far");
  network.link(
    { host: near, addresses: ["10.0.0.1/24"] },
    { host: far, addresses: ["10.0.0.2/24"] },
  );
  network.run(after(network.now, seconds(60)));
  expect(trafficOf(near.stack)).toBe(0);
  const socket = near.stack.udp.open({}, { onMessage() {}, onError() {} });
  if (socket instanceof Error) throw socket;
  const ip = Ip.parse("10.0.0.2")!;
  for (let i = 0; i < 250; i++) {
    socket.send(new Uint8Array(100), 0, 100, { ip, port: 9 });
    network.run(after(network.now, seconds(1)));
  }
  expect(trafficOf(near.stack)).toBeGreaterThanOrEqual(2);
});
