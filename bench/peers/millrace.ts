import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "../../test/support/processes.ts";
import { firstLine } from "./first-line.ts";
import type { Peer, PeerOptions, PeerTls } from "./peer.ts";

const bin = fileURLToPath(new URL("../../bin/millrace.mjs", import.meta.url));

/** With the driver that it chooses by itself: the epoll reactor on Linux. */
export const millrace = millracePeer("millrace", "auto", true);

/** On libuv's sockets, what platforms without the reactor get. */
export const millraceNode = millracePeer("millrace-node", "node", false);

function millracePeer(name: string, driver: string, byDefault: boolean): Peer {
  return {
    name,
    byDefault,
    missing: () => (existsSync(bin) ? null : "bin/millrace.mjs is not there"),
    version: async () =>
      `Millrace ${await firstLine(process.execPath, [bin, "--version"])} on Node ${process.versions.node}`,
    start(options) {
      const file = join(options.folder, "millrace.yaml");
      writeFileSync(file, configuration(options, driver));
      const [command, ...args] = [...options.launcher, process.execPath, ...options.nodeFlags];
      return startProcess({
        command: command!,
        args: [...args, bin, "proxy", file],
        ready: { port: options.port },
        timeoutMs: 20_000,
      });
    },
  };
}

function configuration(options: PeerOptions, driver: string): string {
  const { tls } = options;
  return `
workers: ${options.workers}
driver: ${driver}
admin: "off"
log:
  access: "off"
listeners:
  - listen: ${tls === undefined ? "" : "https://"}127.0.0.1:${options.port}
${tls === undefined ? "" : tlsLines(tls)}    timeouts:
      idle: 5m
    forwarding:
      via: "off"
      xForwarded: "${options.forwarded ? "append" : "off"}"
      forwarded: "off"
    routes:
      - upstream: origin
upstreams:
  origin:
    endpoints:
      - 127.0.0.1:${options.originPort}
    protocol: ${options.grpc === true ? "http2" : "auto"}
    limits:
      idlePerEndpoint: 1024
    timeouts:
      idle: 5m
`;
}

const tlsLines = ({ cert, key, tickets }: PeerTls): string => `
    tls:
      certificates:
        - cert: ${cert}
          key: ${key}
      policy: modern
      cipherSuites: TLS_AES_128_GCM_SHA256
      tickets:
        count: ${tickets}
        lifetime: 2h
`;
