import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { firstLine } from "./first-line.ts";
import type { Peer, PeerOptions, PeerTls } from "./peer.ts";

export const haproxy: Peer = {
  name: "haproxy",
  byDefault: true,
  missing: () => (findTool("haproxy") === null ? "haproxy is not installed" : null),
  version: () => firstLine(findTool("haproxy")!, ["-v"]),
  start(options) {
    const file = join(options.folder, "haproxy.cfg");
    writeFileSync(file, configuration(options));
    const [command, ...args] = [...options.launcher, findTool("haproxy")!];
    return startProcess({
      command: command!,
      args: [...args, "-db", "-f", file],
      ready: { port: options.port },
    });
  },
};

/** Streams both ways by nature. */
function configuration(options: PeerOptions): string {
  const { port, originPort, workers, forwarded, largeBodies, tls } = options;
  return `
global
  # HAProxy reckons two descriptors a connection and would refuse to start under a limit of
  # 20,000, though 10,000 idle clients take hardly more than one each.
  maxconn 12000
  no strict-limits
  nbthread ${workers}
${largeBodies ? "  tune.bufsize 65536" : ""}
  # No "log" line: nothing is logged.

${tls === undefined ? "" : "  # The cache of the server; tickets carry the session instead.\n  tune.ssl.cachesize 0"}

defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
  maxconn 12000

frontend clients
  bind 127.0.0.1:${port} backlog 4096${tls === undefined ? "" : tlsWords(tls)}
${forwarded ? forwardedFields : ""}
  default_backend origin

backend origin
  server origin 127.0.0.1:${originPort} pool-purge-delay 300s
`;
}

/** It always sends OpenSSL's default of two tickets. */
const tlsWords = ({ both }: PeerTls): string =>
  ` ssl crt ${both} ssl-min-ver TLSv1.3 ciphersuites TLS_AES_128_GCM_SHA256`;

const forwardedFields = `
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]`;
