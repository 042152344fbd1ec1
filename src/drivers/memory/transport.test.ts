import { after, millis } from "../../core/time.ts";
import { transportSuite } from "../testing/transport-suite.ts";
import { at } from "../testing/world.ts";
import { CHOPPY, type LinkConditions } from "./link.ts";
import { MemoryNetwork } from "./network.ts";

suite("memory, calm", {});
suite("memory, choppy", CHOPPY);
suite("memory, a small window", { window: 3_000, largestPiece: 2_999 });

function suite(name: string, link: Partial<LinkConditions>): void {
  let network: MemoryNetwork;
  transportSuite(
    name,
    async () => {
      network = new MemoryNetwork({ seed: 7, link, onFault() {} });
      network.blackHole("198.51.100.1");
      return network.transport("192.0.2.7", "2001:db8::7");
    },
    {
      async turn() {
        await network.settle(after(network.now, millis(2)));
      },
      async unanswered() {
        return { address: at("198.51.100.1:80"), async release() {} };
      },
    },
  );
}
