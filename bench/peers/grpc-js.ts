import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";
import type { Peer } from "./peer.ts";

const server = fileURLToPath(new URL("grpc-js-server.ts", import.meta.url));
const manifest = new URL("../../node_modules/@grpc/grpc-js/package.json", import.meta.url);

/** A server and a client of @grpc/grpc-js, one behind the other. */
export const grpcJs: Peer = {
  name: "grpc-js",
  byDefault: true,
  speaks: "grpc",
  missing: () => null,
  version: async () =>
    `@grpc/grpc-js ${(JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version} on Node ${process.versions.node}`,
  start(options) {
    const [command, ...args] = [...options.launcher, process.execPath, ...options.nodeFlags];
    return startProcess({
      command: command!,
      args: [...args, server, String(options.port), String(options.originPort)],
      ready: { port: options.port },
    });
  },
};
