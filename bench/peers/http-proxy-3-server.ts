/**
 * http-proxy-3 as its documentation sets it up, with a keep-alive agent. Run by http-proxy-3.ts:
 * PORT ORIGIN-PORT WORKERS forwarded|plain.
 */
import cluster from "node:cluster";
import { Agent, createServer, type ServerResponse } from "node:http";
import { createProxyServer } from "http-proxy-3";

const [port, originPort, workers, fields] = process.argv.slice(2);

if (cluster.isPrimary && Number(workers) > 1) {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
} else {
  serve();
}

function serve(): void {
  const proxy = createProxyServer({
    target: `http://127.0.0.1:${originPort}`,
    agent: new Agent({
      keepAlive: true,
      maxSockets: Number.POSITIVE_INFINITY,
      maxFreeSockets: 1024,
    }),
    xfwd: fields === "forwarded",
  });
  proxy.on("error", (_error, _request, response) => {
    const answer = response as ServerResponse;
    if (typeof answer.writeHead !== "function") return;
    if (!answer.headersSent) answer.writeHead(502);
    answer.end();
  });
  const server = createServer((request, response) => proxy.web(request, response));
  server.keepAliveTimeout = 300_000;
  server.requestTimeout = 0;
  server.listen(Number(port), "127.0.0.1", 4096);
}
