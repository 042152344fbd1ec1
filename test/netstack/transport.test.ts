import { after, millis } from "../../src/core/time.ts";
import { Network } from "../../src/drivers/simulation/public.ts";
import { transportSuite } from "../../src/drivers/testing/transport-suite.ts";
import { at } from "../../src/drivers/testing/world.ts";

let network: Network;

transportSuite(
  "netstack, one host's loopback",
  async () => {
    network = new Network({ seed: 7, onFault() {} });
    const host = network.host("host", {
      tcp: { sendHighWater: 256 << 10, sendLowWater: 64 << 10 },
    });
    const nowhere = network.host("nowhere");
    network.link(
      { host, addresses: ["198.51.100.2/24"] },
      { host: nowhere, addresses: ["198.51.100.3/24"] },
    );
    return network.transport(host);
  },
  {
    unix: false,
    async turn() {
      await network.settle(after(network.now, millis(2)));
    },
    async unanswered() {
      return { address: at("198.51.100.1:80"), async release() {} };
    },
  },
);
