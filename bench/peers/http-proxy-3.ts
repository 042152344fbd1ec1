import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";
import type { Peer } from "./peer.ts";

const server = fileURLToPath(new URL("http-proxy-3-server.ts", import.meta.url));

export const httpProxy3: Peer = {
  name: "http-proxy-3",
  byDefault: true,
  missing: () => (manifest() === null ? "http-proxy-3 is not installed (npm ci)" : null),
  version: async () => `http-proxy-3 ${manifest()} on Node ${process.versions.node}`,
  start(options) {
    const [command, ...args] = [...options.launcher, process.execPath, ...options.nodeFlags];
    return startProcess({
      command: command!,
      args: [
        ...args,
        server,
        String(options.port),
        String(options.originPort),
        String(options.workers),
        options.forwarded ? "forwarded" : "plain",
      ],
      ready: { port: options.port },
    });
  },
};

/** The installed version, or null. */
function manifest(): string | null {
  try {
    const entry = createRequire(import.meta.url).resolve("http-proxy-3");
    const folder = entry.slice(0, entry.lastIndexOf(join("node_modules", "http-proxy-3")));
    const file = join(folder, "node_modules", "http-proxy-3", "package.json");
    return String(JSON.parse(readFileSync(file, "utf8")).version);
  } catch {
    return null;
  }
}
