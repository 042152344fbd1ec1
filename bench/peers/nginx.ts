import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startProcess } from "../../test/support/processes.ts";
import { findTool } from "../../test/support/tools.ts";
import { firstLine } from "./first-line.ts";
import type { Peer, PeerOptions, PeerTls } from "./peer.ts";

export const nginx: Peer = {
  name: "nginx",
  byDefault: true,
  missing: () => (findTool("nginx") === null ? "nginx is not installed" : null),
  version: () => firstLine(findTool("nginx")!, ["-v"]),
  start(options) {
    const file = join(options.folder, "nginx.conf");
    writeFileSync(file, configuration(options));
    const [command, ...args] = [...options.launcher, findTool("nginx")!];
    return startProcess({
      command: command!,
      args: [...args, "-p", options.folder, "-c", file, "-e", "stderr"],
      ready: { port: options.port },
    });
  },
};

function configuration(options: PeerOptions): string {
  const { port, originPort, workers, forwarded, folder, tls } = options;
  const listening =
    (tls === undefined ? "" : " ssl") +
    (options.http2 === true ? " http2" : "") +
    (workers > 1 ? " reuseport" : "");
  return `${process.getuid?.() === 0 ? "user root;" : ""}
daemon off;
pid ${folder}/nginx.pid;
worker_processes ${workers};
error_log stderr error;
events {
  worker_connections 20000;
  # All connections that wait are taken in one turn of the loop.
  multi_accept on;
}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_timeout 300s;
  # The default closes a connection after 1,000 requests; nobody else here does.
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream origin {
    server 127.0.0.1:${originPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096${listening};
${tls === undefined ? "" : tlsLines(tls)}
    location / {
${options.grpc === true ? "      grpc_pass grpc://origin;" : proxyLines(forwarded)}
    }
  }
}
`;
}

const proxyLines = (forwarded: boolean): string => `
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
${forwarded ? forwardedFields : ""}
      # Bodies are streamed both ways, as the others do: requests without a stop on disk,
      # responses through memory alone. Buffers of 64 KiB instead of 4 KiB help nginx with
      # large responses (measured: see README.md).
      proxy_request_buffering off;
      proxy_buffer_size 16k;
      proxy_buffers 8 64k;
      proxy_busy_buffers_size 128k;
      proxy_max_temp_file_size 0;
      proxy_read_timeout 300s;`;

const tlsLines = ({ cert, key, tickets }: PeerTls): string => `
    ssl_certificate ${cert};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    # Tickets carry the session; there is no cache, as by default.
    ssl_session_tickets on;
    ssl_conf_command NumTickets ${tickets};
    ssl_session_timeout 2h;`;

const forwardedFields = `
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;`;
