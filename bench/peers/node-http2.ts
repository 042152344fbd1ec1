import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";
import type { Peer } from "./peer.ts";

const server = fileURLToPath(new URL("node-http2-server.ts", import.meta.url));

/** What one writes who needs a proxy for HTTP/2 and has Node: its two modules and pipes between them. */
export const nodeHttp2: Peer = {
  name: "node-http2",
  byDefault: true,
  speaks: "http",
  missing: () => null,
  version: async () => `node:http2 of Node ${process.versions.node}`,
  start(options) {
    const [command, ...args] = [...options.launcher, process.execPath, ...options.nodeFlags];
    return startProcess({
      command: command!,
      args: [...args, server, String(options.port), String(options.originPort)],
      ready: { port: options.port },
    });
  },
};
