import { Namespace } from "../../../test/netstack/kernel/namespace.ts";
import { startProcess } from "../../../test/support/processes.ts";
import { findTool } from "../../../test/support/tools.ts";
import type { Contestant } from "./contestant.ts";
import { flow } from "./flow.ts";
import { startServer } from "./server.ts";

/** The host's loopback as slirp4netns shows it to the namespace. */
const HOST = "10.0.2.2";

/** slirp4netns between a namespace and sockets on the host's loopback. */
export async function slirp(
  name: string,
  mtu: number,
  port: number,
  resources: AsyncDisposableStack,
): Promise<Contestant> {
  const namespace = resources.use(await Namespace.make());
  resources.use(await startServer("sink", port));
  resources.use(await startServer("source", port + 1));
  const path = `/var/run/netns/${namespace.name}`;
  const slirp = resources.use(
    await startProcess({
      command: findTool("slirp4netns")!,
      args: ["--configure", `--mtu=${mtu}`, "--netns-type=path", path, "tap0"],
    }),
  );
  await namespace.eventually(`ping -c 1 -W 1 ${HOST}`);
  return {
    name,
    describes: `slirp4netns, MTU ${mtu}`,
    directions: ["to", "from"],
    turn: (direction, millis) =>
      flow(namespace, {
        mode: direction === "to" ? "send" : "receive",
        address: HOST,
        port: direction === "to" ? port : port + 1,
        millis,
        pid: slirp.pid,
      }),
  };
}
