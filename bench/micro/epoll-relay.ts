/**
 * What the epoll transport alone costs: a relay that parses nothing, beside nginx as a proxy, in turns
 * on core 0, with wrk and the origin on core 1. Prints CPU microseconds per request of each turn and
 * the medians.
 *
 *     node bench/micro/epoll-relay.ts [--rounds 5] [--seconds 4] [--connections 64] [--path /small]
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startProcess, stopAllProcesses } from "../../test/support/processes.ts";
import { pinned } from "../harness/launcher.ts";
import { Origin } from "../harness/origin.ts";
import { startPeer } from "../harness/start-peer.ts";
import { median } from "../harness/statistics.ts";
import { nginx } from "../peers/nginx.ts";
import type { Peer } from "../peers/peer.ts";
import { takeTurn } from "../proxy/load-turn.ts";
import { parseOptions } from "../proxy/options.ts";
import { peerOptions } from "../proxy/peer-options.ts";
import { scenarios } from "../proxy/scenarios.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "4" },
    connections: { type: "string", default: "64" },
    path: { type: "string", default: "/small" },
    "node-flags": { type: "string", default: "" },
    "no-nginx": { type: "boolean", default: false },
  },
});

const relay: Peer = {
  name: "epoll-relay",
  byDefault: true,
  missing: () => null,
  version: async () => process.version,
  start(options) {
    const script = fileURLToPath(new URL("epoll-relay-server.ts", import.meta.url));
    const mode = values.path === "/small" ? "small" : "large";
    const [command, ...args] = [...options.launcher, process.execPath, ...options.nodeFlags];
    return startProcess({
      command: command!,
      args: [...args, script, String(options.port), String(options.originPort), mode],
      ready: { port: options.port },
    });
  },
};

interface Row {
  readonly user: number;
  readonly system: number;
  readonly rate: number;
}

const peers = values["no-nginx"] ? [relay] : [nginx, relay];
const rows = new Map<string, Row[]>(peers.map((peer) => [peer.name, []]));
const load = { path: values.path, connections: Number(values.connections) };
const nodeFlags = values["node-flags"];
const options = parseOptions(nodeFlags === "" ? [] : [`--node-flags=${nodeFlags}`]);

async function measure(peer: Peer, originPort: number): Promise<void> {
  const { port, running } = await startPeer(peer, peerOptions(scenarios[0]!, options, originPort));
  const { turn, errors } = await takeTurn({
    launcher: pinned("1"),
    group: running.pid,
    port,
    load,
    warmUpSeconds: 2,
    seconds: Number(values.seconds),
    cores: 1,
  });
  await running.stop();
  const row = { user: turn.cpuUser, system: turn.cpuSystem, rate: turn.requestsPerSecond };
  rows.get(peer.name)!.push(row);
  const figures = `user ${row.user.toFixed(2)} system ${row.system.toFixed(2)} µs`;
  const rest = `${Math.round(row.rate)}/s p99 ${turn.p99.toFixed(2)} ms errors ${errors}`;
  console.log(`${peer.name.padEnd(12)} ${figures} sum ${turn.cpu.toFixed(2)} ${rest}`);
  if (running.stderr !== "") console.log(`  ${running.stderr.trim()}`);
}

const origin = await Origin.start(pinned("1"));
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const peer of peers) await measure(peer, origin.port);
  }
  for (const [name, of] of rows) {
    const user = median(of.map((row) => row.user));
    const system = median(of.map((row) => row.system));
    console.log(`median ${name}: user ${user.toFixed(2)} system ${system.toFixed(2)} µs`);
  }
} finally {
  await stopAllProcesses();
}
