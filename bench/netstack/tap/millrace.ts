import { Namespace } from "../../../test/netstack/kernel/namespace.ts";
import type { Contestant } from "./contestant.ts";
import { flow, startProgram } from "./flow.ts";

const DISCARD = 9;
const CHARGEN = 19;
const OURS = "10.7.0.2";

/** A stack on a TAP device, with discard and chargen. */
export async function millrace(
  name: string,
  mtu: number,
  offload: boolean,
  resources: AsyncDisposableStack,
): Promise<Contestant> {
  const namespace = resources.use(await Namespace.make());
  const offloads = offload ? "on" : "off";
  const host = await startProgram(namespace, "tap-host.ts", "mr0", `${OURS}/24`, mtu, offloads);
  await namespace.run("ip addr add 10.7.0.1/24 dev mr0; ip link set mr0 up");
  await namespace.eventually(`ping -c 1 -W 1 ${OURS}`);
  return {
    name,
    describes: `Millrace, MTU ${mtu}, offloads ${offloads}`,
    directions: ["to", "from"],
    turn: (direction, millis) =>
      flow(namespace, {
        mode: direction === "to" ? "send" : "receive",
        address: OURS,
        port: direction === "to" ? DISCARD : CHARGEN,
        millis,
        pid: host.pid,
      }),
  };
}
