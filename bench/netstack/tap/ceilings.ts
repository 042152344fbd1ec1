import { Namespace } from "../../../test/netstack/kernel/namespace.ts";
import type { Contestant } from "./contestant.ts";
import { flow, startProgram } from "./flow.ts";

const THEIRS = "10.7.0.2";
const PORT = 5001;
const SINK = "sink";

/** The kernel's TCP to itself, over the loopback interface: what the traffic program can do. */
export async function loopback(resources: AsyncDisposableStack): Promise<Contestant> {
  const namespace = resources.use(await Namespace.make());
  const sink = await startProgram(namespace, "traffic.ts", SINK, PORT);
  return {
    name: "loopback",
    describes: "the kernel to itself over lo: what sender and receiver can do",
    directions: ["to"],
    turn: (_direction, millis) =>
      flow(namespace, { mode: "send", address: "127.0.0.1", port: PORT, millis, pid: sink.pid }),
  };
}

/** TAP reads alone, filled by UDP datagrams of 65,000 bytes. */
export async function rawReads(resources: AsyncDisposableStack): Promise<Contestant> {
  const namespace = resources.use(await Namespace.make());
  const reader = await startProgram(namespace, "tap-relay.ts", "discard", "mr0", 65_520);
  await namespace.run(
    `ip addr add 10.7.0.1/24 dev mr0; ip link set mr0 up; ip neigh add ${THEIRS} lladdr 02:00:00:00:00:02 dev mr0`,
  );
  return {
    name: "raw-reads",
    describes: "TAP reads thrown away, UDP of 65,000 bytes",
    directions: ["to"],
    turn: (_direction, millis) =>
      flow(namespace, { mode: "blast", address: THEIRS, port: PORT, millis, pid: reader.pid }),
  };
}

/** One TCP flow from a kernel's socket to another's through two TAP devices joined by read and write. */
export async function relay(
  name: string,
  mtu: number,
  resources: AsyncDisposableStack,
): Promise<Contestant> {
  const near = resources.use(await Namespace.make());
  const far = resources.use(await Namespace.make());
  const joined = await startProgram(near, "tap-relay.ts", "relay", "mr0", mtu, "mr1");
  await near.hand("mr1", far);
  await near.run("ip addr add 10.7.0.1/24 dev mr0");
  await far.run(`ip addr add ${THEIRS}/24 dev mr1; ip link set mr1 mtu ${mtu} up`);
  await startProgram(far, "traffic.ts", SINK, PORT);
  await near.eventually(`ping -c 1 -W 1 ${THEIRS}`);
  return {
    name,
    describes: `two TAP devices joined by read and write, MTU ${mtu}, offloads on`,
    directions: ["to"],
    turn: (_direction, millis) =>
      flow(near, { mode: "send", address: THEIRS, port: PORT, millis, pid: joined.pid }),
  };
}
